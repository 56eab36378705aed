using System.Collections.Immutable;
using System.Globalization;
using Orchestrator.Tests.Load;

namespace Orchestrator.Benchmarks.Load;

/// <summary>What <c>load</c> reports. Its JSON is read by scripts.</summary>
/// <param name="Finished">False in a report written on the way.</param>
/// <param name="Sent">Requests started; on the way, some are neither ok nor failed yet.</param>
/// <param name="Versions">How often each version answered, by the X-Garden-Version header.</param>
/// <param name="WebSocketCloses">The status of each close frame that came, in order; after each the WebSocket was opened again.</param>
/// <param name="Failures">The first 20: when, what, why.</param>
internal sealed record LoadSummary(
    bool Finished,
    double Seconds,
    long Sent,
    long Ok,
    long Failed,
    ImmutableSortedDictionary<string, long> Versions,
    LoadLatency Milliseconds,
    long WebSocketMessages,
    ImmutableArray<int> WebSocketCloses,
    long Events,
    long EventStreamsEnded,
    long EventStreamsCut,
    ImmutableArray<string> Failures)
{
    /// <summary>The state in one line, for a terminal.</summary>
    internal string Line => string.Create(CultureInfo.InvariantCulture, $"{Seconds,4:0} s: {Sent:#,0} requests, {Failed:#,0} failed; p95 {Milliseconds.P95:0.0} ms{Seen}");

    private string Seen => Versions.IsEmpty ? string.Empty : "; versions " + string.Join(", ", Versions.Select(pair => string.Create(CultureInfo.InvariantCulture, $"{pair.Key} × {pair.Value:#,0}")));

    public static LoadSummary Of(LoadReport report, TimeSpan elapsed, bool finished) => new(
        finished,
        Math.Round(elapsed.TotalSeconds, 3),
        report.Sent,
        report.Ok,
        report.Failed,
        report.Versions,
        new LoadLatency(Math.Round(report.Milliseconds.P50, 2), Math.Round(report.Milliseconds.P95, 2), Math.Round(report.Milliseconds.P99, 2), Math.Round(report.Milliseconds.Max, 2)),
        report.WebSocketMessages,
        report.WebSocketCloses,
        report.Events,
        report.EventStreamsEnded,
        report.EventStreamsCut,
        report.Failures);

    public override string ToString()
    {
        var lines = new List<string>
        {
            string.Create(CultureInfo.InvariantCulture, $"{Sent:#,0} requests, {Failed:#,0} failed, in {Seconds:0.0} s{Seen}"),
            string.Create(CultureInfo.InvariantCulture, $"  from the intended start: p50 {Milliseconds.P50:0.0} ms, p95 {Milliseconds.P95:0.0} ms, p99 {Milliseconds.P99:0.0} ms, max {Milliseconds.Max:0.0} ms"),
        };
        if (WebSocketMessages > 0)
            lines.Add(string.Create(CultureInfo.InvariantCulture, $"  WebSocket: {WebSocketMessages:#,0} messages came back; close frames: {(WebSocketCloses.IsEmpty ? "none" : string.Join(' ', WebSocketCloses))}"));
        if (Events > 0)
            lines.Add(string.Create(CultureInfo.InvariantCulture, $"  event stream: {Events:#,0} events; ended {EventStreamsEnded}, cut {EventStreamsCut}, and opened again each time"));
        lines.AddRange(Failures.Select(failure => "  failed at " + failure));
        return string.Join(Environment.NewLine, lines);
    }
}
