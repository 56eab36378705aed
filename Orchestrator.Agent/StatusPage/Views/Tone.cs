namespace Orchestrator.Agent.StatusPage.Views;

/// <summary>How loud something is. It is always said in words too.</summary>
internal enum Tone
{
    Quiet,
    Good,
    Busy,
    Warning,
    Bad,
}

internal static class Tones
{
    public static string Class(this Tone tone) => "tone-" + Phrases.Name(tone);

    /// <summary>A word with a mark before it, whose shape differs with the tone, not only its colour.</summary>
    public static Html Pill(this Tone tone, string word) => Html.Of($"""<span class="pill {tone.Class()}">{word}</span>""");
}
