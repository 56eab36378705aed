using System.Net;
using Microsoft.Extensions.Logging;
using Orchestrator.Tests.GardenApp;
using Orchestrator.Traffic.Tls;

namespace Orchestrator.Tests.Traffic.Tls;

[TestFixture]
public sealed class CertificateFilesTests
{
    private TlsBed _bed = null!;
    private Backend _app = null!;

    [SetUp]
    public async Task SetUp()
    {
        _app = await Backend.StartAsync("blue");
        _bed = await TlsBed.StartAsync();
        _bed.Bed.Publish(_bed.Bed.Upstream("blue", _app));
    }

    [TearDown]
    public async Task TearDown()
    {
        await _bed.DisposeAsync();
        await _app.DisposeAsync();
    }

    [Test]
    public async Task A_certificate_that_is_exchanged_under_load_costs_no_request()
    {
        _bed.Ca.Write(_bed.Directory, "garden", "garden.example");
        _bed.Files.Refresh();
        using var enough = new CancellationTokenSource();
        var clients = Enumerable.Range(0, 2).Select(_ => Task.Run(() => RequestAsync(enough.Token))).ToList();
        var serials = new HashSet<string>();
        for (var round = 0; round < 30; round++)
        {
            _bed.Ca.Write(_bed.Directory, "garden", "garden.example");
            _bed.Files.Refresh();
            await using var stream = await _bed.ShakeAsync("garden.example");
            serials.Add(stream.RemoteCertificate!.GetSerialNumberString());

            // Not faster than requests come, however busy the machine is.
            var seen = _app.Requests;
            await Eventually.TrueAsync(() => Task.FromResult(_app.Requests > seen || clients.Any(client => client.IsCompleted)), "a request comes");
        }

        await enough.CancelAsync();
        var requests = await Task.WhenAll(clients);
        Assert.That(serials, Has.Count.EqualTo(30), "each is served as soon as it has been read");
        Assert.That(requests.Sum(), Is.GreaterThanOrEqualTo(30));
    }

    [Test]
    public async Task A_switch_of_colours_under_load_costs_no_request_over_http1_and_http2()
    {
        _bed.Ca.Write(_bed.Directory, "garden", "garden.example");
        _bed.Files.Refresh();
        await using var green = await Backend.StartAsync("green");
        var live = _bed.Bed.Upstream("blue", _app);
        _bed.Bed.Publish(live);
        using var enough = new CancellationTokenSource();
        var clients = new[] { HttpVersion.Version11, HttpVersion.Version20 }.Select(version => Task.Run(() => KeepAskingAsync(version, enough.Token))).ToList();
        for (var swap = 0; swap < 100; swap++)
        {
            // Not faster than requests come: each colour is to be in use when it goes.
            var seen = _app.Requests + green.Requests;
            await Eventually.TrueAsync(() => Task.FromResult(_app.Requests + green.Requests > seen || clients.Any(client => client.IsCompleted)), "a request comes");
            var old = live;
            live = swap % 2 == 0 ? _bed.Bed.Upstream("green", green) : _bed.Bed.Upstream("blue", _app);
            _bed.Bed.Publish(live);
            var report = await old.DrainAsync(EdgeBed.Patient, CancellationToken.None);
            Assert.That(report.HttpAborted, Is.Zero);
        }

        await enough.CancelAsync();
        Assert.That(await Task.WhenAll(clients), Is.All.Positive);
        Assert.That(new[] { _app.Requests, green.Requests }, Is.All.Positive);
    }

    [Test]
    public async Task A_bad_pair_concerns_its_own_host_only_and_is_reported_once()
    {
        _bed.Ca.Write(_bed.Directory, "garden", "garden.example");
        File.WriteAllText(Path.Combine(_bed.Directory, "bad.crt"), "-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n");
        TestCa.WriteKey(Path.Combine(_bed.Directory, "bad.key"), _bed.Ca.Issue(TimeSpan.FromDays(1), "bad.example").Key);
        File.WriteAllText(Path.Combine(_bed.Directory, "lonely.pem"), "");

        for (var look = 0; look < 5; look++) _bed.Files.Refresh();

        Assert.That(_bed.Log.Of(LogLevel.Error), Has.Exactly(1).Contains("bad cannot be used").And.Exactly(1).Contains("there is no lonely.key beside lonely.pem"));
        Assert.That(_bed.Log.Of(LogLevel.Error).Count(), Is.EqualTo(2));
        Assert.That(_bed.Files.Problems, Has.Length.EqualTo(2));
        using var client = _bed.Client("garden.example");
        Assert.That(await client.GetStringAsync("/"), Is.EqualTo("blue"));
    }

    [Test]
    public void A_pair_of_which_one_half_has_been_replaced_keeps_the_certificate_before_it_until_the_other_comes()
    {
        _bed.Ca.Write(_bed.Directory, "garden", "garden.example");
        _bed.Files.Refresh();
        var before = Serial("garden.example");
        var (chain, key) = _bed.Ca.Issue(TimeSpan.FromDays(50), "garden.example");

        File.WriteAllText(Path.Combine(_bed.Directory, "garden.crt"), chain[..(chain.Length / 3)]);
        _bed.Files.Refresh();
        File.WriteAllText(Path.Combine(_bed.Directory, "garden.crt"), chain);
        _bed.Files.Refresh();
        Assert.That(Serial("garden.example"), Is.EqualTo(before));
        Assert.That(_bed.Log.Of(LogLevel.Error), Is.Empty, "what changes between two looks is on its way");

        _bed.Files.Refresh();
        Assert.That(_bed.Log.Of(LogLevel.Error).Single(), Does.Contain("do not belong together").And.Contain("the one before it is served"));

        TestCa.WriteKey(Path.Combine(_bed.Directory, "garden.key"), key);
        _bed.Files.Refresh();
        Assert.That(Serial("garden.example"), Is.Not.EqualTo(before));
        Assert.That(_bed.Files.Problems, Is.Empty);
    }

    [Test]
    public void A_pair_that_is_taken_away_is_not_served_any_more_and_half_of_one_still_is()
    {
        _bed.Ca.Write(_bed.Directory, "garden", "garden.example");
        _bed.Ca.Write(_bed.Directory, "shop", "shop.example");
        _bed.Files.Refresh();

        File.Delete(Path.Combine(_bed.Directory, "garden.crt"));
        File.Delete(Path.Combine(_bed.Directory, "garden.key"));
        File.Delete(Path.Combine(_bed.Directory, "shop.key"));
        _bed.Files.Refresh();

        Assert.That(_bed.Tls.Certificates.Find("garden.example"), Is.Null);
        Assert.That(_bed.Tls.Certificates.Find("shop.example"), Is.Not.Null);
        Assert.That(_bed.Files.Problems.Single(), Does.EndWith("there is no shop.key beside shop.crt"));
    }

    [Test]
    public void A_link_that_is_moved_to_a_renewed_pair_is_followed()
    {
        var first = Directory.CreateDirectory(Path.Combine(_bed.Directory, "1")).FullName;
        var second = Directory.CreateDirectory(Path.Combine(_bed.Directory, "2")).FullName;
        _bed.Ca.Write(first, "garden", "garden.example");
        _bed.Ca.Write(second, "garden", "garden.example");
        Link(first);
        _bed.Files.Refresh();
        var before = Serial("garden.example");

        Link(second);
        _bed.Files.Refresh();

        Assert.That(Serial("garden.example"), Is.Not.EqualTo(before));
    }

    [Test]
    public void A_key_that_others_can_read_is_served_with_a_warning()
    {
        _bed.Ca.Write(_bed.Directory, "garden", "garden.example");
        File.SetUnixFileMode(Path.Combine(_bed.Directory, "garden.key"), UnixFileMode.UserRead | UnixFileMode.OtherRead);

        _bed.Files.Refresh();
        _bed.Files.Refresh();

        Assert.That(_bed.Log.Of(LogLevel.Warning).Single(), Does.Contain("garden.key can be read by others").And.Contain("chmod 600"));
        Assert.That(_bed.Tls.Certificates.Find("garden.example"), Is.Not.Null);
    }

    [Test]
    public async Task The_whole_chain_is_served_and_the_end_of_each_is_a_metric()
    {
        _bed.Ca.Write(_bed.Directory, "garden", TimeSpan.FromDays(40), "garden.example", "*.garden.example");
        _bed.Files.Refresh();

        // The client knows the root only: without the intermediate it would refuse.
        using var client = _bed.Client("garden.example", HttpVersion.Version20);
        Assert.That(await client.GetStringAsync("/"), Is.EqualTo("blue"));
        var ends = _bed.Tls.Certificates.Find("garden.example")!.NotAfter.ToUnixTimeSeconds();
        Assert.That(await _bed.MetricsTextAsync(), Does.Contain($"expiry_timestamp_seconds{{host=\"garden.example\"}} {ends}").And.Contain("{host=\"*.garden.example\"}"));

        File.Delete(Path.Combine(_bed.Directory, "garden.crt"));
        File.Delete(Path.Combine(_bed.Directory, "garden.key"));
        _bed.Files.Refresh();
        Assert.That(await _bed.MetricsTextAsync(), Does.Not.Contain("garden.example"));
    }

    [Test]
    public void Of_two_certificates_for_a_name_the_one_that_is_good_for_longer_is_served()
    {
        _bed.Ca.Write(_bed.Directory, "a", TimeSpan.FromDays(10), "garden.example");
        _bed.Ca.Write(_bed.Directory, "b", TimeSpan.FromDays(60), "garden.example");
        _bed.Ca.Write(_bed.Directory, "c", TimeSpan.FromDays(30), "garden.example");

        _bed.Files.Refresh();

        Assert.That(_bed.Tls.Certificates.Find("garden.example")!.Source, Does.EndWith("b.crt"));
    }

    [Test]
    public void What_cannot_be_a_certificate_says_why()
    {
        var (chain, key) = _bed.Ca.Issue(TimeSpan.FromDays(1), "garden.example");
        var (nameless, itsKey) = _bed.Ca.Issue(TimeSpan.FromDays(1));

        Assert.Multiple(() =>
        {
            Assert.That(Problem("", key), Is.EqualTo("there is no certificate in it"));
            Assert.That(Problem(chain, ""), Does.StartWith("the certificate and the key cannot be read, or do not belong together"));
            Assert.That(Problem(chain, itsKey), Does.StartWith("the certificate and the key cannot be read, or do not belong together"));
            Assert.That(Problem(nameless, itsKey), Is.EqualTo("it names no host: browsers look at its subject alternative names only"));
            Assert.That(Problem(chain, "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"), Is.EqualTo("the key is encrypted: there is nobody to ask for the password"));
            Assert.That(Problem(chain, key), Is.Null);
        });

        static string? Problem(string chain, string key) => EdgeCertificate.TryRead(chain, key, "test", out _, out var problem) ? null : problem;
    }

    private string Serial(string host) => _bed.Tls.Certificates.Find(host)!.Leaf.SerialNumber;

    private void Link(string target)
    {
        foreach (var file in new[] { "garden.crt", "garden.key" })
        {
            var link = Path.Combine(_bed.Directory, file);
            File.Delete(link);
            File.CreateSymbolicLink(link, Path.Combine(target, file));
        }
    }

    /// <summary>One connection, on which no request may fail.</summary>
    private async Task<int> KeepAskingAsync(Version version, CancellationToken enough)
    {
        using var client = _bed.Client("garden.example", version);
        var requests = 0;
        for (; !enough.IsCancellationRequested; requests++)
            Assert.That(await client.GetStringAsync("/", CancellationToken.None), Is.EqualTo("blue").Or.EqualTo("green"));
        return requests;
    }

    /// <summary>New connections all the time: each of them is a handshake.</summary>
    private async Task<int> RequestAsync(CancellationToken enough)
    {
        var requests = 0;
        for (; !enough.IsCancellationRequested; requests++)
        {
            using var client = _bed.Client("garden.example", requests % 2 == 0 ? HttpVersion.Version11 : HttpVersion.Version20);
            Assert.That(await client.GetStringAsync("/", CancellationToken.None), Is.EqualTo("blue"));
        }

        return requests;
    }
}
