using System.Net;
using Orchestrator.Traffic;
using Orchestrator.Traffic.Requests;

namespace Orchestrator.Tests.Traffic;

[TestFixture]
public sealed class CanaryTests
{
    // Without a jar: each request is another client.
    private readonly HttpClient _clients = new(new SocketsHttpHandler { UseCookies = false });
    private EdgeBed _bed = null!;
    private Backend _live = null!;
    private Backend _candidate = null!;

    [SetUp]
    public async Task SetUp()
    {
        _live = await Backend.StartAsync("live");
        _candidate = await Backend.StartAsync("candidate");
        _bed = await EdgeBed.StartAsync();
    }

    [TearDown]
    public async Task TearDown()
    {
        await _bed.DisposeAsync();
        await _live.DisposeAsync();
        await _candidate.DisposeAsync();
    }

    [TestCase(0.1)]
    [TestCase(0.5)]
    public async Task The_candidate_gets_its_share(double share)
    {
        Publish(share, CanaryDraw.Request);

        for (var i = 0; i < 2000; i++)
            await _bed.Client.GetStringAsync("/");

        // Four standard deviations of a binomial distribution: one run in 16,000 is outside.
        Assert.That(_candidate.Requests / 2000.0, Is.EqualTo(share).Within(4 * Math.Sqrt(share * (1 - share) / 2000)));
        Assert.That(_candidate.Requests + _live.Requests, Is.EqualTo(2000));
    }

    [Test]
    public async Task By_cookie_a_client_stays_and_those_of_a_small_share_are_in_a_larger_one()
    {
        Publish(0.2, CanaryDraw.Cookie);
        var first = new Dictionary<string, string>();
        for (var i = 0; i < 200; i++)
        {
            using var answer = await _clients.GetAsync(_bed.Address);
            var cookie = answer.Headers.GetValues("Set-Cookie").Single();
            Assert.That(cookie, Does.Match("^basmalin-canary=[0-9a-f]{16}; Path=/; HttpOnly; SameSite=Lax$"));
            first[cookie[..cookie.IndexOf(';', StringComparison.Ordinal)]] = await answer.Content.ReadAsStringAsync();
        }

        var again = await AllAsync(first.Keys);
        Publish(0.6, CanaryDraw.Cookie);
        var later = await AllAsync(first.Keys);

        Assert.Multiple(() =>
        {
            Assert.That(again, Is.EquivalentTo(first));
            Assert.That(first.Values.Count(version => version == "candidate"), Is.InRange(15, 70));
            Assert.That(first.Where(pair => pair.Value == "candidate").Select(pair => later[pair.Key]), Is.All.EqualTo("candidate"));
            Assert.That(later.Values.Count(version => version == "candidate"), Is.GreaterThan(first.Values.Count(version => version == "candidate")));
        });
    }

    [Test]
    public async Task By_address_a_client_stays_without_a_cookie_and_those_of_a_small_share_are_in_a_larger_one()
    {
        await _bed.DisposeAsync();
        _bed = await EdgeBed.StartAsync(new EdgeOptions { TrustedProxies = new AddressSet([IPNetwork.Parse("127.0.0.0/8")]) });
        var addresses = Enumerable.Range(1, 200).Select(number => $"203.0.113.{number}").ToList();
        Publish(0.2, CanaryDraw.Address);
        var first = await OfAsync(addresses);
        var again = await OfAsync(addresses);
        Publish(0.6, CanaryDraw.Address);
        var later = await OfAsync(addresses);

        Assert.Multiple(() =>
        {
            Assert.That(again, Is.EquivalentTo(first));
            Assert.That(first.Values.Count(version => version == "candidate"), Is.InRange(15, 70));
            Assert.That(first.Where(pair => pair.Value == "candidate").Select(pair => later[pair.Key]), Is.All.EqualTo("candidate"));
            Assert.That(later.Values.Count(version => version == "candidate"), Is.InRange(80, 160));
        });
    }

    [Test]
    public async Task A_candidate_that_cannot_be_reached_leaves_its_share_to_the_live_upstream()
    {
        Publish(0.5, CanaryDraw.Request);
        await _candidate.DisposeAsync();

        for (var i = 0; i < 100; i++)
            Assert.That(await _bed.Client.GetStringAsync("/"), Is.EqualTo("live"));
    }

    [Test]
    public async Task Without_a_candidate_nobody_gets_a_cookie()
    {
        _bed.Publish(_bed.Upstream("blue", _live));

        using var answer = await _bed.Client.GetAsync("/");

        Assert.That(answer.Headers.Contains("Set-Cookie"), Is.False);
    }

    [OneTimeTearDown]
    public void OneTimeTearDown() => _clients.Dispose();

    private Task<Dictionary<string, string>> AllAsync(IEnumerable<string> cookies) => AskAsync("Cookie", cookies);

    private Task<Dictionary<string, string>> OfAsync(IEnumerable<string> addresses) => AskAsync("X-Forwarded-For", addresses);

    private async Task<Dictionary<string, string>> AskAsync(string header, IEnumerable<string> clients)
    {
        var versions = new Dictionary<string, string>();
        foreach (var client in clients)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, _bed.Address) { Headers = { { header, client } } };
            using var answer = await _clients.SendAsync(request);
            Assert.That(answer.Headers.Contains("Set-Cookie"), Is.False, "it has one, or needs none");
            versions[client] = await answer.Content.ReadAsStringAsync();
        }

        return versions;
    }

    private void Publish(double share, CanaryDraw draw)
    {
        var canary = new Canary(_bed.Upstream("green", _candidate), Backend.Port, share, draw);
        _bed.Router.Publish(new StackRoutes("garden", [EdgeBed.RouteTo(_bed.Upstream("blue", _live)) with { Canary = canary }], [], Maintenance: false));
    }
}
