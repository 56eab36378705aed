using System.Net;
using Orchestrator.Traffic;

namespace Orchestrator.Tests.Traffic;

[TestFixture]
public sealed class StickyTests
{
    private readonly List<Backend> _backends = [];
    private EdgeBed _bed = null!;

    [SetUp]
    public async Task SetUp()
    {
        _bed = await EdgeBed.StartAsync();
        foreach (var version in new[] { "a", "b", "c" })
            _backends.Add(await Backend.StartAsync(version));
    }

    [TearDown]
    public async Task TearDown()
    {
        await _bed.DisposeAsync();
        foreach (var backend in _backends)
            await backend.DisposeAsync();
        _backends.Clear();
    }

    [Test]
    public async Task A_client_stays_at_its_replica_and_others_are_spread()
    {
        Publish("blue");
        var first = new List<string>();
        for (var client = 0; client < 20; client++)
        {
            var (http, jar) = Client();
            using (http)
            {
                var replica = await http.GetStringAsync("/");
                var cookie = jar.GetCookies(_bed.Address)["replica"];
                Assert.That((cookie?.HttpOnly, cookie?.Secure, cookie?.Value), Is.EqualTo((true, false, cookie?.Value)));
                Assert.That(cookie?.Value, Does.Match("^[0-9a-f]{20}$"));
                for (var i = 0; i < 5; i++)
                {
                    using var again = await http.GetAsync("/");
                    Assert.That((await again.Content.ReadAsStringAsync(), again.Headers.Contains("Set-Cookie")), Is.EqualTo((replica, false)));
                }

                first.Add(replica);
            }
        }

        Assert.That(first.Distinct().Count(), Is.GreaterThan(1));
    }

    [Test]
    public async Task A_client_whose_replica_is_out_of_rotation_goes_to_another_and_stays_there()
    {
        var upstream = Publish("blue");
        var (http, jar) = Client();
        using (http)
        {
            var first = await http.GetStringAsync("/");
            var before = jar.GetCookies(_bed.Address)["replica"]?.Value;
            upstream.SetAvailable(_backends.Single(backend => backend.Version == first).Host, false);

            var second = await http.GetStringAsync("/");
            upstream.SetAvailable(_backends.Single(backend => backend.Version == first).Host, true);

            Assert.That(second, Is.Not.EqualTo(first));
            Assert.That(await http.GetStringAsync("/"), Is.EqualTo(second));
            Assert.That(jar.GetCookies(_bed.Address)["replica"]?.Value, Is.Not.EqualTo(before));
        }
    }

    [Test]
    public async Task A_client_whose_replica_has_died_is_answered_by_another()
    {
        Publish("blue");
        var (http, _) = Client();
        using (http)
        {
            var first = await http.GetStringAsync("/");
            await _backends.Single(backend => backend.Version == first).DisposeAsync();

            Assert.That(await http.GetStringAsync("/"), Is.Not.EqualTo(first));
        }
    }

    [Test]
    public async Task A_new_colour_gives_a_new_cookie_even_for_the_same_addresses()
    {
        Publish("blue");
        var (http, jar) = Client();
        using (http)
        {
            await http.GetStringAsync("/");
            var blue = jar.GetCookies(_bed.Address)["replica"]?.Value;
            Publish("green");
            await http.GetStringAsync("/");

            Assert.That(jar.GetCookies(_bed.Address)["replica"]?.Value, Is.Not.EqualTo(blue));
        }
    }

    private (HttpClient Client, CookieContainer Jar) Client()
    {
        var jar = new CookieContainer();
        return (new HttpClient(new SocketsHttpHandler { CookieContainer = jar }) { BaseAddress = _bed.Address }, jar);
    }

    private Upstream Publish(string colour)
    {
        var upstream = _bed.Upstream(colour, [.. _backends]);
        _bed.Router.Publish(new StackRoutes("garden", [EdgeBed.RouteTo(upstream) with { StickyCookie = "replica" }], [], Maintenance: false));
        return upstream;
    }
}
