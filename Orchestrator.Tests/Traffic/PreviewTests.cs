using System.Net;
using System.Net.Http.Headers;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Time.Testing;
using Orchestrator.Traffic;
using Orchestrator.Traffic.Previews;
using Orchestrator.Traffic.Requests;
using Orchestrator.Traffic.Tls;

namespace Orchestrator.Tests.Traffic;

/// <summary>Colours chosen by header, and the host where people look at what is not released.</summary>
[TestFixture]
public sealed class PreviewTests
{
    private const string Key = "9f8e7d6c5b4a39281706f5e4d3c2b1a0";
    private const string PreviewHost = "preview.garden.example";

    private readonly HttpClient _client = new(new SocketsHttpHandler { UseCookies = false, AllowAutoRedirect = false });
    private readonly FakeTimeProvider _time = new(TimeProvider.System.GetUtcNow());
    private EdgeBed _bed = null!;
    private Backend _live = null!;
    private Backend _candidate = null!;
    private Backend _warm = null!;

    [SetUp]
    public async Task SetUp()
    {
        _live = await Backend.StartAsync("live");
        _candidate = await Backend.StartAsync("candidate");
        _warm = await Backend.StartAsync("warm");
        _bed = await EdgeBed.StartAsync(new EdgeOptions { TrustedProxies = new AddressSet([IPNetwork.Parse("127.0.0.0/8")]) }, _time, intercept: null);
    }

    [TearDown]
    public async Task TearDown()
    {
        await _bed.DisposeAsync();
        await _live.DisposeAsync();
        await _candidate.DisposeAsync();
        await _warm.DisposeAsync();
    }

    [OneTimeTearDown]
    public void DisposeClient() => _client.Dispose();

    [TestCase("candidate", "candidate", "green")]
    [TestCase("Candidate", "candidate", "green")]
    [TestCase("green", "candidate", "green")]
    [TestCase("live", "live", "blue")]
    [TestCase("BLUE", "live", "blue")]
    public async Task The_header_leads_to_the_colour_that_it_names(string colour, string version, string said)
    {
        Publish(SideRole.Candidate);

        using var answer = await AskAsync("garden.example", colour, Key);

        Assert.Multiple(async () =>
        {
            Assert.That(await answer.Content.ReadAsStringAsync(), Is.EqualTo(version));
            Assert.That(answer.Headers.GetValues("X-BasMalin-Colour").Single(), Is.EqualTo(said));
            Assert.That(answer.Headers.GetValues("X-BasMalin-Release").Single(), Is.EqualTo("1"));
        });
    }

    [Test]
    public async Task It_holds_against_the_draw_of_a_canary_and_for_the_warm_colour()
    {
        Publish(SideRole.Warm, canary: 1);

        using var live = await AskAsync("garden.example", "live", Key);
        using var warm = await AskAsync("garden.example", "warm", Key);
        using var drawn = await AskAsync("garden.example", null, null);

        Assert.That(await live.Content.ReadAsStringAsync(), Is.EqualTo("live"));
        Assert.That(await warm.Content.ReadAsStringAsync(), Is.EqualTo("warm"));
        Assert.That(await drawn.Content.ReadAsStringAsync(), Is.EqualTo("candidate"));
        Assert.That(drawn.Headers.Contains("X-BasMalin-Colour"), Is.False);
    }

    [TestCase(null)]
    [TestCase("")]
    [TestCase("9f8e7d6c5b4a39281706f5e4d3c2b1a1")]
    public async Task Without_the_key_no_colour_is_had_and_none_is_given_instead(string? key)
    {
        Publish(SideRole.Candidate);

        using var answer = await AskAsync("garden.example", "candidate", key);

        Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.Forbidden));
        Assert.That(_live.Requests + _candidate.Requests, Is.Zero);
        Assert.That(await _bed.MetricsTextAsync(), Does.Contain("basmalin_edge_previews_refused_total 1"));
    }

    [Test]
    public async Task Where_nobody_may_choose_the_answer_is_the_same()
    {
        _bed.Publish(_bed.Upstream("blue", _live));

        using var answer = await AskAsync("garden.example", "live", Key);

        Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.Forbidden));
        Assert.That(await answer.Content.ReadAsStringAsync(), Is.EqualTo("The version that answers cannot be chosen here, or not by you.\n"));
        Assert.That(_live.Requests, Is.Zero);
    }

    [TestCase("warm", HttpStatusCode.NotFound, "There is no warm version at the moment; release 1 (blue) is live.\n")]
    [TestCase("red", HttpStatusCode.BadRequest, "X-BasMalin-Colour is one of live, candidate, warm, blue and green.\n")]
    [TestCase("live, green", HttpStatusCode.BadRequest, "X-BasMalin-Colour is one of live, candidate, warm, blue and green.\n")]
    public async Task A_colour_that_is_not_there_is_said_not_to_be_there(string colour, HttpStatusCode status, string text)
    {
        Publish(SideRole.Candidate);

        using var answer = await AskAsync("garden.example", colour, Key);

        Assert.That(answer.StatusCode, Is.EqualTo(status));
        Assert.That(await answer.Content.ReadAsStringAsync(), Is.EqualTo(text));
        Assert.That(_live.Requests + _candidate.Requests, Is.Zero);
    }

    [Test]
    public async Task Allowed_clients_need_no_key_and_others_cannot_say_that_they_are_such()
    {
        Publish(SideRole.Candidate, allow: "192.0.2.0/24");

        using var allowed = await AskAsync("garden.example", "candidate", null, ("X-Forwarded-For", "192.0.2.7"));
        using var other = await AskAsync("garden.example", "candidate", null, ("X-Forwarded-For", "192.0.2.7, 198.51.100.1"));

        Assert.That(await allowed.Content.ReadAsStringAsync(), Is.EqualTo("candidate"));
        Assert.That(other.StatusCode, Is.EqualTo(HttpStatusCode.Forbidden));
    }

    [Test]
    public async Task What_is_meant_for_the_proxy_does_not_reach_the_application()
    {
        Publish(SideRole.Candidate);

        using var answer = await AskAsync("garden.example", "candidate", Key, ("X-Other", "stays"), path: "/headers");
        var seen = await answer.Content.ReadAsStringAsync();

        Assert.That(seen, Does.Contain("X-Other"));
        Assert.That(seen, Does.Not.Contain("X-BasMalin").And.Not.Contain(Key));
        using var plain = await AskAsync("garden.example", null, Key, path: "/headers");
        Assert.That(await plain.Content.ReadAsStringAsync(), Does.Not.Contain(Key));
    }

    [Test]
    public async Task A_preview_host_asks_for_the_key_and_then_leads_to_the_candidate()
    {
        Publish(SideRole.Candidate);

        using var unknown = await AskAsync(PreviewHost, null, null);
        using var wrong = await AskAsync(PreviewHost, null, null, ("Authorization", Basic("anna", "wrong")));
        using var known = await AskAsync(PreviewHost, null, null, ("Authorization", Basic("anna", Key)), path: "/headers");
        var seen = await known.Content.ReadAsStringAsync();
        var cookie = known.Headers.GetValues("Set-Cookie").Single();
        using var again = await AskAsync(PreviewHost, null, null, ("Cookie", cookie.Split(';')[0]));
        using var live = await AskAsync(PreviewHost, "live", null, ("Cookie", cookie.Split(';')[0]));

        Assert.Multiple(async () =>
        {
            Assert.That(unknown.StatusCode, Is.EqualTo(HttpStatusCode.Unauthorized));
            Assert.That(unknown.Headers.WwwAuthenticate.Single().ToString(), Is.EqualTo("Basic realm=\"preview\", charset=\"UTF-8\""));
            Assert.That(wrong.StatusCode, Is.EqualTo(HttpStatusCode.Unauthorized));
            Assert.That(known.Headers.GetValues("X-BasMalin-Colour").Single(), Is.EqualTo("green"));
            Assert.That(seen, Does.Not.Contain("Authorization"), "the key is not the application's");
            Assert.That(cookie, Does.Match("^basmalin-preview=\\d+\\.[0-9a-f]{64}; Path=/; Max-Age=43200; HttpOnly; SameSite=Lax$"));
            Assert.That(await again.Content.ReadAsStringAsync(), Is.EqualTo("candidate"));
            Assert.That(await live.Content.ReadAsStringAsync(), Is.EqualTo("live"));
            Assert.That(_live.Requests, Is.EqualTo(1));
        });
    }

    [Test]
    public async Task The_cookie_ends_and_is_worth_nothing_forged_or_at_another_key()
    {
        Publish(SideRole.Candidate);
        using var known = await AskAsync(PreviewHost, null, null, ("Authorization", Basic("", Key)));
        var cookie = known.Headers.GetValues("Set-Cookie").Single().Split(';')[0];
        var (end, proof) = (cookie[17..cookie.IndexOf('.', StringComparison.Ordinal)], cookie[(cookie.IndexOf('.', StringComparison.Ordinal) + 1)..]);

        using var longer = await AskAsync(PreviewHost, null, null, ("Cookie", $"basmalin-preview={long.Parse(end) + 1}.{proof}"));
        using var odd = await AskAsync(PreviewHost, null, null, ("Cookie", $"basmalin-preview={end}.zz"));
        Publish(SideRole.Candidate, key: "another key of nobody");
        using var rotated = await AskAsync(PreviewHost, null, null, ("Cookie", cookie));
        Publish(SideRole.Candidate);
        using var still = await AskAsync(PreviewHost, null, null, ("Cookie", cookie));
        _time.Advance(TimeSpan.FromHours(13));
        using var over = await AskAsync(PreviewHost, null, null, ("Cookie", cookie));

        Assert.That(still.StatusCode, Is.EqualTo(HttpStatusCode.OK));
        Assert.That(new[] { longer, odd, rotated, over }.Select(answer => answer.StatusCode), Is.All.EqualTo(HttpStatusCode.Unauthorized));
    }

    [Test]
    public async Task Without_a_candidate_a_preview_host_says_so()
    {
        Publish(null);

        using var answer = await AskAsync(PreviewHost, null, Key);

        Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.NotFound));
        Assert.That(await answer.Content.ReadAsStringAsync(), Is.EqualTo("There is no candidate version at the moment; release 1 (blue) is live.\n"));
        Assert.That(_live.Requests, Is.Zero);
    }

    [Test]
    public async Task What_a_release_does_not_change_is_live_in_its_preview()
    {
        var (blue, green) = (_bed.Upstream("blue", _live), _bed.Upstream("green", _candidate));
        _bed.Router.Publish(new StackRoutes("garden", [Routed(blue, ownHost: true, Key, null) with { Service = "api" }], [], false)
        {
            Sides = [new SideColour("app", green, Backend.Port, SideRole.Candidate)],
        });

        using var answer = await AskAsync(PreviewHost, null, Key);

        Assert.That(await answer.Content.ReadAsStringAsync(), Is.EqualTo("live"));
        Assert.That(answer.Headers.GetValues("X-BasMalin-Colour").Single(), Is.EqualTo("blue"));
    }

    [Test]
    public async Task Who_chooses_is_no_user_in_the_numbers_and_passes_a_maintenance()
    {
        var green = Publish(SideRole.Candidate, maintenance: true);

        using var closed = await AskAsync("garden.example", null, null);
        using var answer = await AskAsync("garden.example", "candidate", Key, path: "/status/500");

        Assert.That(closed.StatusCode, Is.EqualTo(HttpStatusCode.ServiceUnavailable));
        Assert.That(_candidate.Requests, Is.EqualTo(1));
        Assert.That(green.Traffic.Snapshot().Total, Is.Zero);
        Assert.That(await _bed.MetricsTextAsync(), Does.Not.Contain("basmalin_edge_requests_total{stack=\"garden\",service=\"app\",colour=\"green\""));
    }

    [Test]
    public async Task Held_for_its_colour_a_request_is_told_when_that_goes()
    {
        var green = Publish(SideRole.Candidate);
        green.SetAvailable(_candidate.Address.Key, false);

        var held = AskAsync(PreviewHost, null, null, ("Authorization", Basic("", Key)));
        await _bed.HeldAsync(1);
        Publish(null);
        using var answer = await held;

        Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.NotFound));
        Assert.That(_live.Requests, Is.Zero);
    }

    [Test]
    public async Task Held_for_its_colour_a_request_gets_it_when_it_comes_though_its_key_was_taken_off()
    {
        var green = Publish(SideRole.Candidate);
        green.SetAvailable(_candidate.Address.Key, false);

        var held = AskAsync(PreviewHost, null, null, ("Authorization", Basic("", Key)));
        await _bed.HeldAsync(1);
        green.SetAvailable(_candidate.Address.Key, true);
        using var answer = await held;

        Assert.That(await answer.Content.ReadAsStringAsync(), Is.EqualTo("candidate"));
    }

    [Test]
    public async Task A_WebSocket_reaches_the_colour_that_it_asks_for_and_none_without_the_key()
    {
        Publish(SideRole.Candidate);
        using var chosen = Socket("candidate", Key);
        using var preview = Socket(null, Key);
        preview.Options.SetRequestHeader("Host", PreviewHost);
        using var refused = Socket("candidate", null);
        var address = new Uri($"ws://{_bed.Edge.Addresses[0]}/api/ws");

        await chosen.ConnectAsync(address, CancellationToken.None);
        await preview.ConnectAsync(address, CancellationToken.None);
        await EchoAsync(chosen);
        await EchoAsync(preview);

        Assert.That(async () => await refused.ConnectAsync(address, CancellationToken.None), Throws.InstanceOf<WebSocketException>().With.Message.Contains("403"));
        Assert.That((_candidate.Requests, _live.Requests), Is.EqualTo((2, 0)));
    }

    [Test]
    public async Task On_a_published_port_a_colour_is_chosen_as_on_the_hosts_of_the_route()
    {
        var endpoint = PublishedPortTests.FreeEndpoint();
        var (blue, green) = (_bed.Upstream("blue", _live), _bed.Upstream("green", _candidate));
        _bed.Router.Publish(new StackRoutes("garden", [Routed(blue, ownHost: false, Key, null) with { Host = null, Listener = endpoint }], [], false)
        {
            Sides = [new SideColour("app", green, Backend.Port, SideRole.Candidate)],
        });
        await _bed.Edge.SetPublishedAsync("garden", [endpoint], CancellationToken.None);

        using var chosen = await AskAsync(endpoint.ToString(), "candidate", Key, at: new Uri($"http://{endpoint}/"));
        using var usual = await AskAsync(endpoint.ToString(), null, null, at: new Uri($"http://{endpoint}/"));
        using var refused = await AskAsync(endpoint.ToString(), "candidate", "guess", at: new Uri($"http://{endpoint}/"));

        Assert.That(await chosen.Content.ReadAsStringAsync(), Is.EqualTo("candidate"));
        Assert.That(await usual.Content.ReadAsStringAsync(), Is.EqualTo("live"));
        Assert.That(refused.StatusCode, Is.EqualTo(HttpStatusCode.Forbidden));
    }

    private static ClientWebSocket Socket(string? colour, string? key)
    {
        var socket = new ClientWebSocket();
        socket.Options.SetRequestHeader("Host", "garden.example");
        if (colour is not null)
            socket.Options.SetRequestHeader("X-BasMalin-Colour", colour);
        if (key is not null)
            socket.Options.SetRequestHeader("X-BasMalin-Key", key);
        return socket;
    }

    private static async Task EchoAsync(ClientWebSocket socket)
    {
        await socket.SendAsync("hello"u8.ToArray(), WebSocketMessageType.Text, endOfMessage: true, CancellationToken.None);
        var buffer = new byte[16];
        var read = await socket.ReceiveAsync(buffer, CancellationToken.None);
        Assert.That(Encoding.UTF8.GetString(buffer, 0, read.Count), Is.EqualTo("hello"));
    }

    private Upstream Publish(SideRole? role, double? canary = null, string? allow = null, string key = Key, bool maintenance = false)
    {
        var (blue, green) = (_bed.Upstream("blue", _live), _bed.Upstream("green", role is SideRole.Warm ? _warm : _candidate));
        var share = canary is { } some ? new Canary(_bed.Upstream("green", _candidate), Backend.Port, some, CanaryDraw.Request) : null;
        _bed.Router.Publish(new StackRoutes("garden", [Routed(blue, false, key, allow) with { Canary = share }, Routed(blue, true, key, allow)], [], maintenance)
        {
            Sides = role is { } there ? [new SideColour("app", green, Backend.Port, there)] : [],
        });
        return green;
    }

    private static Route Routed(Upstream upstream, bool ownHost, string key, string? allow) => EdgeBed.RouteTo(upstream) with
    {
        Host = ownHost ? PreviewHost : "garden.example",
        Tls = new RouteTls(false, HttpsUpgrade.WhenCertified, null),
        Preview = new PreviewRule(ownHost)
        {
            KeySha256 = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key))),
            Allow = allow is null ? AddressSet.Empty : new AddressSet([IPNetwork.Parse(allow)]),
        },
    };

    private static string Basic(string user, string password) =>
        new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}:{password}"))).ToString();

    private Task<HttpResponseMessage> AskAsync(string host, string? colour, string? key, (string Name, string Value)? more = null, string path = "/", Uri? at = null)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, new Uri(at ?? _bed.Address, path)) { Headers = { Host = host } };
        if (colour is not null)
            request.Headers.TryAddWithoutValidation("X-BasMalin-Colour", colour);
        if (key is not null)
            request.Headers.TryAddWithoutValidation("X-BasMalin-Key", key);
        if (more is var (name, value))
            request.Headers.TryAddWithoutValidation(name, value);
        return _client.SendAsync(request);
    }
}
