using System.Collections.Immutable;

namespace Orchestrator.Traffic.Requests;

/// <summary>Which answers are compressed.</summary>
/// <param name="Types">Media types, <c>text/*</c> for all of a kind.</param>
public sealed record CompressionRule(ImmutableArray<string> Types)
{
    /// <summary>What is text, and shrinks: the usual types of web applications.</summary>
    public static CompressionRule Usual { get; } = new([
        "text/*", "application/json", "application/problem+json", "application/javascript", "application/xml", "application/manifest+json",
        "application/wasm", "image/svg+xml",
    ]);

    internal bool Takes(string? contentType)
    {
        if (contentType is null)
            return false;

        var type = contentType.AsSpan();
        var end = type.IndexOf(';');
        type = (end < 0 ? type : type[..end]).Trim();

        // Each event would wait for the next in the compressor's window, or cost more than it saves.
        if (type.Equals("text/event-stream", StringComparison.OrdinalIgnoreCase))
            return false;

        foreach (var known in Types)
        {
            if (known.EndsWith("/*", StringComparison.Ordinal)
                ? type.StartsWith(known.AsSpan(0, known.Length - 1), StringComparison.OrdinalIgnoreCase)
                : type.Equals(known, StringComparison.OrdinalIgnoreCase))
                return true;
        }

        return false;
    }
}
