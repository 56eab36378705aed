using System.Net.Sockets;
using System.Text;
using Orchestrator.Traffic;
using Orchestrator.Traffic.Previews;
using Orchestrator.Traffic.Tls;

namespace Orchestrator.Tests.Traffic.Tls;

[TestFixture]
public sealed class RedirectTests
{
    private Backend _app = null!;
    private TlsBed _bed = null!;

    [SetUp]
    public async Task SetUp() => _app = await Backend.StartAsync("blue");

    [TearDown]
    public async Task TearDown()
    {
        await _bed.DisposeAsync();
        await _app.DisposeAsync();
    }

    [Test]
    public async Task Plain_http_to_another_name_arrives_at_https_of_the_canonical_one_in_one_hop_with_its_path_and_query()
    {
        await StartAsync(publicPort: null, HttpsUpgrade.WhenCertified);

        var answer = await PlainAsync("www.garden.example", "/a%2Fb/%252e?q=%20x&y=a+b");

        Assert.That(answer, Does.StartWith("HTTP/1.1 308 "));
        Assert.That(answer, Does.Contain($"\r\nLocation: https://garden.example:{_bed.Secure.Port}/a%2Fb/%252e?q=%20x&y=a+b\r\n"));
        using var client = _bed.Client("garden.example");
        Assert.That(await client.GetStringAsync("/"), Is.EqualTo("blue"), "and there it is served, not redirected again");
    }

    [TestCase(443, "https://garden.example/x")]
    [TestCase(8443, "https://garden.example:8443/x")]
    public async Task The_public_port_is_the_one_that_is_said(int publicPort, string location)
    {
        await StartAsync(publicPort, HttpsUpgrade.WhenCertified);

        Assert.That(await PlainAsync("garden.example:8080", "/x"), Does.Contain($"\r\nLocation: {location}\r\n"));
    }

    [Test]
    public async Task Another_name_over_https_is_sent_to_the_canonical_one_and_keeps_its_port()
    {
        await StartAsync(publicPort: 443, HttpsUpgrade.WhenCertified);
        using var client = _bed.Client("www.garden.example");

        using var answer = await client.PostAsync("/x?y", new StringContent("body"));

        Assert.That((int)answer.StatusCode, Is.EqualTo(308), "which keeps the method and the body");
        Assert.That(answer.Headers.Location, Is.EqualTo(new Uri($"https://garden.example:{_bed.Secure.Port}/x?y")));
    }

    [Test]
    public async Task Without_a_certificate_for_the_host_nothing_is_redirected_to_where_no_handshake_would_succeed()
    {
        await StartAsync(publicPort: null, HttpsUpgrade.WhenCertified);
        File.Delete(Path.Combine(_bed.Directory, "garden.key"));
        File.Delete(Path.Combine(_bed.Directory, "garden.crt"));
        _bed.Files.Refresh();

        Assert.That(await PlainAsync("garden.example", "/"), Does.StartWith("HTTP/1.1 200 "));
        Assert.That(await PlainAsync("www.garden.example:81", "/x"), Does.Contain("\r\nLocation: http://garden.example:81/x\r\n"), "still to the canonical host");
    }

    [TestCase(HttpsUpgrade.Always, "HTTP/1.1 308 ")]
    [TestCase(HttpsUpgrade.Never, "HTTP/1.1 200 ")]
    public async Task A_route_may_insist_or_allow(HttpsUpgrade upgrade, string status)
    {
        await StartAsync(publicPort: null, upgrade);
        if (upgrade is HttpsUpgrade.Always) _bed.Tls.Certificates.SetFiles([]);

        Assert.That(await PlainAsync("garden.example", "/"), Does.StartWith(status));
    }

    [TestCase("/.well-known/acme-challenge/abc")]
    public async Task The_path_of_challenges_is_never_redirected(string path)
    {
        await StartAsync(publicPort: null, HttpsUpgrade.Always);

        Assert.That(await PlainAsync("garden.example", path), Does.StartWith("HTTP/1.1 404 "), "the application's own answer");
        Assert.That(await PlainAsync("garden.example", path + "/../../../x"), Does.StartWith("HTTP/1.1 308 "));
    }

    [Test]
    public async Task What_a_client_says_of_itself_does_not_count_as_https()
    {
        await StartAsync(publicPort: null, HttpsUpgrade.Always);

        Assert.That(await PlainAsync("garden.example", "/", "X-Forwarded-Proto: https\r\n"), Does.StartWith("HTTP/1.1 308 "));
    }

    [Test]
    public async Task A_target_with_a_host_of_its_own_is_redirected_by_its_path()
    {
        await StartAsync(publicPort: 443, HttpsUpgrade.Always);

        Assert.That(await PlainAsync("garden.example", "//evil.example/x"), Does.Contain("\r\nLocation: https://garden.example//evil.example/x\r\n"));
        Assert.That(await PlainAsync("garden.example", "http://garden.example/y?z"), Does.Contain("\r\nLocation: https://garden.example/y?z\r\n"));
    }

    [Test]
    public async Task A_preview_host_asks_for_its_key_over_https_only()
    {
        await StartAsync(publicPort: 443, HttpsUpgrade.WhenCertified);
        var route = EdgeBed.RouteTo(_bed.Bed.Upstream("blue", _app)) with
        {
            Host = "garden.example",
            Tls = new RouteTls(false, HttpsUpgrade.WhenCertified, null),
            Preview = new PreviewRule(OwnHost: true) { KeySha256 = new string('a', 64) },
        };
        _bed.Bed.Router.Publish(new StackRoutes("garden", [route], [], Maintenance: false));

        var plain = await PlainAsync("garden.example", "/x");
        using var client = _bed.Client("garden.example");
        using var secure = await client.GetAsync("/x");

        Assert.That(plain, Does.StartWith("HTTP/1.1 308 ").And.Contain("\r\nLocation: https://garden.example/x\r\n"));
        Assert.That(plain, Does.Not.Contain("WWW-Authenticate"), "no password is asked for where everybody could read it");
        Assert.That((int)secure.StatusCode, Is.EqualTo(401));
    }

    private async Task StartAsync(int? publicPort, HttpsUpgrade upgrade)
    {
        _bed = await TlsBed.StartAsync(publicPort);
        _bed.Ca.Write(_bed.Directory, "garden", "garden.example", "www.garden.example");
        _bed.Files.Refresh();
        var route = EdgeBed.RouteTo(_bed.Bed.Upstream("blue", _app)) with { Host = "garden.example", Tls = new RouteTls(false, upgrade, null) };
        var redirect = route with { Host = "www.garden.example", Tls = new RouteTls(false, upgrade, "garden.example") };
        _bed.Bed.Router.Publish(new StackRoutes("garden", [route, redirect], [], Maintenance: false));
    }

    /// <summary>Byte for byte, so that no library tidies the target.</summary>
    private async Task<string> PlainAsync(string host, string target, string headers = "")
    {
        using var client = new TcpClient();
        await client.ConnectAsync(_bed.Bed.Edge.Addresses[0]);
        await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes($"GET {target} HTTP/1.1\r\nHost: {host}\r\n{headers}Connection: close\r\n\r\n"));
        using var reader = new StreamReader(client.GetStream(), Encoding.ASCII);
        return await reader.ReadToEndAsync();
    }
}
