using System.Globalization;
using Docker.DotNet.Models;

namespace Orchestrator.Docker;

/// <summary>
/// Turns the many small messages of a pull into a few lines that can be read: what each layer came to, and once a second how much has come down.
/// Keeps the digest and the error that are said on the way.
/// </summary>
internal sealed class PullProgress(IProgress<string>? lines, TimeProvider time, Action heard) : IProgress<JSONMessage>
{
    private static readonly TimeSpan Pace = TimeSpan.FromSeconds(1);

    private readonly Dictionary<string, (long Current, long Total)> _layers = new(StringComparer.Ordinal);
    private long _lastLine = time.GetTimestamp();

    /// <summary><c>sha256:…</c>: what the registry says that the tag means now.</summary>
    public string? Digest { get; private set; }

    public string? Error { get; private set; }

    public void Report(JSONMessage value)
    {
        heard();
        if (value.Error is { } error) Error = error.Message;
        else if (value.Status is not { Length: > 0 } status) return;
        else if (string.IsNullOrEmpty(value.ID) || status.StartsWith("Pulling from", StringComparison.Ordinal)) ReportWhole(status);
        else if (value.Progress is { Total: > 0 and var total } progress && status == "Downloading") ReportBytes(value.ID, progress.Current ?? 0, total);
        else if (status is "Pull complete" or "Already exists") lines?.Report($"{value.ID}: {status}");
    }

    private void ReportWhole(string status)
    {
        if (status.StartsWith("Digest: ", StringComparison.Ordinal)) Digest = status["Digest: ".Length..].Trim();
        lines?.Report(status);
    }

    private void ReportBytes(string layer, long current, long total)
    {
        _layers[layer] = (current, total);
        if (lines is null || time.GetElapsedTime(_lastLine) < Pace) return;
        _lastLine = time.GetTimestamp();
        lines.Report(string.Create(
            CultureInfo.InvariantCulture,
            $"downloading {_layers.Values.Sum(state => state.Current) / 1e6:0.0} of {_layers.Values.Sum(state => state.Total) / 1e6:0.0} MB in {_layers.Count} layers"));
    }
}
