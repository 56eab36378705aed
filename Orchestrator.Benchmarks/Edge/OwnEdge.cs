using System.Globalization;
using System.Net;
using Microsoft.Extensions.Logging.Abstractions;
using Orchestrator.Traffic;
using Prometheus;

namespace Orchestrator.Benchmarks.Edge;

/// <summary>BasMalin's edge as the daemon has it: routes by host, leases, metrics, X-Forwarded headers.</summary>
internal static class OwnEdge
{
    public static string HostOf(int stack) => string.Create(CultureInfo.InvariantCulture, $"s{stack}.example");

    /// <param name="stacks">Each with one route of its own.</param>
    /// <returns>Its port.</returns>
    public static async Task<int> StartAsync(int backend, int stacks)
    {
        var metrics = new EdgeMetrics(Metrics.NewCustomRegistry());
        var router = new TrafficRouter(metrics, TimeProvider.System);
        for (var i = 0; i < stacks; i++)
            router.Publish(RoutesOf(i, "blue", backend));

        var options = new EdgeOptions { Http = [new IPEndPoint(IPAddress.Loopback, 0)] };
        var edge = new EdgeServer(options, router, metrics, NullLoggerFactory.Instance, TimeProvider.System) { Intercept = static _ => ValueTask.FromResult(false) };
        await edge.StartAsync(CancellationToken.None);
        return edge.Addresses[0].Port;
    }

    public static StackRoutes RoutesOf(int stack, string colour, int port)
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"s{stack}");
        var loopback = IPAddress.Loopback.ToString();
        var upstream = new Upstream(new UpstreamIdentity(name, "app", colour, 1), [new ReplicaAddress(name, loopback)], TimeProvider.System);
        var route = new Route { Stack = name, Service = "app", Host = HostOf(stack), TargetPort = port, Upstream = upstream };
        return new StackRoutes(name, [route], [], Maintenance: false);
    }
}
