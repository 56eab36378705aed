using Orchestrator.Stacks;

namespace Orchestrator.Tests.Stacks.Parsing;

/// <summary>What <c>x-basmalin.route</c> says of requests besides where they go.</summary>
internal sealed class RouteRulesTests
{
    private string _directory = "";

    [SetUp]
    public void MakeDirectory() => _directory = Directory.CreateTempSubdirectory("basmalin-pages-").FullName;

    [TearDown]
    public void RemoveDirectory() => Directory.Delete(_directory, recursive: true);

    [Test]
    public void All_of_it_is_read()
    {
        var route = Route("""
            hosts: [garden.example], path: /api, strip_prefix: true, protocol: h2c, limits: { body: 10m }, timeouts: { connect: 1s, headers: 20s, idle: 5m },
            rate: { requests: 100, per: 1m, burst: 50, by: route }, headers: { secure: true, set: { X-Place: garden }, remove: [Server] }
            """);

        Assert.That((route.StripPrefix, route.Http2, route.BodyLimit), Is.EqualTo((true, true, 10L << 20)));
        Assert.That(route.Timeouts, Is.EqualTo(new RouteTimeoutsSpec(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(20), TimeSpan.FromMinutes(5))));
        Assert.That(route.Rate, Is.EqualTo(new RouteRateSpec(100, TimeSpan.FromMinutes(1), 50, false)));
        Assert.That((route.Headers!.Secure, route.Headers.Set["X-Place"], route.Headers.Remove.Single()), Is.EqualTo((true, "garden", "Server")));
    }

    [TestCase("true", "")]
    [TestCase("false", null)]
    [TestCase("[text/*, application/json]", "text/*|application/json")]
    public void Compression_is_a_switch_or_a_list(string written, string? types)
    {
        var compress = Route($"hosts: [a.example], compress: {written}").Compress;

        Assert.That(compress is { } some ? string.Join('|', some) : null, Is.EqualTo(types));
    }

    [Test]
    public void A_rate_is_per_second_and_client_and_bursts_by_itself() =>
        Assert.That(Route("hosts: [a.example], rate: { requests: 7 }").Rate, Is.EqualTo(new RouteRateSpec(7, TimeSpan.FromSeconds(1), 7, true)));

    [TestCase("strip_prefix: true", "strip_prefix: there is no prefix to strip: the route's path is '/' (set route.path, e.g. /api, or leave strip_prefix out)")]
    [TestCase("protocol: h2", "protocol: expected a protocol: http, h2c, found 'h2' (did you mean 'h2c'?)")]
    [TestCase("limits: { bdy: 1m }", "limits.bdy: unknown key 'bdy' (did you mean 'body'?)")]
    [TestCase("timeouts: { connect: 2m }", "timeouts.connect: expected at most 1m, found '2m'")]
    [TestCase("rate: { per: 1s }", "rate: 'requests' is missing (e.g. { requests: 100, per: 1s, burst: 50 })")]
    [TestCase("rate: { requests: 1, by: clients }", "rate.by: expected who is counted: client, route, found 'clients' (did you mean 'client'?)")]
    [TestCase("headers: { set: { Content-Length: 1 } }", "headers.set.Content-Length: the header 'Content-Length' belongs to the connection; the proxy sets it itself")]
    [TestCase("headers: { remove: [a b] }", "headers.remove[0]: 'a b' is not a header's name (letters, digits and '-')")]
    [TestCase("static: [ { path: /u } ]", "static[0]: 'volume' is missing (e.g. { path: /uploads, volume: uploads })")]
    [TestCase("static: [ { path: /u, volume: nowhere } ]", "static[0].volume: no service mounts a volume 'nowhere' (name a volume of this file that a service mounts)")]
    [TestCase("compress: [texts]", "compress[0]: expected a media type, e.g. application/json or text/*, found 'texts'")]
    [TestCase("compress: [text/event-stream]", "compress[0]: event streams are never compressed: events would wait for each other")]
    [TestCase("pages: { 500: x.html }", "pages.500: the proxy has no answer '500' (known: 400, 408, 413, 429, 502, 503, 504, maintenance)")]
    [TestCase("pages: { 502: nowhere.html }", "pages.502: the file does not exist (a relative path starts at the directory of the Compose file)")]
    [TestCase("pages: { 502: ../../etc/passwd }",
        "pages.502: expected the path of an HTML file beside the Compose file, found '../../etc/passwd' (a path within the directory of the Compose file)")]
    public void Mistakes_are_named(string key, string error)
    {
        var errors = Compose.Errors(Compose.ReadApp($"ports: [ \"3000:3000\" ]\nx-basmalin: {{ route: {{ hosts: [a.example], {key} }} }}"));

        Assert.That(errors.Single()[(errors.Single().IndexOf(' ', StringComparison.Ordinal) + 1)..], Is.EqualTo("services.app.x-basmalin.route." + error));
    }

    [Test]
    public void Pages_are_read_with_the_file()
    {
        File.WriteAllText(Path.Combine(_directory, "down.html"), "<h1>Down</h1>");
        var source = Compose.Source(Compose.AppFile("ports: [ \"3000:3000\" ]\nx-basmalin: { route: { pages: { 502: down.html, maintenance: ./down.html } } }"));
        var result = ComposeReader.Read(source with { Directory = _directory });

        Assert.That(result.Errors, Is.Empty);
        var pages = result.Stack!.Find("app")!.BasMalin!.Route!.Pages;
        Assert.That(pages.Select(page => (page.Key, page.Value)), Is.EqualTo(new[] { ("502", "<h1>Down</h1>"), ("maintenance", "<h1>Down</h1>") }));
    }

    [Test]
    public void A_page_that_is_too_large_is_refused()
    {
        File.WriteAllText(Path.Combine(_directory, "down.html"), new string('x', (64 * 1024) + 1));
        var source = Compose.Source(Compose.AppFile("ports: [ \"3000:3000\" ]\nx-basmalin: { route: { pages: { 502: down.html } } }"));

        Assert.That(ComposeReader.Read(source with { Directory = _directory }).Errors.Single().Message, Is.EqualTo("the page is larger than 64 KiB"));
    }

    private static RouteSpec Route(string keys) => Compose.App($"expose: [ 3000 ]\nx-basmalin: {{ route: {{ {keys.ReplaceLineEndings(" ")} }} }}").BasMalin!.Route!;
}
