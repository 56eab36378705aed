using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Orchestrator.Traffic;
using Prometheus;
using Yarp.ReverseProxy.Forwarder;

namespace Orchestrator.Benchmarks;

/// <summary>Processor time and bytes allocated per request, for the proxy alone: what a direct request costs is taken off.</summary>
/// <param name="Ratio">Median over the rounds of our processor time through that of the bare forwarder.</param>
internal sealed record ProxyCostResult(double DirectMicroseconds, double BareMicroseconds, double EdgeMicroseconds, double Ratio, double BareBytes, double EdgeBytes)
{
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"bare forwarder {BareMicroseconds:0.0} µs and {BareBytes:0} B, edge {EdgeMicroseconds:0.0} µs and {EdgeBytes:0} B per request: ratio {Ratio:0.000} (direct {DirectMicroseconds:0.0} µs)");
}

/// <summary>
/// The cost of a request through the edge, with routing, leases and metrics, against YARP's forwarder with nothing around it. Processor time, not
/// throughput: a busy neighbour changes the one little and the other a lot. Rounds alternate, so that a slow minute hits all alike.
/// </summary>
internal static class ProxyCost
{
    private const int Port = 18978;
    private const int Connections = 8;

    private static readonly byte[] Request = Encoding.ASCII.GetBytes(
        "GET /api/gardens/17/plants?page=2 HTTP/1.1\r\nHost: garden.example\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n"
        + "Accept: application/json\r\nAccept-Language: en-US,en;q=0.5\r\nAccept-Encoding: gzip, deflate, br\r\nReferer: http://garden.example/\r\n"
        + "Cookie: session=0123456789abcdef0123456789abcdef\r\nCache-Control: no-cache\r\n\r\n");

    public static async Task<ProxyCostResult> RunAsync(int requestsPerRound, int rounds)
    {
        await using var backend = Backend();
        await backend.StartAsync();
        await using var bare = BareForwarder();
        await bare.StartAsync();
        var metrics = new EdgeMetrics(Metrics.NewCustomRegistry());
        var router = new TrafficRouter(metrics, TimeProvider.System);
        var options = new EdgeOptions { Http = [new IPEndPoint(IPAddress.Loopback, 0)] };
        await using var edge = new EdgeServer(options, router, metrics, NullLoggerFactory.Instance, TimeProvider.System);
        Publish(router);
        await edge.StartAsync(CancellationToken.None);

        var direct = new IPEndPoint(IPAddress.Loopback, Port);
        var through = new IPEndPoint(IPAddress.Loopback, new Uri(bare.Urls.First()).Port);
        foreach (var address in new[] { direct, through, edge.Addresses[0], through, edge.Addresses[0] })
            await MeasureAsync(address, requestsPerRound);

        var samples = new List<(Sample Direct, Sample Bare, Sample Edge)>();
        for (var round = 0; round < rounds; round++)
        {
            // Who goes first changes from round to round: a neighbour that comes or goes favours nobody.
            var none = await MeasureAsync(direct, requestsPerRound);
            var early = round % 2 == 0 ? through : edge.Addresses[0];
            var first = await MeasureAsync(early, requestsPerRound);
            var second = await MeasureAsync(early == through ? edge.Addresses[0] : through, requestsPerRound);
            samples.Add(early == through ? (none, first, second) : (none, second, first));
        }

        return new ProxyCostResult(
            Median(samples.Select(sample => sample.Direct.Microseconds)),
            Median(samples.Select(sample => sample.Bare.Microseconds - sample.Direct.Microseconds)),
            Median(samples.Select(sample => sample.Edge.Microseconds - sample.Direct.Microseconds)),
            Median(samples.Select(sample => (sample.Edge.Microseconds - sample.Direct.Microseconds) / (sample.Bare.Microseconds - sample.Direct.Microseconds))),
            Median(samples.Select(sample => sample.Bare.Bytes - sample.Direct.Bytes)),
            Median(samples.Select(sample => sample.Edge.Bytes - sample.Direct.Bytes)));
    }

    private static void Publish(TrafficRouter router)
    {
        var upstream = new Upstream(new UpstreamIdentity("garden", "app", "blue", 1), [new ReplicaAddress("a", "127.0.0.1"), new ReplicaAddress("b", "127.0.0.1")], TimeProvider.System);
        var routes = Enumerable.Range(0, 50).Select(i => Route(upstream, $"host{i}.example", "/"));
        router.Publish(new StackRoutes("garden", [.. routes, Route(upstream, "garden.example", "/"), Route(upstream, "garden.example", "/api"), Route(upstream, "*.garden.example", "/")], [], false));

        static Route Route(Upstream upstream, string host, string path) =>
            new() { Stack = "garden", Service = "app", Host = host, Path = path, TargetPort = Port, Upstream = upstream };
    }

    private static async Task<Sample> MeasureAsync(IPEndPoint address, int requests)
    {
        using var process = Process.GetCurrentProcess();
        var bytes = GC.GetTotalAllocatedBytes(precise: true);
        var time = process.TotalProcessorTime;
        await Task.WhenAll(Enumerable.Range(0, Connections).Select(_ => Task.Run(() => RequestAsync(address, requests / Connections))));
        process.Refresh();
        return new Sample((process.TotalProcessorTime - time).TotalMicroseconds / requests, (double)(GC.GetTotalAllocatedBytes(precise: true) - bytes) / requests);
    }

    private static async Task RequestAsync(IPEndPoint address, int count)
    {
        using var client = new TcpClient { NoDelay = true };
        await client.ConnectAsync(address);
        var stream = client.GetStream();
        var buffer = new byte[16 * 1024];
        for (var i = 0; i < count; i++)
        {
            await stream.WriteAsync(Request);
            var read = 0;
            do
            {
                var more = await stream.ReadAsync(buffer.AsMemory(read));
                if (more == 0)
                    throw new IOException("The connection was closed.");
                read += more;
            }
            while (!buffer.AsSpan(0, read).EndsWith("the end"u8));

            if (!buffer.AsSpan().StartsWith("HTTP/1.1 200"u8))
                throw new IOException(Encoding.ASCII.GetString(buffer, 0, read));
        }
    }

    private static WebApplication Backend()
    {
        var body = Encoding.ASCII.GetBytes(new string('x', 1000) + "the end");
        return Application(Port, _ => { }, context =>
        {
            context.Response.ContentLength = body.Length;
            context.Response.ContentType = "application/json";
            return context.Response.Body.WriteAsync(body).AsTask();
        });
    }

    private static WebApplication BareForwarder()
    {
        var client = new HttpMessageInvoker(new SocketsHttpHandler
        {
            UseProxy = false,
            AllowAutoRedirect = false,
            AutomaticDecompression = DecompressionMethods.None,
            UseCookies = false,
            EnableMultipleHttp2Connections = true,
            ActivityHeadersPropagator = new ReverseProxyPropagator(DistributedContextPropagator.Current),
            ConnectTimeout = TimeSpan.FromSeconds(15),
        });
        var config = new ForwarderRequestConfig { ActivityTimeout = TimeSpan.FromSeconds(100), Version = HttpVersion.Version11 };
        IHttpForwarder? forwarder = null;
        var application = Application(0, services => services.AddHttpForwarder(), async context =>
            await (forwarder ?? throw new InvalidOperationException()).SendAsync(context, "http://127.0.0.1:18978", client, config, HttpTransformer.Default));
        forwarder = application.Services.GetRequiredService<IHttpForwarder>();
        return application;
    }

    private static WebApplication Application(int port, Action<IServiceCollection> services, RequestDelegate handle)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelCore().ConfigureKestrel(options => options.Listen(IPAddress.Loopback, port));
        services(builder.Services);
        var application = builder.Build();
        application.Run(handle);
        return application;
    }

    private static double Median(IEnumerable<double> values) => values.Order().ToImmutableArray() is var sorted ? sorted[sorted.Length / 2] : 0;

    private readonly record struct Sample(double Microseconds, double Bytes);
}
