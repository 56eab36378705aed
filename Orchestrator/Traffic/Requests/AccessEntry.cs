using System.Globalization;
using System.Text.Json;

namespace Orchestrator.Traffic.Requests;

/// <summary>One request as it is written down: a line of JSON.</summary>
internal sealed class AccessEntry
{
    private const int LongestTarget = 2048;

    public required DateTimeOffset Time { get; init; }

    public required string Id { get; init; }

    public required string Client { get; init; }

    public required string Method { get; init; }

    public required string Host { get; init; }

    /// <summary>As the client wrote it; secrets are taken out when it is written.</summary>
    public required string Target { get; init; }

    public required string Protocol { get; init; }

    public required int Status { get; init; }

    /// <summary>Of the answer's body.</summary>
    public required long Bytes { get; init; }

    public required TimeSpan Took { get; init; }

    /// <summary>From sending it to the first byte of the answer, the last attempt; null: it was not sent, or not answered.</summary>
    public TimeSpan? Upstream { get; init; }

    public string? Stack { get; init; }

    public string? Service { get; init; }

    public UpstreamIdentity? Identity { get; init; }

    public string? Replica { get; init; }

    public void WriteTo(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        writer.WriteString("time", Time.ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture));
        writer.WriteString("id", Id);
        writer.WriteString("client", Client);
        writer.WriteString("method", Method);
        writer.WriteString("host", Host);
        writer.WriteString("path", QuerySecrets.Redact(Target.Length <= LongestTarget ? Target : Target[..LongestTarget]));
        writer.WriteString("protocol", Protocol);
        writer.WriteNumber("status", Status);
        writer.WriteNumber("bytes", Bytes);
        writer.WriteNumber("ms", Math.Round(Took.TotalMilliseconds, 3));
        if (Upstream is { } upstream)
            writer.WriteNumber("upstream_ms", Math.Round(upstream.TotalMilliseconds, 3));
        if (Stack is not null)
        {
            writer.WriteString("stack", Stack);
            writer.WriteString("service", Service);
        }

        if (Identity is { } identity)
        {
            writer.WriteString("colour", identity.Colour);
            writer.WriteNumber("release", identity.Release);
            writer.WriteString("replica", Replica);
        }

        writer.WriteEndObject();
    }
}
