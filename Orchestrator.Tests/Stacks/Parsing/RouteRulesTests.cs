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

    [Test]
    public void A_preview_is_read_and_stays_in_the_release()
    {
        var digest = new string('A', 64);
        var stack = Compose.Stack(Compose.AppFile($"expose: [ 3000 ]\nx-basmalin: {{ route: {{ hosts: [a.example], preview: {{ hosts: [P.example], key_sha256: {digest}, allow: [10.0.0.0/8, \"::1\"] }} }} }}"));
        var preview = StackJson.Read(StackJson.Write(stack)).Find("app")!.BasMalin!.Route!.Preview!;

        Assert.That(preview.Hosts, Is.EqualTo(new[] { "p.example" }));
        Assert.That(preview.KeySha256, Is.EqualTo(new string('a', 64)));
        Assert.That(preview.Allow, Is.EqualTo(new[] { "10.0.0.0/8", "::1/128" }));
    }

    [Test]
    public void A_preview_host_belongs_to_one_service()
    {
        const string other = "\n  two:\n    image: b\n    expose: [80]\n    x-basmalin: { route: { hosts: [b.example], preview: { hosts: [p.example], allow: 10.0.0.1 } } }";
        var errors = Compose.Errors(Compose.ReadApp("expose: [ 3000 ]\nx-basmalin: { route: { hosts: [a.example], preview: { hosts: [p.example], allow: 10.0.0.1 } } }", other));

        Assert.That(errors.Single(), Does.Contain("services.two.x-basmalin.route.preview.hosts[0]: p.example/ leads to 'app' already, at services.app.x-basmalin.route.preview.hosts[0]"));
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
    [TestCase("preview: { hosts: [p.example] }",
        "preview: a preview is open to nobody: 'key_sha256' or 'allow' says who may see what is not released (e.g. { hosts: [preview.garden.example], key_sha256: … })")]
    [TestCase("preview: { hosts: [a.example], allow: 10.0.0.0/8 }", "preview.hosts: 'a.example' is one of the route's own hosts (a preview has a host of its own, e.g. preview.garden.example)")]
    [TestCase("preview: { hosts: [\"*.a.example\"], allow: 10.0.0.0/8 }", "preview.hosts: '*.a.example' is not one name: a preview has exact names (preview.garden.example)")]
    [TestCase("preview: { key_sha256: sesame }", "preview.key_sha256: expected the SHA-256 of the key, as 64 hexadecimal digits (key=$(openssl rand -hex 16); printf %s \"$key\" | sha256sum)")]
    [TestCase("preview: { allow: [10.0.0.0/33] }", "preview.allow[0]: expected a network or an address, e.g. 10.0.0.0/8 or 192.0.2.7, found '10.0.0.0/33'")]
    [TestCase("preview: { allow: [] }", "preview.allow: expected a network or an address, e.g. 10.0.0.0/8 or 192.0.2.7, found a list (0.0.0.0/0 for everybody)")]
    [TestCase("preview: { key: 1, allow: 10.0.0.1 }", "preview.key: unknown key 'key' (known keys: hosts, key_sha256, allow)")]
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
