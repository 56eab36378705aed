using System.Collections.Concurrent;
using System.Globalization;
using Prometheus;

namespace Orchestrator.Traffic;

/// <summary>
/// The proxy's Prometheus metrics. Label values are stacks, services, colours and a dozen codes; the children are looked up when routes are published,
/// never while a request passes.
/// </summary>
public sealed class EdgeMetrics
{
    private static readonly string[] ByUpstream = ["stack", "service", "colour"];
    private static readonly string[] ByService = ["stack", "service"];
    private static readonly double[] Seconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

    // Written under the router's publishing lock only.
    private readonly ConcurrentDictionary<(string Stack, string Service, string Colour), string> _releases = [];
    private readonly Gauge _release;
    private readonly Histogram _durations;
    private readonly Gauge _inFlight;
    private readonly Gauge _webSockets;
    private readonly Gauge _held;
    private readonly Counter _holds;
    private readonly Counter _retries;
    private readonly Counter _ejections;

    public EdgeMetrics(CollectorRegistry registry)
    {
        var factory = Metrics.WithCustomRegistry(registry);
        Requests = factory.CreateCounter("basmalin_edge_requests_total",
            "Requests that had a route, by status class (499: the client left; 502, 503, 504: answered by the proxy, or cut off by the application).",
            [.. ByUpstream, "code"]);
        _durations = factory.CreateHistogram("basmalin_edge_request_duration_seconds",
            "Time to the end of the answer, waiting included; without event streams and upgraded connections.", ByUpstream,
            new HistogramConfiguration { Buckets = Seconds, ExemplarBehavior = ExemplarBehavior.NoExemplars() });
        _inFlight = factory.CreateGauge("basmalin_edge_requests_in_flight", "Requests at a replica now; upgraded connections are among them.", ByUpstream);
        _webSockets = factory.CreateGauge("basmalin_edge_websockets_open", "WebSockets that pass through now.", ByUpstream);
        _held = factory.CreateGauge("basmalin_edge_held_requests", "Requests that wait for a replica to become available.", ByService);
        _retries = factory.CreateCounter("basmalin_edge_retries_total", "Attempts at another replica after one that did not get through.", ByService);
        _holds = factory.CreateCounter("basmalin_edge_holds_total", "Requests that had to wait for a replica to become available, or for the end of a pause.", ByService);
        _ejections = factory.CreateCounter("basmalin_edge_ejections_total", "Replicas that were left alone for a moment because requests did not get through.", ByService);
        _release = factory.CreateGauge("basmalin_edge_release_info",
            "1 for the release that a colour runs: joins the series by colour to releases, of which there are ever more.", [.. ByUpstream, "release"]);
        AccessLogDropped = factory.CreateCounter("basmalin_edge_access_log_dropped_total", "Requests that the access log had no room for, or could not write.");
        PreviewsRefused = factory.CreateCounter(
            "basmalin_edge_previews_refused_total", "Requests that chose a colour which they may not choose, or which is not there.");
        Unrouted = factory.CreateCounter("basmalin_edge_unrouted_total", "Requests that no route matched.");
    }

    internal Counter Requests { get; }

    internal Counter Unrouted { get; }

    internal Counter PreviewsRefused { get; }

    internal Counter AccessLogDropped { get; }

    /// <summary>It has routes, or had them until another colour took them.</summary>
    internal bool Has(UpstreamIdentity identity) => _releases.ContainsKey((identity.Stack, identity.Service, identity.Colour));

    internal UpstreamSeries Series(UpstreamIdentity identity)
    {
        Runs(identity);
        return new UpstreamSeries(identity, this)
        {
            Duration = _durations.WithLabels(identity.Stack, identity.Service, identity.Colour),
            InFlight = _inFlight.WithLabels(identity.Stack, identity.Service, identity.Colour),
            WebSockets = _webSockets.WithLabels(identity.Stack, identity.Service, identity.Colour),
        };
    }

    internal ServiceEdge Service(string stack, string service) => new(new ServiceSeries(
        _held.WithLabels(stack, service), _holds.WithLabels(stack, service), _retries.WithLabels(stack, service), _ejections.WithLabels(stack, service)));

    /// <summary>Ends all series of a service that has no routes any more. Colours keep theirs: a counter that vanished at each swap would tell lies.</summary>
    internal void Remove(string stack, string service)
    {
        foreach (var labels in _durations.GetAllLabelValues().Where(Match))
            _durations.RemoveLabelled(labels);
        foreach (var labels in _inFlight.GetAllLabelValues().Where(Match))
            _inFlight.RemoveLabelled(labels);
        foreach (var labels in _webSockets.GetAllLabelValues().Where(Match))
            _webSockets.RemoveLabelled(labels);
        foreach (var colour in _releases.Keys.Where(key => key.Stack == stack && key.Service == service).ToList())
            Forget(colour);

        // After that, so that none is made any more.
        foreach (var labels in Requests.GetAllLabelValues().Where(Match))
            Requests.RemoveLabelled(labels);
        _held.RemoveLabelled(stack, service);
        _holds.RemoveLabelled(stack, service);
        _ejections.RemoveLabelled(stack, service);
        _retries.RemoveLabelled(stack, service);

        bool Match(string[] labels) => labels[0] == stack && labels[1] == service;
    }

    private void Runs(UpstreamIdentity identity)
    {
        var key = (identity.Stack, identity.Service, identity.Colour);
        var release = identity.Release.ToString(CultureInfo.InvariantCulture);
        if (_releases.TryGetValue(key, out var before) && before != release)
            _release.RemoveLabelled(identity.Stack, identity.Service, identity.Colour, before);
        _releases[key] = release;
        _release.WithLabels(identity.Stack, identity.Service, identity.Colour, release).Set(1);
    }

    private void Forget((string Stack, string Service, string Colour) key)
    {
        if (_releases.TryRemove(key, out var release))
            _release.RemoveLabelled(key.Stack, key.Service, key.Colour, release);
    }
}
