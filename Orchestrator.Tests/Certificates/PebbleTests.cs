using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Orchestrator.Certificates;
using Orchestrator.Tests.GardenApp;
using Orchestrator.Tests.Traffic;
using Orchestrator.Tests.Traffic.Tls;
using Orchestrator.Traffic;
using Orchestrator.Traffic.Tls;

namespace Orchestrator.Tests.Certificates;

/// <summary>Against a real authority that refuses every third nonce.</summary>
[TestFixture]
public sealed class PebbleTests
{
    private readonly LogLines<CertificateIssuance> _log = new();
    private Backend _app = null!;
    private TlsBed _bed = null!;
    private Pebble? _pebble;
    private string _data = "";

    [SetUp]
    public async Task SetUp()
    {
        _data = Directory.CreateTempSubdirectory("basmalin-data-").FullName;
        _app = await Backend.StartAsync("blue");
        _bed = await TlsBed.StartAsync();
    }

    [TearDown]
    public async Task TearDown()
    {
        if (_pebble is not null) await _pebble.DisposeAsync();
        await _bed.DisposeAsync();
        await _app.DisposeAsync();
        Directory.Delete(_data, recursive: true);
    }

    [Test]
    public async Task A_host_gets_a_certificate_over_http_which_is_kept_for_the_next_start()
    {
        var pebble = await PebbleAsync(http: Plain, tls: Pebble.FreePort());
        Publish("garden.test", "www.garden.test");
        using (var issuance = Issuance(pebble.Settings, plain: true)) await issuance.RunAsync(CancellationToken.None);

        Assert.That(_log.Of(LogLevel.Warning), Is.Empty);
        Assert.That(await GetAsync(pebble, "garden.test"), Is.EqualTo("blue"));
        Assert.That(await GetAsync(pebble, "www.garden.test"), Is.EqualTo("blue"));
        var files = Directory.GetFiles(Path.Combine(_data, "acme"), "*.pem", SearchOption.AllDirectories);
        Assert.That(files, Has.Length.EqualTo(3), "two hosts and an account");
        Assert.That(files.Select(File.GetUnixFileMode), Is.All.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite));
        Assert.That(File.GetUnixFileMode(Path.Combine(_data, "acme")), Is.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute));

        // The authority is gone; the next start has what it needs.
        await pebble.StopAsync();
        await using var restarted = await TlsBed.StartAsync();
        restarted.Bed.Router.Publish(new StackRoutes("garden", [AutoRoute(restarted, "garden.test")], [], Maintenance: false));
        using var again = Issuance(pebble.Settings, plain: true, restarted);
        again.Restore();
        Assert.That(restarted.Tls.Certificates.Find("garden.test")!.Leaf.SerialNumber, Is.EqualTo(_bed.Tls.Certificates.Find("garden.test")!.Leaf.SerialNumber));
    }

    [Test]
    public async Task A_host_gets_a_certificate_by_a_handshake_while_others_are_served()
    {
        var pebble = await PebbleAsync(http: Pebble.FreePort(), tls: _bed.Secure.Port);
        _bed.Ca.Write(_bed.Directory, "other", "other.test");
        _bed.Files.Refresh();
        Publish("garden.test");
        using var enough = new CancellationTokenSource();
        var others = Task.Run(() => RequestAsync("other.test", enough.Token));
        using var issuance = Issuance(pebble.Settings, plain: false);

        await issuance.RunAsync(CancellationToken.None);

        await enough.CancelAsync();
        Assert.That(await others, Is.GreaterThan(0));
        Assert.That(_log.Of(LogLevel.Warning), Is.Empty);
        Assert.That(await GetAsync(pebble, "garden.test"), Is.EqualTo("blue"));
    }

    [Test]
    public async Task A_host_that_leads_elsewhere_is_tried_again_later_and_harms_no_other()
    {
        var pebble = await PebbleAsync(http: Plain, tls: _bed.Secure.Port);
        await pebble.PointAsync("stray.test", "127.0.0.9");
        Publish("stray.test", "garden.test", "shop.test");
        var time = new ShiftedClock();
        using var issuance = Issuance(pebble.Settings, plain: true, _bed, time);

        await issuance.RunAsync(CancellationToken.None);

        Assert.That(await GetAsync(pebble, "garden.test"), Is.EqualTo("blue"));
        Assert.That(await GetAsync(pebble, "shop.test"), Is.EqualTo("blue"));
        Assert.That(issuance.Problems.Keys, Is.EqualTo(new[] { "stray.test" }));
        Assert.That(_log.Of(LogLevel.Warning).Single(), Does.Contain("No certificate for stray.test by http-01").And.Contain("connection"));
        Assert.That(_bed.Tls.Certificates.Find("stray.test"), Is.Null);

        await issuance.RunAsync(CancellationToken.None);
        Assert.That(_log.Of(LogLevel.Warning).Count(), Is.EqualTo(1), "not before its pause is over");

        await pebble.PointAsync("stray.test", "127.0.0.1");
        time.Shift += TimeSpan.FromMinutes(2);
        await issuance.RunAsync(CancellationToken.None);
        Assert.That(issuance.Problems, Is.Empty);
        Assert.That(await GetAsync(pebble, "stray.test"), Is.EqualTo("blue"));
    }

    [Test]
    public async Task A_certificate_is_renewed_at_two_thirds_of_its_life_and_not_before()
    {
        var pebble = await PebbleAsync(http: Plain, tls: _bed.Secure.Port);
        Publish("garden.test");
        var time = new ShiftedClock();
        using var issuance = Issuance(pebble.Settings, plain: true, _bed, time);
        await issuance.RunAsync(CancellationToken.None);
        var first = _bed.Tls.Certificates.Find("garden.test")!;
        var life = first.NotAfter - first.NotBefore;

        time.Shift = life * 0.6;
        await issuance.RunAsync(CancellationToken.None);
        Assert.That(_bed.Tls.Certificates.Find("garden.test"), Is.SameAs(first));

        time.Shift = life * 0.67;
        await issuance.RunAsync(CancellationToken.None);
        Assert.That(_bed.Tls.Certificates.Find("garden.test")!.Leaf.SerialNumber, Is.Not.EqualTo(first.Leaf.SerialNumber));
    }

    [Test]
    public async Task An_authority_that_wants_an_account_of_its_own_gets_it_bound()
    {
        var pebble = await PebbleAsync(http: Plain, tls: _bed.Secure.Port, externalAccount: true);
        Publish("garden.test");
        using (var without = Issuance(pebble.Settings, plain: true)) await without.RunAsync(CancellationToken.None);
        Assert.That(_log.Of(LogLevel.Warning).Last(), Does.Contain("set edge.acme.eab"));

        using (var wrong = Issuance(pebble.Settings with { ExternalAccount = new ExternalAccount(Pebble.AccountName, new byte[32]) }, plain: true))
            await wrong.RunAsync(CancellationToken.None);
        Assert.That(_log.Of(LogLevel.Warning).Last(), Does.Contain("No certificate for garden.test").And.Contain("unauthorized"));

        using var issuance = Issuance(pebble.Settings with { ExternalAccount = new ExternalAccount(Pebble.AccountName, Pebble.AccountKey) }, plain: true);
        await issuance.RunAsync(CancellationToken.None);
        Assert.That(await GetAsync(pebble, "garden.test"), Is.EqualTo("blue"));
    }

    [Test]
    public async Task A_route_that_comes_while_the_daemon_runs_is_served_soon_and_one_that_goes_is_not_served_any_more()
    {
        var pebble = await PebbleAsync(http: Plain, tls: _bed.Secure.Port);
        using var issuance = Issuance(pebble.Settings, plain: true);
        using var watch = new IssuanceWatch(issuance);
        await watch.StartAsync(CancellationToken.None);

        Publish("garden.test");
        await Eventually.TrueAsync(() => Task.FromResult(_bed.Tls.Certificates.Find("garden.test") is not null), "a certificate is served");
        Publish("shop.test");
        await Eventually.TrueAsync(() => Task.FromResult(_bed.Tls.Certificates.Find("shop.test") is not null), "a certificate is served");

        Assert.That(_bed.Tls.Certificates.Find("garden.test"), Is.Null);
        await watch.StopAsync(CancellationToken.None);
    }

    private int Plain => _bed.Bed.Edge.Addresses[0].Port;

    private async Task<Pebble> PebbleAsync(int http, int tls, bool externalAccount = false) => _pebble = await Pebble.StartAsync(http, tls, externalAccount);

    private void Publish(params string[] hosts) =>
        _bed.Bed.Router.Publish(new StackRoutes("garden", [.. hosts.Select(host => AutoRoute(_bed, host))], [], Maintenance: false));

    private Route AutoRoute(TlsBed bed, string host) =>
        EdgeBed.RouteTo(bed.Bed.Upstream("blue", _app)) with { Host = host, Tls = new RouteTls(Automatic: true, HttpsUpgrade.Always, RedirectTo: null) };

    private CertificateIssuance Issuance(AcmeSettings settings, bool plain, TlsBed? bed = null, TimeProvider? time = null)
    {
        var edge = new EdgeOptions { Http = plain ? [new IPEndPoint(IPAddress.Loopback, 0)] : [], Tls = (bed ?? _bed).Tls };
        return new CertificateIssuance(settings, _data, (bed ?? _bed).Bed.Router, edge, time ?? TimeProvider.System, _log);
    }

    private async Task<string> GetAsync(Pebble pebble, string host)
    {
        using var client = new HttpClient(new SocketsHttpHandler
        {
            SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = await pebble.TrustAsync() },
            ConnectCallback = async (_, cancellationToken) =>
            {
                var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
                await socket.ConnectAsync(_bed.Secure, cancellationToken);
                return new NetworkStream(socket, ownsSocket: true);
            },
        });
        return await client.GetStringAsync(new Uri($"https://{host}/"));
    }

    private async Task<int> RequestAsync(string host, CancellationToken enough)
    {
        var requests = 0;
        for (; !enough.IsCancellationRequested; requests++)
        {
            using var client = _bed.Client(host);
            Assert.That((await client.GetAsync("/", CancellationToken.None)).StatusCode, Is.EqualTo(HttpStatusCode.NotFound));
        }

        return requests;
    }

    /// <summary>The system's clock, some time ahead.</summary>
    private sealed class ShiftedClock : TimeProvider
    {
        public TimeSpan Shift { get; set; }

        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + Shift;
    }
}
