using System.Globalization;
using System.Net;
using Microsoft.AspNetCore.Http;
using Orchestrator.Traffic;
using Orchestrator.Traffic.Requests;

namespace Orchestrator.Tests.Traffic.Requests;

[TestFixture]
public sealed class ForwardedTests
{
    private static readonly AddressSet Loopback = new([IPNetwork.Parse("127.0.0.0/8")]);

    private Backend _blue = null!;

    [SetUp]
    public async Task SetUp() => _blue = await Backend.StartAsync("blue");

    [TearDown]
    public async Task TearDown() => await _blue.DisposeAsync();

    [Test]
    public async Task A_stranger_cannot_choose_the_request_id()
    {
        await using var bed = await EdgeBed.StartAsync();
        bed.Publish(bed.Upstream("blue", _blue));

        var headers = await HeadersAsync(bed, ("X-Request-Id", "mine"));
        Assert.That(headers["X-Request-Id"], Has.Length.EqualTo(32).And.Not.Contains("mine"));
    }

    [Test]
    public async Task What_a_connection_header_names_ends_here_and_nothing_that_the_edge_says_itself()
    {
        await using var bed = await EdgeBed.StartAsync();
        bed.Publish(bed.Upstream("blue", _blue));

        var asked = await bed.RawAsync("GET /headers HTTP/1.1\r\nHost: a\r\nConnection: X-Hop, X-Forwarded-For, Host\r\nX-Hop: 1\r\nX-Kept: 2\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        Assert.That(asked, Does.StartWith("HTTP/1.1 200").And.Contain("X-Kept: 2").And.Contain("X-Forwarded-For: 127.0.0.1").And.Contain("Host: a").And.Not.Contain("X-Hop"));

        var answered = await bed.RawAsync("GET /hop HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        Assert.That(answered, Does.StartWith("HTTP/1.1 200").And.Not.Contain("X-Hop"));
    }

    [Test]
    public async Task A_trusted_proxy_is_believed_and_appended_to()
    {
        await using var bed = await EdgeBed.StartAsync(new EdgeOptions { TrustedProxies = Loopback });
        bed.Publish(bed.Upstream("blue", _blue));

        var headers = await HeadersAsync(bed,
            ("X-Forwarded-For", "203.0.113.7"), ("X-Forwarded-Proto", "https"), ("X-Forwarded-Host", "outside.example"), ("X-Request-Id", "mine"));
        Assert.That(headers["X-Forwarded-For"], Is.EqualTo("203.0.113.7, 127.0.0.1"));
        Assert.That(headers["X-Forwarded-Proto"], Is.EqualTo("https"));
        Assert.That(headers["X-Forwarded-Host"], Is.EqualTo("outside.example"));
        Assert.That(headers["X-Request-Id"], Is.EqualTo("mine"));
    }

    [Test]
    public async Task A_proxy_that_is_not_trusted_is_replaced()
    {
        await using var bed = await EdgeBed.StartAsync(new EdgeOptions { TrustedProxies = new AddressSet([IPNetwork.Parse("10.0.0.0/8")]) });
        bed.Publish(bed.Upstream("blue", _blue));

        var headers = await HeadersAsync(bed, ("X-Forwarded-For", "203.0.113.7"), ("X-Forwarded-Proto", "https"), ("X-Forwarded-Host", "outside.example"));
        Assert.That(headers["X-Forwarded-For"], Is.EqualTo("127.0.0.1"));
        Assert.That(headers["X-Forwarded-Proto"], Is.EqualTo("http"));
        Assert.That(headers["X-Forwarded-Host"], Does.StartWith("127.0.0.1:"));
    }

    [Test]
    public async Task The_application_learns_when_the_request_came()
    {
        await using var bed = await EdgeBed.StartAsync();
        bed.Publish(bed.Upstream("blue", _blue));
        var before = bed.Time.GetUtcNow().ToUnixTimeMilliseconds();

        var start = (await HeadersAsync(bed, ("X-Request-Start", "t=1")))["X-Request-Start"];
        Assert.That(start, Does.StartWith("t="));
        Assert.That(long.Parse(start[2..], CultureInfo.InvariantCulture), Is.InRange(before, bed.Time.GetUtcNow().ToUnixTimeMilliseconds()));
    }

    [TestCase("198.51.100.9", "198.51.100.9", TestName = "one_proxy")]
    [TestCase("6.6.6.6, 198.51.100.9", "198.51.100.9", TestName = "what_stands_left_of_the_client_is_its_own_word")]
    [TestCase("198.51.100.9, 127.0.0.7, 127.0.0.8", "198.51.100.9", TestName = "several_proxies")]
    [TestCase("198.51.100.9:4711", "198.51.100.9", TestName = "with_a_port")]
    [TestCase("[2001:db8::7]:4711", "2001:db8::7", TestName = "IPv6_with_a_port")]
    [TestCase("::ffff:198.51.100.9", "198.51.100.9", TestName = "IPv4_as_IPv6")]
    [TestCase("198.51.100.9, garbage", "127.0.0.1", TestName = "garbage_ends_the_chain")]
    [TestCase("", "127.0.0.1", TestName = "nothing_said")]
    public void The_client_behind_trusted_proxies_is_the_first_stranger_from_the_right(string chain, string client)
    {
        var context = new DefaultHttpContext();
        context.Connection.RemoteIpAddress = IPAddress.Loopback;
        context.Request.Scheme = "http";
        if (chain.Length > 0)
            context.Request.Headers["X-Forwarded-For"] = chain;
        var side = new ClientSide();
        side.Rewrite(context, Loopback, "t=0");

        Assert.That((side.AddressText, side.Address), Is.EqualTo((client, IPAddress.Parse(client))));
    }

    [TestCase("/garden", "/")]
    [TestCase("/garden/", "/")]
    [TestCase("/garden?a=%2F&b", "/?a=%2F&b")]
    [TestCase("/garden/target/a%2Fb?q=%2B+%20", "/target/a%2Fb?q=%2B+%20")]
    [TestCase("/g%61rden/target/x?y=1", "/target/x?y=1")]
    [TestCase("/x/../garden/target/y", "/target/y")]
    public async Task A_stripped_prefix_is_not_seen_by_the_application(string target, string seen)
    {
        await using var bed = await EdgeBed.StartAsync();
        bed.Publish(bed.Upstream("blue", _blue), new RoutePolicy { StripPrefix = true }, "/garden");
        var answer = await bed.RawAsync($"GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");

        Assert.That(answer, Does.StartWith("HTTP/1.1 200").And.Contain($"X-Seen-Target: {seen}\r\n").And.Contain("X-Seen-Prefix: /garden\r\n"));
    }

    [Test]
    public async Task What_only_begins_like_the_prefix_is_another_path()
    {
        await using var bed = await EdgeBed.StartAsync();
        bed.Publish(bed.Upstream("blue", _blue), new RoutePolicy { StripPrefix = true }, "/garden");
        using var answer = await bed.Client.GetAsync("/gardens");

        Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.NotFound));
    }

    private static async Task<Dictionary<string, string>> HeadersAsync(EdgeBed bed, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/headers");
        foreach (var (name, value) in headers)
            request.Headers.TryAddWithoutValidation(name, value);
        using var answer = await bed.Client.SendAsync(request);
        var lines = (await answer.Content.ReadAsStringAsync()).Split('\n');
        return lines.Select(line => line.Split(": ", 2)).ToDictionary(parts => parts[0], parts => parts[1], StringComparer.OrdinalIgnoreCase);
    }
}
