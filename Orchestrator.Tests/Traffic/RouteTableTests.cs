using System.Collections.Immutable;
using CsCheck;
using Orchestrator.Traffic;
using Prometheus;

namespace Orchestrator.Tests.Traffic;

[TestFixture]
public sealed class RouteTableTests
{
    private static readonly Upstream Nowhere = new(new UpstreamIdentity("s", "a", "blue", 1), [], TimeProvider.System);

    [TestCase("garden.example", "/", "exact")]
    [TestCase("GARDEN.Example:8080", "/", "exact")]
    [TestCase("garden.example.", "/", "exact")]
    [TestCase("garden.example", "/api", "api")]
    [TestCase("garden.example", "/api/", "api")]
    [TestCase("garden.example", "/api/x", "api")]
    [TestCase("garden.example", "/apix", "exact")]
    [TestCase("garden.example", "/API", "exact")]
    [TestCase("garden.example", "/api/v2/x", "v2")]
    [TestCase("garden.example", "", "exact")]
    [TestCase("blog.garden.example", "/", "wildcard")]
    [TestCase("a.blog.garden.example", "/", "any")]
    [TestCase("other.example", "/", "any")]
    [TestCase("", "/", "any")]
    [TestCase("[::1]:8080", "/", "ipv6")]
    [TestCase("[::1]", "/", "ipv6")]
    [TestCase("10.0.0.1:80", "/", "ipv4")]
    [TestCase("only-api.example", "/api/x", "only-api")]
    [TestCase("only-api.example", "/x", "any")]
    public void A_request_takes_the_most_particular_route(string host, string path, string service)
    {
        var table = Table(
            Route("exact", "garden.example", "/"),
            Route("api", "garden.example", "/api"),
            Route("v2", "garden.example", "/api/v2/"),
            Route("wildcard", "*.garden.example", "/"),
            Route("ipv6", "[::1]", "/"),
            Route("ipv4", "10.0.0.1", "/"),
            Route("only-api", "only-api.example", "/api"),
            Route("any", "*", "/"));

        Assert.That(table.Match(null, host, path)?.Service, Is.EqualTo(service));
    }

    [Test]
    public void Without_a_route_for_any_host_an_unknown_host_has_none()
    {
        var table = Table(Route("a", "garden.example", "/"), Route("b", "*.garden.example", "/"));

        Assert.That(table.Match(null, "evil.example", "/"), Is.Null);
        Assert.That(table.Match(null, "garden.example.evil", "/"), Is.Null);
        Assert.That(table.Match(null, ".garden.example", "/"), Is.Null);
    }

    [Test]
    public void A_published_port_has_its_own_routes_whatever_the_host()
    {
        var endpoint = new PublishedEndpoint(null, 3000);
        var table = Table(Route("main", "*", "/"), Route("port", null, "/") with { Listener = endpoint });

        Assert.That(table.Match(new PublishedEndpoint(null, 3000), "anything", "/x")?.Service, Is.EqualTo("port"));
        Assert.That(table.Match(null, "anything", "/x")?.Service, Is.EqualTo("main"));
        Assert.That(table.Match(new PublishedEndpoint(null, 3001), "anything", "/x"), Is.Null);
    }

    [Test]
    public void Matching_agrees_with_a_naive_reading_of_the_rules()
    {
        var label = Gen.Int[0, 2].Select(i => new[] { "a", "b", "c" }[i]);
        var hostName = Gen.Select(label, label, label, Gen.Int[1, 3], (x, y, z, n) => string.Join('.', new[] { x, y, z }.Take(n)));
        var pattern = Gen.OneOf(hostName, hostName.Select(host => "*." + host), Gen.Const("*"));
        var path = Gen.Int[0, 2].Select(i => new[] { "a", "ab", "b" }[i]).Array[0, 3].Select(parts => "/" + string.Join('/', parts));
        var route = Gen.Select(pattern, path);

        Gen.Select(route.Array[0, 8], hostName, path).Sample((routes, host, asked) =>
        {
            var distinct = routes.Distinct().ToArray();
            var table = Table([.. distinct.Select((entry, i) => Route($"{i}", entry.Item1, entry.Item2))]);
            Assert.That(table.Match(null, host, asked)?.Service, Is.EqualTo(Naive(distinct, host, asked)));
        });
    }

    [Test]
    public void A_conflict_names_the_owner()
    {
        var router = Router();
        router.Publish(new StackRoutes("shop", [Route("web", "shop.example", "/") with { Stack = "shop" }], [], false));
        var wanted = new StackRoutes("garden", [Route("app", "SHOP.example", "/") with { Stack = "garden" }], [], false);

        Assert.That(router.FindConflict(wanted)?.ToString(), Is.EqualTo("SHOP.example/ of garden/app belongs to shop/web"));
        Assert.That(() => router.Publish(wanted), Throws.InvalidOperationException.With.Message.Contains("shop/web"));
        Assert.That(router.Find("garden"), Is.Null);
    }

    [Test]
    public void Another_path_of_the_same_host_is_no_conflict_and_neither_is_ones_own_route()
    {
        var router = Router();
        var shop = new StackRoutes("shop", [Route("web", "shop.example", "/") with { Stack = "shop" }], [], false);
        router.Publish(shop);

        Assert.That(router.FindConflict(shop), Is.Null);
        Assert.That(router.FindConflict(new StackRoutes("garden", [Route("app", "shop.example", "/garden") with { Stack = "garden" }], [], false)), Is.Null);
    }

    [TestCase(null, null, true)]
    [TestCase(null, "127.0.0.1", true)]
    [TestCase("127.0.0.1", "127.0.0.1", true)]
    [TestCase("127.0.0.1", "127.0.0.2", false)]
    public void A_published_port_belongs_to_one_stack(string? owned, string? wanted, bool conflict)
    {
        var router = Router();
        router.Publish(new StackRoutes("shop", [Route("web", null, "/") with { Listener = new PublishedEndpoint(owned, 3000) }], [], false));
        var other = new StackRoutes("garden", [Route("app", null, "/other") with { Listener = new PublishedEndpoint(wanted, 3000) }], [], false);

        Assert.That(router.FindConflict(other) is not null, Is.EqualTo(conflict));
    }

    [Test]
    public void The_same_place_wanted_twice_by_one_stack_is_a_conflict()
    {
        var twice = new StackRoutes("s", [Route("a", "x.example", "/api"), Route("b", "x.example", "/api/")], [], false);

        Assert.That(Router().FindConflict(twice)?.ToString(), Does.Contain("s/b").And.Contain("s/a"));
    }

    [Test]
    public void Publishing_replaces_all_of_a_stack_and_nothing_of_another()
    {
        var router = Router();
        router.Publish(new StackRoutes("s", [Route("a", "a.example", "/"), Route("b", "b.example", "/")], [], false));
        router.Publish(new StackRoutes("t", [Route("c", "c.example", "/") with { Stack = "t" }], [], false));
        router.Publish(new StackRoutes("s", [Route("b", "b2.example", "/")], [], false));

        Assert.Multiple(() =>
        {
            Assert.That(router.Table.Match(null, "a.example", "/"), Is.Null);
            Assert.That(router.Table.Match(null, "b.example", "/"), Is.Null);
            Assert.That(router.Table.Match(null, "b2.example", "/")?.Service, Is.EqualTo("b"));
            Assert.That(router.Table.Match(null, "c.example", "/")?.Service, Is.EqualTo("c"));
        });
        router.Remove("s");
        router.Remove("s");
        Assert.That(router.Table.Match(null, "b2.example", "/"), Is.Null);
    }

    [Test]
    public void Matching_and_leasing_allocate_nothing()
    {
        var upstream = new Upstream(new UpstreamIdentity("s", "a", "blue", 1), [new("x", "127.0.0.1"), new("y", "127.0.0.2")], TimeProvider.System);
        var table = Table(Route("a", "garden.example", "/api") with { Upstream = upstream }, Route("b", "*.garden.example", "/"), Route("c", "*", "/"));
        Once(table);

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++)
            Once(table);

        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);

        static void Once(RouteTable table)
        {
            var target = table.Find(null, "garden.example:8080", "/api/gardens");
            if (target is null || !target.Upstream.TryLease(out var lease))
                throw new InvalidOperationException("no lease");
            target.DestinationOf(lease);
            target.Upstream.Traffic.Record(failed: false, TimeSpan.FromMilliseconds(3));
            target.Series.Count(200, own: false);
            target.Series.Duration.Observe(0.003);
            lease.Dispose();
        }
    }

    private static string? Naive((string Host, string Path)[] routes, string host, string path) => routes
        .Select((route, index) => (route, index))
        .Where(entry => HostRank(entry.route.Host, host) > 0 && Under(entry.route.Path, path))
        .OrderByDescending(entry => HostRank(entry.route.Host, host)).ThenByDescending(entry => entry.route.Path.TrimEnd('/').Length)
        .Select(entry => $"{entry.index}").FirstOrDefault();

    private static int HostRank(string pattern, string host) =>
        pattern == host ? 3
        : pattern.StartsWith("*.", StringComparison.Ordinal) && host.Split('.', 2) is [_, var rest] && rest == pattern[2..] ? 2
        : pattern == "*" ? 1 : 0;

    private static bool Under(string prefix, string path)
    {
        var wanted = prefix.Split('/', StringSplitOptions.RemoveEmptyEntries);
        return path.Split('/', StringSplitOptions.RemoveEmptyEntries).Take(wanted.Length).SequenceEqual(wanted);
    }

    private static TrafficRouter Router() => new(new EdgeMetrics(Metrics.NewCustomRegistry()), TimeProvider.System);

    private static RouteTable Table(params ImmutableArray<Route> routes)
    {
        var router = Router();
        router.Publish(new StackRoutes("s", routes, [], false));
        return router.Table;
    }

    private static Route Route(string service, string? host, string path) =>
        new() { Stack = "s", Service = service, Host = host, Path = path, TargetPort = 80, Upstream = Nowhere };
}
