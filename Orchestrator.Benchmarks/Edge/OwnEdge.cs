using System.Globalization;
using System.Net;
using Microsoft.Extensions.Logging.Abstractions;
using Orchestrator.Traffic;
using Orchestrator.Traffic.Tls;
using Prometheus;

namespace Orchestrator.Benchmarks.Edge;

/// <summary>BasMalin's edge as the daemon has it: routes by host, leases, metrics, X-Forwarded headers.</summary>
internal sealed class OwnEdge
{
    private static readonly DrainBudget Budget = new(TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(30));

    private readonly EdgeServer _server;
    private readonly TrafficRouter _router;
    private readonly int _backend;
    private Upstream _live;
    private int _swaps;

    private OwnEdge(EdgeServer server, TrafficRouter router, int backend, Upstream live) => (_server, _router, _backend, _live) = (server, router, backend, live);

    /// <summary>0: none.</summary>
    public (int Plain, int Tls) Ports => (_server.Addresses[0].Port, _server.SecureAddresses.IsEmpty ? 0 : _server.SecureAddresses[0].Port);

    public static string HostOf(int stack) => string.Create(CultureInfo.InvariantCulture, $"s{stack}.example");

    /// <param name="stacks">Each with one route of its own.</param>
    public static async Task<OwnEdge> StartAsync(int backend, int stacks, BenchCertificate? certificate)
    {
        var metrics = new EdgeMetrics(Metrics.NewCustomRegistry());
        var router = new TrafficRouter(metrics, TimeProvider.System);
        for (var i = 1; i < stacks; i++)
            router.Publish(RoutesOf(i, "blue", backend));
        var first = RoutesOf(0, "blue", backend);
        router.Publish(first);

        var options = new EdgeOptions { Http = [new IPEndPoint(IPAddress.Loopback, 0)] };
        if (certificate is not null) options = options with { Https = options.Http, Tls = TlsOf(certificate) };
        var edge = new EdgeServer(options, router, metrics, NullLoggerFactory.Instance, TimeProvider.System) { Intercept = static _ => ValueTask.FromResult(false) };
        await edge.StartAsync(CancellationToken.None);
        return new OwnEdge(edge, router, backend, first.Routes[0].Upstream);
    }

    /// <summary>The first stack moves to the other colour, and the old one is drained.</summary>
    /// <returns>Requests that the drain had to cut off.</returns>
    public async Task<int> SwapAsync()
    {
        var next = RoutesOf(0, ++_swaps % 2 == 1 ? "green" : "blue", _backend);
        var old = _live;
        _router.Publish(next);
        _live = next.Routes[0].Upstream;
        var report = await old.DrainAsync(Budget, CancellationToken.None);
        return report.HttpAborted + report.WebSocketsAborted;
    }

    public static StackRoutes RoutesOf(int stack, string colour, int port)
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"s{stack}");
        var loopback = IPAddress.Loopback.ToString();
        var upstream = new Upstream(new UpstreamIdentity(name, "app", colour, 1), [new ReplicaAddress(name, loopback)], TimeProvider.System);
        var route = new Route { Stack = name, Service = "app", Host = HostOf(stack), TargetPort = port, Upstream = upstream };
        return new StackRoutes(name, [route], [], Maintenance: false);
    }

    private static EdgeTls TlsOf(BenchCertificate certificate)
    {
        var metrics = new CertificateMetrics(Metrics.NewCustomRegistry());
        var tls = new EdgeTls(new CertificateStore(metrics), metrics, NullLoggerFactory.Instance);
        new CertificateFiles(certificate.Directory, tls.Certificates, TimeProvider.System, NullLogger<CertificateFiles>.Instance).Refresh();
        return tls;
    }
}
