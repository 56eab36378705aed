using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Orchestrator.Traffic;

namespace Orchestrator.Tests.Traffic;

[TestFixture]
public sealed class EdgeTests
{
    private EdgeBed _bed = null!;
    private Backend _blue = null!;
    private Backend _green = null!;

    [SetUp]
    public async Task SetUp()
    {
        _blue = await Backend.StartAsync("blue");
        _green = await Backend.StartAsync("green");
        _bed = await EdgeBed.StartAsync();
    }

    [TearDown]
    public async Task TearDown()
    {
        await _bed.DisposeAsync();
        await _blue.DisposeAsync();
        await _green.DisposeAsync();
    }

    [Test]
    public async Task Requests_go_where_the_table_says_and_move_with_it()
    {
        _bed.Publish(_bed.Upstream("blue", _blue));
        Assert.That(await _bed.Client.GetStringAsync("/"), Is.EqualTo("blue"));

        _bed.Publish(_bed.Upstream("green", _green));
        Assert.That(await _bed.Client.GetStringAsync("/"), Is.EqualTo("green"));
    }

    [Test]
    public async Task A_connection_of_a_client_outlives_a_swap_and_the_drain_of_what_answered_on_it()
    {
        var blue = _bed.Upstream("blue", _blue);
        _bed.Publish(blue);
        var connections = 0;
        using var handler = new SocketsHttpHandler
        {
            ConnectCallback = async (context, token) =>
            {
                Interlocked.Increment(ref connections);
                var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
                await socket.ConnectAsync(context.DnsEndPoint, token);
                return new NetworkStream(socket, ownsSocket: true);
            },
        };
        using var client = new HttpClient(handler) { BaseAddress = _bed.Address };
        Assert.That(await client.GetStringAsync("/"), Is.EqualTo("blue"));

        _bed.Publish(_bed.Upstream("green", _green));
        await blue.DrainAsync(EdgeBed.Patient, CancellationToken.None);

        Assert.That(await client.GetStringAsync("/"), Is.EqualTo("green"));
        Assert.That(connections, Is.EqualTo(1));
    }

    [Test]
    public async Task Swaps_under_clients_lose_nothing()
    {
        const int swaps = 20_000;
        var backends = new[] { _blue, _green };
        var current = _bed.Upstream("blue", _blue);
        _bed.Publish(current);
        using var done = new CancellationTokenSource();
        var clients = Enumerable.Range(0, 2).Select(_ => Task.Run(() => RequestUntilAsync(done.Token))).ToList();

        var drains = new List<Task<DrainReport>>();
        for (var i = 1; i <= swaps || _blue.Requests + _green.Requests < 1000; i++)
        {
            var next = _bed.Upstream(i % 2 == 0 ? "blue" : "green", backends[i % 2]);
            _bed.Publish(next);
            drains.Add(current.DrainAsync(EdgeBed.Patient, CancellationToken.None));
            current = next;
            await Task.Yield();
        }

        var reports = await Task.WhenAll(drains);
        await done.CancelAsync();
        var counts = await Task.WhenAll(clients);
        await current.DrainAsync(EdgeBed.Patient, CancellationToken.None);

        TestContext.Out.WriteLine($"{drains.Count} swaps, {counts.Sum()} requests");
        Assert.That(reports.Sum(report => report.HttpAborted), Is.Zero);
        Assert.That(_blue.Requests + _green.Requests, Is.EqualTo(counts.Sum()));
    }

    [Test]
    public async Task An_unknown_host_is_told_so()
    {
        _bed.Router.Publish(new StackRoutes("garden", [EdgeBed.RouteTo(_bed.Upstream("blue", _blue)) with { Host = "garden.example" }], [], false));
        using var answer = await _bed.Client.GetAsync("/");

        Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.NotFound));
        Assert.That(await answer.Content.ReadAsStringAsync(), Does.StartWith("No route for the host '127.0.0.1"));
        Assert.That(await _bed.MetricsTextAsync(), Does.Contain("basmalin_edge_unrouted_total 1"));
    }

    [Test]
    public async Task Maintenance_is_503_with_a_time_to_come_back()
    {
        _bed.Publish(_bed.Upstream("blue", _blue), maintenance: true, []);
        using var answer = await _bed.Client.GetAsync("/");

        Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.ServiceUnavailable));
        Assert.That(answer.Headers.RetryAfter?.Delta, Is.EqualTo(TimeSpan.FromSeconds(5)));
        Assert.That(await answer.Content.ReadAsStringAsync(), Does.Contain("Back soon"));
        Assert.That(_blue.Requests, Is.Zero);
    }

    [Test]
    public async Task A_preview_token_leads_to_the_candidate_and_does_not_reach_it()
    {
        var candidate = _bed.Upstream("green", _green);
        _bed.Publish(_bed.Upstream("blue", _blue), maintenance: true, [new Preview("let-me-in", Backend.Port, candidate)]);
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri($"http://{_bed.Edge.Loopback}/headers"));
        request.Headers.Add(Preview.Header, "let-me-in");
        using var answer = await _bed.Client.SendAsync(request);

        Assert.That(answer.Headers.GetValues("X-Garden-Version").Single(), Is.EqualTo("green"));
        Assert.That(await answer.Content.ReadAsStringAsync(), Does.Not.Contain(Preview.Header).IgnoreCase);
        Assert.That(candidate.Traffic.Snapshot().Total, Is.Zero, "the smoke test is no user");
    }

    [TestCase("wrong")]
    [TestCase("")]
    public async Task An_unknown_preview_token_never_leads_to_the_live_service(string token)
    {
        _bed.Publish(_bed.Upstream("blue", _blue));
        using var request = new HttpRequestMessage(HttpMethod.Get, "/");
        request.Headers.Add(Preview.Header, token);
        using var answer = await _bed.Client.SendAsync(request);

        Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.NotFound));
        Assert.That(_blue.Requests, Is.Zero);
    }

    [Test]
    public async Task What_a_client_says_about_itself_is_replaced_by_what_the_proxy_sees()
    {
        _bed.Publish(_bed.Upstream("blue", _blue));
        using var request = new HttpRequestMessage(HttpMethod.Get, "/headers");
        request.Headers.Host = "garden.example:8080";
        request.Headers.Add("X-Forwarded-For", "6.6.6.6");
        request.Headers.Add("X-Forwarded-Proto", "https");
        request.Headers.Add("X-Forwarded-Host", "evil.example");
        request.Headers.Add("X-Real-IP", "6.6.6.6");
        request.Headers.Add("Forwarded", "for=6.6.6.6");
        request.Headers.Add("X-Forwarded-Prefix", "/evil");
        using var answer = await _bed.Client.SendAsync(request);
        var headers = (await answer.Content.ReadAsStringAsync()).Split('\n');

        Assert.That(headers, Does.Contain("X-Forwarded-For: 127.0.0.1"));
        Assert.That(headers, Does.Contain("X-Forwarded-Proto: http"));
        Assert.That(headers, Does.Contain("X-Forwarded-Host: garden.example:8080"));
        Assert.That(headers, Does.Contain("Host: garden.example:8080"));
        Assert.That(headers.Count(line => line.StartsWith("X-Request-Id: ", StringComparison.OrdinalIgnoreCase) && line.Length == 46), Is.EqualTo(1));
        Assert.That(headers.Where(line => line.Contains("6.6.6.6", StringComparison.Ordinal) || line.Contains("evil", StringComparison.Ordinal)), Is.Empty);
    }

    [TestCase("/target/a%2Fb/%252F?q=%2B+%20")]
    [TestCase("/target/@scope%2fpkg;v=1:2")]
    [TestCase("/target//double//")]
    [TestCase("/target/%C3%A4?x=%E4")]
    [TestCase("/target/%41%7e[]|^")]
    public async Task A_target_reaches_the_application_byte_for_byte(string target)
    {
        _bed.Publish(_bed.Upstream("blue", _blue));

        Assert.That(await RawAsync($"GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"), Does.Contain("\n" + target));
    }

    [Test]
    public async Task Dot_segments_are_resolved_before_a_route_is_chosen()
    {
        var green = EdgeBed.RouteTo(_bed.Upstream("green", _green)) with { Path = "/target/private" };
        _bed.Router.Publish(new StackRoutes("garden", [EdgeBed.RouteTo(_bed.Upstream("blue", _blue)), green], [], false));

        Assert.That(await RawAsync("GET /x/%2e%2e/target/private/y HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
            Does.Contain("X-Garden-Version: green").And.Contain("\n/target/private/y"));
    }

    [Test]
    public async Task Bodies_of_all_sizes_survive_the_way_there_and_back()
    {
        _bed.Publish(_bed.Upstream("blue", _blue));
        foreach (var size in new[] { 0, 1, 4096, 100_000, 40_000_000 })
        {
            var body = RandomNumberGenerator.GetBytes(size);
            using var answer = await _bed.Client.PostAsync("/api/echo", new ByteArrayContent(body));
            Assert.That(await answer.Content.ReadAsStringAsync(), Does.Contain(Convert.ToHexStringLower(SHA256.HashData(body))), $"{size} bytes there");
            Assert.That((await _bed.Client.GetByteArrayAsync($"/bytes/{size}")).AsSpan().SequenceEqual(Backend.Bytes(size)), Is.True, $"{size} bytes back");
        }
    }

    [Test]
    public async Task Header_values_beyond_ASCII_pass_unchanged()
    {
        _bed.Publish(_bed.Upstream("blue", _blue));
        var answer = await RawAsync("GET /headers HTTP/1.1\r\nHost: x\r\nX-Name: M\u00e4rz\r\nConnection: close\r\n\r\n");

        // The application reads headers as UTF-8 and would refuse a lone Latin-1 byte; that it did is the proof that the byte came through.
        Assert.That(answer, Does.StartWith("HTTP/1.1 400"));
    }

    [Test]
    public async Task An_event_arrives_while_the_stream_is_still_open()
    {
        _bed.Publish(_bed.Upstream("blue", _blue));
        await using var stream = await _bed.Client.GetStreamAsync("/api/events");
        using var reader = new StreamReader(stream);

        Assert.That(await reader.ReadLineAsync(), Is.EqualTo("data: blue"));
        _blue.Gate.SetResult();
        Assert.That(await reader.ReadToEndAsync(), Is.EqualTo("\ndata: last\n\n"));
    }

    [Test]
    public async Task An_event_stream_keeps_its_lease_through_a_swap()
    {
        var blue = _bed.Upstream("blue", _blue);
        _bed.Publish(blue);
        await using var stream = await _bed.Client.GetStreamAsync("/api/events");
        using var reader = new StreamReader(stream);
        await reader.ReadLineAsync();
        _bed.Publish(_bed.Upstream("green", _green));
        var drained = blue.DrainAsync(EdgeBed.Patient, CancellationToken.None);

        Assert.That(await _bed.Client.GetStringAsync("/"), Is.EqualTo("green"));
        Assert.That((drained.IsCompleted, blue.InFlight), Is.EqualTo((false, 1)));
        _blue.Gate.SetResult();
        Assert.That(await reader.ReadToEndAsync(), Does.EndWith("last\n\n"));
        Assert.That((await drained).HttpCompleted, Is.EqualTo(1));
    }

    [Test]
    public async Task What_a_drain_cuts_off_is_answered_504()
    {
        var blue = _bed.Upstream("blue", _blue);
        _bed.Publish(blue);
        var slow = _bed.Client.GetAsync("/gate");
        await _blue.Arrived.Task;
        var report = await blue.DrainAsync(new DrainBudget(TimeSpan.FromMilliseconds(50), TimeSpan.Zero), CancellationToken.None);

        using var answer = await slow;
        Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.GatewayTimeout));
        Assert.That((report.HttpCompleted, report.HttpAborted), Is.EqualTo((0, 1)));
        Assert.That(blue.Traffic.Snapshot().Failed, Is.EqualTo(1));
    }

    [Test]
    public async Task Failures_are_what_the_application_does_wrong()
    {
        var blue = _bed.Upstream("blue", _blue);
        _bed.Publish(blue);
        (await _bed.Client.GetAsync("/status/200")).Dispose();
        (await _bed.Client.GetAsync("/status/404")).Dispose();
        Assert.That(blue.Traffic.Snapshot() is { Total: 2, Failed: 0 }, Is.True);

        (await _bed.Client.GetAsync("/status/500")).Dispose();
        Assert.That(async () => await _bed.Client.GetStringAsync("/cut-in-the-middle"), Throws.InstanceOf<HttpRequestException>());
        using var cut = await _bed.Client.PostAsync("/cut", null);
        Assert.That(blue.Traffic.Snapshot() is { Total: 5, Failed: 2 }, Is.True, "405 of /cut is an answer");
    }

    [Test]
    public async Task A_request_that_kills_its_replica_is_repeated_only_once()
    {
        var blue = _bed.Upstream("blue", _blue);
        _bed.Publish(blue);
        using var answer = await _bed.Client.GetAsync("/cut");

        Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.BadGateway));
        Assert.That(_blue.Requests, Is.EqualTo(2));
        Assert.That(blue.Traffic.Snapshot() is { Total: 1, Failed: 1 }, Is.True);
    }

    [Test]
    public async Task A_client_that_leaves_is_no_failure()
    {
        var blue = _bed.Upstream("blue", _blue);
        _bed.Publish(blue);
        using var leaving = new CancellationTokenSource();
        var slow = _bed.Client.GetAsync("/gate", leaving.Token);
        await _blue.Arrived.Task;
        await leaving.CancelAsync();
        Assert.That(async () => await slow, Throws.InstanceOf<OperationCanceledException>());
        await blue.DrainAsync(EdgeBed.Patient, CancellationToken.None);

        Assert.That(blue.Traffic.Snapshot() is { Total: 1, Failed: 0 }, Is.True);
        Assert.That(await _bed.MetricsTextAsync(), Does.Contain("code=\"499\"} 1"));
    }

    [Test]
    public async Task Metrics_tell_stack_service_colour_and_code_and_end_with_the_service()
    {
        _bed.Publish(_bed.Upstream("blue", _blue));
        await _bed.Client.GetStringAsync("/");
        _bed.Publish(_bed.Upstream("green", _green));
        (await _bed.Client.GetAsync("/status/503")).Dispose();

        var text = await _bed.MetricsTextAsync();
        Assert.That(text, Does.Contain("basmalin_edge_requests_total{stack=\"garden\",service=\"app\",colour=\"blue\",code=\"2xx\"} 1"));
        Assert.That(text, Does.Contain("basmalin_edge_requests_total{stack=\"garden\",service=\"app\",colour=\"green\",code=\"5xx\"} 1"));
        Assert.That(text, Does.Contain("basmalin_edge_request_duration_seconds_count{stack=\"garden\",service=\"app\",colour=\"blue\"} 1"));
        Assert.That(text, Does.Contain("basmalin_edge_requests_in_flight{stack=\"garden\",service=\"app\",colour=\"blue\"} 0"));

        _bed.Router.Remove("garden");
        Assert.That(await _bed.MetricsTextAsync(), Does.Not.Contain("garden"));
    }

    [Test]
    public async Task A_colour_tells_the_release_that_it_runs_and_no_older_one()
    {
        foreach (var release in new[] { 1, 2, 3 })
            _bed.Publish(new Upstream(new UpstreamIdentity("garden", "app", release % 2 == 0 ? "green" : "blue", release), [_blue.Address], _bed.Time));

        var lines = (await _bed.MetricsTextAsync()).Split('\n').Where(line => line.StartsWith("basmalin_edge_release_info{", StringComparison.Ordinal));
        Assert.That(lines, Is.EquivalentTo(new[]
        {
            "basmalin_edge_release_info{stack=\"garden\",service=\"app\",colour=\"blue\",release=\"3\"} 1",
            "basmalin_edge_release_info{stack=\"garden\",service=\"app\",colour=\"green\",release=\"2\"} 1",
        }));

        _bed.Router.Remove("garden");
        Assert.That(await _bed.MetricsTextAsync(), Does.Not.Contain("garden"));
    }

    [Test]
    public async Task A_hook_on_the_main_listener_is_offered_to_the_interceptor_first()
    {
        var seen = new List<string>();
        await using var bed = await EdgeBed.StartAsync(new EdgeOptions(), TimeProvider.System, context =>
        {
            seen.Add(context.Request.Path);
            context.Response.StatusCode = 202;
            return ValueTask.FromResult(context.Request.Path == "/hooks/garden");
        });
        using var taken = await bed.Client.PostAsync("/hooks/garden", null);
        using var left = await bed.Client.PostAsync("/hooks/garden/deeper", null);
        using var other = await bed.Client.GetAsync("/hooks/garden");

        Assert.That((int)taken.StatusCode, Is.EqualTo(202));
        Assert.That(new[] { left.StatusCode, other.StatusCode }, Is.All.EqualTo(HttpStatusCode.NotFound));
        Assert.That(seen, Is.EqualTo(new[] { "/hooks/garden" }));
    }

    private async Task<int> RequestUntilAsync(CancellationToken cancellationToken)
    {
        using var client = new HttpClient { BaseAddress = _bed.Address };
        var count = 0;
        while (!cancellationToken.IsCancellationRequested)
        {
            using var answer = await client.GetAsync("/", CancellationToken.None);
            Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.OK));
            count++;
        }

        return count;
    }

    private async Task<string> RawAsync(string request)
    {
        using var socket = new TcpClient();
        await socket.ConnectAsync(_bed.Edge.Addresses[0]);
        await socket.GetStream().WriteAsync(Encoding.Latin1.GetBytes(request));
        using var reader = new StreamReader(socket.GetStream(), Encoding.Latin1);
        return await reader.ReadToEndAsync();
    }
}
