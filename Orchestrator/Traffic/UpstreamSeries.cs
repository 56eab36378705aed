using Prometheus;

namespace Orchestrator.Traffic;

/// <summary>The metric children of one upstream, looked up once.</summary>
internal sealed class UpstreamSeries(UpstreamIdentity identity, EdgeMetrics metrics)
{
    private static readonly string[] Codes = ["other", "1xx", "2xx", "3xx", "4xx", "5xx", "499", "502", "503", "504"];

    private readonly Counter.Child?[] _requests = new Counter.Child?[Codes.Length];

    public required Histogram.Child Duration { get; init; }

    public required Gauge.Child InFlight { get; init; }

    public required Gauge.Child WebSockets { get; init; }

    /// <param name="own">The proxy's own answer, not the application's.</param>
    public void Count(int status, bool own)
    {
        var code = status switch
        {
            499 or 502 or 503 or 504 when own => status == 499 ? 6 : status - 502 + 7,
            >= 100 and < 600 => status / 100,
            _ => 0,
        };
        Child(code)?.Inc();
    }

    // Made at first use, so that a code that never happened has no series; made twice by two requests at once, it is the same child. None for a service
    // that has no routes any more: the last of its requests would bring its series back for good.
    private Counter.Child? Child(int code) =>
        _requests[code] ??= metrics.Has(identity) ? metrics.Requests.WithLabels(identity.Stack, identity.Service, identity.Colour, Codes[code]) : null;
}
