using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.Time.Testing;
using Orchestrator.Traffic;
using Orchestrator.Traffic.Requests;

namespace Orchestrator.Tests.Traffic.Requests;

[TestFixture]
public sealed class LimitTests
{
    private Backend _blue = null!;

    [SetUp]
    public async Task SetUp() => _blue = await Backend.StartAsync("blue");

    [TearDown]
    public async Task TearDown() => await _blue.DisposeAsync();

    [Test]
    public async Task More_requests_than_the_rate_are_429_until_their_time_has_come()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UnixEpoch);
        await using var bed = await EdgeBed.StartAsync(new EdgeOptions(), time, intercept: null);
        bed.Publish(bed.Upstream("blue", _blue), new RoutePolicy { Rate = new RateRule(1, TimeSpan.FromSeconds(10), Burst: 2, ByClient: true) });
        Assert.That(await StatusAsync(bed, "/"), Is.EqualTo(200));
        Assert.That(await StatusAsync(bed, "/"), Is.EqualTo(200));

        using var refused = await bed.Client.GetAsync("/");
        Assert.That(((int)refused.StatusCode, refused.Headers.RetryAfter?.Delta), Is.EqualTo((429, TimeSpan.FromSeconds(10))));
        Assert.That(_blue.Requests, Is.EqualTo(2));

        time.Advance(TimeSpan.FromSeconds(10));
        Assert.That(await StatusAsync(bed, "/"), Is.EqualTo(200));
        Assert.That(await StatusAsync(bed, "/"), Is.EqualTo(429));
        Assert.That(await bed.MetricsTextAsync(), Does.Contain("code=\"4xx\"} 2"));
    }

    [Test]
    public async Task A_swap_forgives_nobody()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UnixEpoch);
        await using var bed = await EdgeBed.StartAsync(new EdgeOptions(), time, intercept: null);
        var policy = new RoutePolicy { Rate = new RateRule(1, TimeSpan.FromSeconds(10), Burst: 1, ByClient: false) };
        bed.Publish(bed.Upstream("blue", _blue), policy);
        Assert.That(await StatusAsync(bed, "/"), Is.EqualTo(200));
        bed.Publish(bed.Upstream("green", _blue), policy with { });

        Assert.That(await StatusAsync(bed, "/"), Is.EqualTo(429));
    }

    [Test]
    public void Clients_are_counted_apart_and_a_network_of_IPv6_as_one()
    {
        var limiter = new RateLimiter(new RateRule(1, TimeSpan.FromHours(1), Burst: 1, ByClient: true), TimeProvider.System);

        Assert.That(limiter.Wait(IPAddress.Parse("198.51.100.1")), Is.Null);
        Assert.That(limiter.Wait(IPAddress.Parse("198.51.100.2")), Is.Null);
        Assert.That(limiter.Wait(IPAddress.Parse("198.51.100.1")), Is.GreaterThan(TimeSpan.FromMinutes(59)));
        Assert.That(limiter.Wait(IPAddress.Parse("2001:db8::1")), Is.Null);
        Assert.That(limiter.Wait(IPAddress.Parse("2001:db8::2")), Is.Not.Null);
        Assert.That(limiter.Wait(IPAddress.Parse("2001:db8:0:1::2")), Is.Null);
    }

    [Test]
    public void A_million_clients_take_no_more_memory_than_the_table()
    {
        var limiter = new RateLimiter(new RateRule(1, TimeSpan.FromHours(1), Burst: 1, ByClient: true), TimeProvider.System);
        var before = GC.GetTotalMemory(forceFullCollection: true);
        for (var i = 0u; i < 1_000_000; i++)
            limiter.Wait(new IPAddress(i));

        Assert.That(GC.GetTotalMemory(forceFullCollection: true) - before, Is.LessThan(2 << 20));
        Assert.That(limiter.Wait(new IPAddress(999_999u)), Is.Not.Null, "the newest are remembered");
    }

    [TestCase(null, 100L)]
    [TestCase(100L, null)]
    [TestCase(50L, 100L)]
    public async Task A_body_above_the_limit_is_413_whether_it_says_its_length_or_not(long? edge, long? route)
    {
        await using var bed = await EdgeBed.StartAsync(new EdgeOptions { Limits = new EdgeLimits { Body = edge } });
        bed.Publish(bed.Upstream("blue", _blue), new RoutePolicy { BodyLimit = route });
        foreach (var (size, status) in new[] { (60, 200), (101, 413) })
        {
            var body = new string('x', size);
            var known = await bed.RawAsync($"POST /api/echo HTTP/1.1\r\nHost: x\r\nContent-Length: {size}\r\nConnection: close\r\n\r\n{body}");
            var chunked = await bed.RawAsync($"POST /api/echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n{size:x}\r\n{body}\r\n0\r\n\r\n");

            Assert.That(known, Does.StartWith($"HTTP/1.1 {status}"), $"{size} with length");
            Assert.That(chunked, Does.StartWith($"HTTP/1.1 {status}"), $"{size} in chunks");
        }
    }

    [Test]
    public async Task A_body_that_is_refused_at_once_is_never_asked_for()
    {
        await using var bed = await EdgeBed.StartAsync();
        bed.Publish(bed.Upstream("blue", _blue), new RoutePolicy { BodyLimit = 10 });
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/echo") { Content = new ByteArrayContent(new byte[11]) };
        request.Headers.ExpectContinue = true;
        using var answer = await bed.Client.SendAsync(request);

        Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.RequestEntityTooLarge));
        Assert.That(_blue.Requests, Is.Zero);
    }

    [Test]
    public async Task Headers_beyond_the_limits_are_431()
    {
        await using var bed = await EdgeBed.StartAsync(new EdgeOptions { Limits = new EdgeLimits { Headers = 4096, HeaderCount = 10 } });
        bed.Publish(bed.Upstream("blue", _blue));
        var many = string.Concat(Enumerable.Range(0, 20).Select(number => $"X-{number}: a\r\n"));

        Assert.That(await bed.RawAsync($"GET / HTTP/1.1\r\nHost: x\r\nX-Big: {new string('a', 5000)}\r\n\r\n"), Does.StartWith("HTTP/1.1 431"));
        Assert.That(await bed.RawAsync($"GET / HTTP/1.1\r\nHost: x\r\n{many}\r\n"), Does.StartWith("HTTP/1.1 431"));
        Assert.That(await bed.RawAsync($"GET / HTTP/1.1\r\nHost: x\r\nX-Big: {new string('a', 3000)}\r\nConnection: close\r\n\r\n"), Does.StartWith("HTTP/1.1 200"));
    }

    [Test]
    public async Task A_client_that_never_ends_its_headers_is_let_go()
    {
        await using var bed = await EdgeBed.StartAsync(new EdgeOptions { Limits = new EdgeLimits { HeaderTimeout = TimeSpan.FromSeconds(1) } });
        bed.Publish(bed.Upstream("blue", _blue));

        Assert.That(await bed.RawAsync("GET / HTTP/1.1\r\nHost: x\r\nX-Slow: "), Does.StartWith("HTTP/1.1 408").Or.Empty);
    }

    [Test]
    public async Task A_client_that_hardly_sends_its_body_is_let_go_and_so_is_its_request_to_the_application()
    {
        await using var bed = await EdgeBed.StartAsync(new EdgeOptions { Limits = new EdgeLimits { MinDataRate = 1000, RateGrace = TimeSpan.FromSeconds(2) } });
        var blue = bed.Upstream("blue", _blue);
        bed.Publish(blue);

        var answer = await bed.RawAsync("POST /api/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\na");

        Assert.That(answer, Does.StartWith("HTTP/1.1 408").Or.Empty);
        Assert.That(() => blue.InFlight, Is.Zero.After(5000, 10), "nothing holds the replica any more");
        Assert.That(await StatusAsync(bed, "/"), Is.EqualTo(200));
    }

    [Test]
    public async Task A_connection_too_many_is_closed_and_the_others_go_on()
    {
        await using var bed = await EdgeBed.StartAsync(new EdgeOptions { Limits = new EdgeLimits { Connections = 1 } });
        bed.Publish(bed.Upstream("blue", _blue));
        Assert.That(await StatusAsync(bed, "/"), Is.EqualTo(200), "the one connection is kept by the client");

        using var second = new TcpClient();
        await second.ConnectAsync(bed.Edge.Addresses[0]);
        Assert.That(await ReadToEndAsync(second), Is.Empty);
        Assert.That(await StatusAsync(bed, "/"), Is.EqualTo(200));
    }

    [Test]
    public async Task An_answer_that_does_not_begin_in_time_is_504()
    {
        await using var bed = await EdgeBed.StartAsync();
        var blue = bed.Upstream("blue", _blue);
        bed.Publish(blue, new RoutePolicy { Timeouts = new PhaseTimeouts(null, TimeSpan.FromMilliseconds(200), null) });
        using var late = await bed.Client.GetAsync("/gate");
        Assert.That(late.StatusCode, Is.EqualTo(HttpStatusCode.GatewayTimeout));
        Assert.That(blue.Traffic.Snapshot().Failed, Is.EqualTo(1));
    }

    [Test]
    public async Task An_answer_that_has_begun_may_take_its_time()
    {
        await using var bed = await EdgeBed.StartAsync();
        bed.Publish(bed.Upstream("blue", _blue), new RoutePolicy { Timeouts = new PhaseTimeouts(null, TimeSpan.FromMilliseconds(300), null) });

        // Ten ticks, 100 ms apart.
        Assert.That((await bed.Client.GetStringAsync("/api/ticks")).Split("tick"), Has.Length.EqualTo(11));
    }

    [Test]
    public async Task A_slow_upload_is_not_the_applications_delay()
    {
        await using var bed = await EdgeBed.StartAsync();
        bed.Publish(bed.Upstream("blue", _blue), new RoutePolicy { Timeouts = new PhaseTimeouts(null, TimeSpan.FromMilliseconds(500), null) });
        using var answer = await bed.Client.PostAsync("/api/echo", new SlowContent(parts: 8, TimeSpan.FromMilliseconds(150)));

        Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.OK));
    }

    [Test]
    public async Task A_stream_that_is_idle_for_too_long_ends()
    {
        await using var bed = await EdgeBed.StartAsync();
        bed.Publish(bed.Upstream("blue", _blue), new RoutePolicy { Timeouts = new PhaseTimeouts(null, null, TimeSpan.FromMilliseconds(200)) });

        Assert.That(async () => await bed.Client.GetStringAsync("/api/events"), Throws.InstanceOf<HttpRequestException>());
    }

    private static async Task<int> StatusAsync(EdgeBed bed, string path)
    {
        using var answer = await bed.Client.GetAsync(path);
        return (int)answer.StatusCode;
    }

    private static async Task<string> ReadToEndAsync(TcpClient client)
    {
        using var reader = new StreamReader(client.GetStream(), Encoding.Latin1);
        return await reader.ReadToEndAsync();
    }

    /// <summary>A body that comes in parts: the pause is what is tested, nothing is waited for.</summary>
    private sealed class SlowContent(int parts, TimeSpan pause) : HttpContent
    {
        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            for (var i = 0; i < parts; i++)
            {
                await stream.WriteAsync(new byte[10]);
                await stream.FlushAsync();
                await Task.Delay(pause, TimeProvider.System);
            }
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
