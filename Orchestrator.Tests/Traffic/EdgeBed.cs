using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;
using Orchestrator.Traffic;
using Orchestrator.Traffic.Handover;
using Orchestrator.Traffic.Requests;
using Prometheus;

namespace Orchestrator.Tests.Traffic;

/// <summary>A whole edge on a free port of loopback, with real sockets on both sides.</summary>
internal sealed class EdgeBed : IAsyncDisposable
{
    public static readonly DrainBudget Patient = new(TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(30));

    private EdgeBed(EdgeOptions options, TimeProvider time, Func<HttpContext, ValueTask<bool>>? intercept, InheritedSockets inherited, SocketKeeping? keeping)
    {
        Time = time;
        Metrics = new EdgeMetrics(Registry);
        Router = new TrafficRouter(Metrics, time);
        Edge = new EdgeServer(options, Router, Metrics, NullLoggerFactory.Instance, time) { Intercept = intercept, Inherited = inherited, Keeping = keeping };
    }

    public TimeProvider Time { get; }

    public CollectorRegistry Registry { get; } = Prometheus.Metrics.NewCustomRegistry();

    public EdgeMetrics Metrics { get; }

    public TrafficRouter Router { get; }

    public EdgeServer Edge { get; }

    public HttpClient Client { get; private set; } = new();

    public Uri Address => new($"http://{Edge.Addresses[0]}");

    public static Task<EdgeBed> StartAsync() => StartAsync(new EdgeOptions(), TimeProvider.System, intercept: null);

    public static Task<EdgeBed> StartAsync(EdgeOptions options) => StartAsync(options, TimeProvider.System, intercept: null);

    public static Task<EdgeBed> StartAsync(EdgeOptions options, TimeProvider time, Func<HttpContext, ValueTask<bool>>? intercept) =>
        StartAsync(options, time, intercept, InheritedSockets.None);

    /// <param name="first">What is done before it listens.</param>
    public static async Task<EdgeBed> StartAsync(
        EdgeOptions options, TimeProvider time, Func<HttpContext, ValueTask<bool>>? intercept, InheritedSockets inherited, Action<EdgeBed>? first = null, SocketKeeping? keeping = null)
    {
        var bed = new EdgeBed(options with { Http = options.Http.IsEmpty ? [new IPEndPoint(IPAddress.Loopback, 0)] : options.Http }, time, intercept, inherited, keeping);
        first?.Invoke(bed);
        await bed.Edge.StartAsync(CancellationToken.None);
        bed.Client.Dispose();
        bed.Client = new HttpClient { BaseAddress = bed.Address };
        return bed;
    }

    public Upstream Upstream(string colour, params ReadOnlySpan<Backend> backends)
    {
        var replicas = ImmutableArray.CreateBuilder<ReplicaAddress>();
        foreach (var backend in backends)
            replicas.Add(backend.Address);
        return new Upstream(new UpstreamIdentity("garden", "app", colour, 1), replicas.ToImmutable(), Time);
    }

    /// <summary>Sends all requests of any host there.</summary>
    public void Publish(Upstream upstream) => Publish(upstream, maintenance: false, []);

    public void Publish(Upstream upstream, bool maintenance, ImmutableArray<Preview> previews) =>
        Router.Publish(new StackRoutes("garden", [RouteTo(upstream)], previews, maintenance));

    /// <summary>Sends all requests of any host below the path there, under the policy.</summary>
    public void Publish(Upstream upstream, RoutePolicy policy, string path = "/") =>
        Router.Publish(new StackRoutes("garden", [RouteTo(upstream) with { Policy = policy, Path = path }], [], false));

    /// <summary>Sends the bytes as they are on a connection of their own, and returns all that comes back until the edge closes it.</summary>
    public async Task<string> RawAsync(string request)
    {
        using var socket = new TcpClient();
        await socket.ConnectAsync(Edge.Addresses[0]);
        await socket.GetStream().WriteAsync(Encoding.Latin1.GetBytes(request));
        using var reader = new StreamReader(socket.GetStream(), Encoding.Latin1);
        return await reader.ReadToEndAsync();
    }

    public static Route RouteTo(Upstream upstream) =>
        new() { Stack = "garden", Service = "app", Host = "*", TargetPort = Backend.Port, Upstream = upstream };

    /// <summary>Waits until so many requests are held, by the gauge that an operator would look at; it changes when the request has really arrived.</summary>
    public async Task HeldAsync(int count)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        var wanted = $"basmalin_edge_held_requests{{stack=\"garden\",service=\"app\"}} {count}\n";
        while (!(await MetricsTextAsync()).Contains(wanted, StringComparison.Ordinal))
        {
            limit.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }

    public async Task<string> MetricsTextAsync()
    {
        using var text = new MemoryStream();
        await Registry.CollectAndExportAsTextAsync(text);
        return Encoding.UTF8.GetString(text.ToArray());
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await Edge.DisposeAsync();
    }
}
