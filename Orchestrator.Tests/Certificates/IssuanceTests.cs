using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Orchestrator.Certificates;
using Orchestrator.Tests.Traffic;
using Orchestrator.Tests.Traffic.Tls;
using Orchestrator.Traffic;
using Orchestrator.Traffic.Tls;

namespace Orchestrator.Tests.Certificates;

/// <summary>What an authority can do to us that the real one for tests does not.</summary>
[TestFixture]
public sealed class IssuanceTests
{
    private readonly FakeTimeProvider _time = new(TimeProvider.System.GetUtcNow());
    private readonly LogLines<CertificateIssuance> _log = new();
    private StubAuthority _authority = null!;
    private TlsBed _bed = null!;
    private string _data = "";

    [SetUp]
    public async Task SetUp()
    {
        _data = Directory.CreateTempSubdirectory("basmalin-data-").FullName;
        _authority = await StubAuthority.StartAsync();
        _bed = await TlsBed.StartAsync();
        var route = EdgeBed.RouteTo(_bed.Bed.Upstream("blue")) with { Host = "garden.test", Tls = new RouteTls(true, HttpsUpgrade.Always, null) };
        _bed.Bed.Router.Publish(new StackRoutes("garden", [route], [], Maintenance: false));
    }

    [TearDown]
    public async Task TearDown()
    {
        await _bed.DisposeAsync();
        await _authority.DisposeAsync();
        Directory.Delete(_data, recursive: true);
    }

    [Test]
    public async Task An_authority_that_has_enough_is_not_asked_before_it_wants_to_be()
    {
        using var issuance = Issuance();

        await issuance.RunAsync(CancellationToken.None);
        _time.Advance(TimeSpan.FromMinutes(119));
        await issuance.RunAsync(CancellationToken.None);
        Assert.That(_authority.Orders, Has.Count.EqualTo(1));

        _time.Advance(TimeSpan.FromMinutes(2));
        await issuance.RunAsync(CancellationToken.None);
        Assert.That(_authority.Orders, Has.Count.EqualTo(2));
        Assert.That(_log.Of(LogLevel.Warning).First(), Does.Contain("rateLimited: too many certificates [31m for this week").And.Not.Contain("\u001b"));
    }

    [TestCase(500, "<html>")]
    [TestCase(500, "[]")]
    [TestCase(500, "\"text\"")]
    [TestCase(201, "{}")]
    [TestCase(201, "null")]
    [TestCase(201, """{"status":"ready","authorizations":["http://127.0.0.1/plain"]}""")]
    public async Task Nonsense_is_a_problem_of_the_host_and_no_crash(int status, string answer)
    {
        (_authority.OrderStatus, _authority.OrderAnswer) = (status, answer);
        using var issuance = Issuance();

        await issuance.RunAsync(CancellationToken.None);

        Assert.That(issuance.Problems.Keys, Is.EqualTo(new[] { "garden.test" }));
    }

    [Test]
    public async Task An_authority_that_wants_an_early_renewal_gets_an_order_that_says_what_it_replaces()
    {
        Save(TimeSpan.FromDays(80));
        _authority.RenewalAnswer = Window(_time.GetUtcNow().AddDays(-2), _time.GetUtcNow().AddDays(-1));
        using var issuance = Issuance();

        await issuance.RunAsync(CancellationToken.None);

        var id = RenewalTiming.IdOf(_bed.Tls.Certificates.Find("garden.test")!.Leaf);
        Assert.That(_authority.Asked, Is.EqualTo(new[] { id }));
        Assert.That(_authority.Orders.Single()["replaces"]!.GetValue<string>(), Is.EqualTo(id));
        Assert.That(_authority.Orders.Single()["identifiers"]![0]!["value"]!.GetValue<string>(), Is.EqualTo("garden.test"));
    }

    [Test]
    public async Task An_authority_may_want_a_later_renewal_and_is_asked_again_after_hours_only()
    {
        Save(TimeSpan.FromDays(1));
        _authority.RenewalAnswer = Window(_time.GetUtcNow().AddHours(20), _time.GetUtcNow().AddHours(22));
        using var issuance = Issuance();

        await issuance.RunAsync(CancellationToken.None);
        _time.Advance(TimeSpan.FromHours(5));
        await issuance.RunAsync(CancellationToken.None);
        Assert.That((_authority.Asked.Count, _authority.Orders.Count), Is.EqualTo((1, 0)), "by its own life it would be due");

        _time.Advance(TimeSpan.FromHours(17));
        await issuance.RunAsync(CancellationToken.None);
        Assert.That((_authority.Asked.Count, _authority.Orders.Count), Is.EqualTo((2, 1)));
    }

    [TestCase("{}")]
    [TestCase("""{"suggestedWindow":{"start":"tomorrow","end":"never"}}""")]
    [TestCase("""{"suggestedWindow":"soon"}""")]
    public async Task Advice_that_makes_no_sense_is_not_taken(string answer)
    {
        Save(TimeSpan.FromDays(80));
        _authority.RenewalAnswer = answer;
        using var issuance = Issuance();

        await issuance.RunAsync(CancellationToken.None);

        Assert.That((_authority.Asked.Count, _authority.Orders.Count), Is.EqualTo((1, 0)));
    }

    [Test]
    public async Task An_authority_that_cannot_be_reached_is_tried_again_and_what_is_there_is_served()
    {
        Save(TimeSpan.FromDays(1));
        using var issuance = Issuance();
        await _authority.DisposeAsync();

        await issuance.RunAsync(CancellationToken.None);

        Assert.That(issuance.Problems["garden.test"], Does.Contain("refused"));
        Assert.That(_bed.Tls.Certificates.Find("garden.test"), Is.Not.Null);
    }

    [Test]
    public async Task A_host_that_a_file_serves_needs_no_order()
    {
        _bed.Ca.Write(_bed.Directory, "garden", "garden.test");
        _bed.Files.Refresh();
        using var issuance = Issuance();

        await issuance.RunAsync(CancellationToken.None);

        Assert.That(_authority.Orders, Is.Empty);
    }

    private void Save(TimeSpan goodFor)
    {
        var (chain, key) = _bed.Ca.Issue(goodFor, "garden.test");
        new IssuedFiles(_data).Save("garden.test", chain, key);
    }

    private static string Window(DateTimeOffset start, DateTimeOffset end) =>
        new JsonObject { ["suggestedWindow"] = new JsonObject { ["start"] = Text(start), ["end"] = Text(end) } }.ToJsonString();

    private static string Text(DateTimeOffset time) => time.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    private CertificateIssuance Issuance() =>
        new(_authority.Settings, _data, _bed.Bed.Router, new EdgeOptions { Tls = _bed.Tls }, _time, _log);
}
