namespace Orchestrator.Health;

/// <summary>The beginning of a text, on one line, safe for logs and terminals.</summary>
internal static class Excerpt
{
    private const int Length = 200;

    public static string Of(string text)
    {
        var line = string.Create(Math.Min(text.Length, Length), text, (span, source) =>
        {
            for (var i = 0; i < span.Length; i++) span[i] = char.IsControl(source[i]) ? ' ' : source[i];
        });
        return text.Length > Length ? line + "…" : line.Trim();
    }
}
