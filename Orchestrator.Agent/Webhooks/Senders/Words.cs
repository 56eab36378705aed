using static Orchestrator.Agent.Webhooks.WebhookReading;

namespace Orchestrator.Agent.Webhooks.Senders;

/// <summary>Words of version control that the senders have in common.</summary>
internal static class Words
{
    /// <summary>Null unless it is a commit's hash, full or short.</summary>
    public static string? Commit(string? text) =>
        text is { Length: >= 7 and <= 64 } && text.All(char.IsAsciiHexDigit) ? text.ToLowerInvariant() : null;

    /// <summary>The hash of nothing: how a deletion is told.</summary>
    public static bool IsZero(string? text) => text is { Length: > 0 } && text.All(digit => digit == '0');

    public static WebhookReading Reference(string reference, string commit)
    {
        const string Heads = "refs/heads/";
        const string Tags = "refs/tags/";
        if (reference.StartsWith(Heads, StringComparison.Ordinal)) return new Event { Branch = reference[Heads.Length..], Commit = commit };
        if (reference.StartsWith(Tags, StringComparison.Ordinal)) return new Event { Tag = reference[Tags.Length..], Commit = commit };

        return new Ignored($"{Plain(reference)} is neither a branch nor a tag");
    }

    /// <summary>A foreign word made fit for an answer and a log: printable, and short.</summary>
    public static string Plain(string text) => new([.. text.Take(80).Select(letter => char.IsControl(letter) ? '?' : letter)]);
}
