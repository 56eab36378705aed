using Orchestrator.Deployments;

namespace Orchestrator.Tests.Journal.Sqlite;

[TestFixture]
public sealed class AdmissionTests
{
    private JournalFixture _fixture = null!;

    [SetUp]
    public async Task OpenAsync() => _fixture = await JournalFixture.OpenAsync();

    [TearDown]
    public void Close() => _fixture.Dispose();

    [Test]
    public async Task Sixteen_requests_with_one_key_are_one_deployment()
    {
        var admissions = await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => Task.Run(() =>
            _fixture.Journal.AdmitAsync(JournalFixture.Deploy("garden", ("app", "garden:2")), "delivery-1", CancellationToken.None))));

        Assert.That(admissions.Select(admission => admission.Deployment.Id).Distinct().Count(), Is.EqualTo(1));
        Assert.That(admissions.Count(admission => !admission.Known), Is.EqualTo(1));
        Assert.That(await _fixture.Journal.ListDeploymentsAsync("garden", 100, CancellationToken.None), Has.Length.EqualTo(1));
    }

    [Test]
    public async Task Sixteen_requests_without_a_key_leave_one_in_the_queue_with_what_all_of_them_asked_for()
    {
        await Task.WhenAll(Enumerable.Range(0, 16).Select(i => Task.Run(() =>
            _fixture.Journal.AdmitAsync(JournalFixture.Deploy("garden", ($"service{i:00}", "image:2")), null, CancellationToken.None))));

        var all = await _fixture.Journal.ListDeploymentsAsync("garden", 100, CancellationToken.None);
        Assert.That(all, Has.Length.EqualTo(16));
        Assert.That(all.Count(deployment => deployment.State == DeploymentState.Superseded), Is.EqualTo(15));
        Assert.That(all[0].State, Is.EqualTo(DeploymentState.Queued), "the newest");
        Assert.That(all[0].Request.Images, Has.Count.EqualTo(16));
    }

    [Test]
    public async Task A_key_belongs_to_its_stack()
    {
        var garden = await AdmitAsync(JournalFixture.Deploy("garden"), "commit-1");
        var shop = await AdmitAsync(JournalFixture.Deploy("shop"), "commit-1");

        Assert.That(shop.Known, Is.False);
        Assert.That(shop.Deployment.Id, Is.Not.EqualTo(garden.Deployment.Id));
        Assert.That(shop.Superseded, Is.Empty, "stacks are independent of each other");
    }

    [Test]
    public async Task A_key_is_forgotten_after_thirty_days()
    {
        var first = await AdmitAsync(JournalFixture.Deploy("garden"), "key");
        _fixture.Time.Advance(TimeSpan.FromDays(30));
        var again = await AdmitAsync(JournalFixture.Deploy("garden"), "key");
        _fixture.Time.Advance(TimeSpan.FromSeconds(1));
        var later = await AdmitAsync(JournalFixture.Deploy("garden"), "key");

        Assert.That((again.Known, again.Deployment.Id), Is.EqualTo((true, first.Deployment.Id)));
        Assert.That(later.Known, Is.False);
    }

    [Test]
    public async Task A_known_key_gives_the_deployment_as_it_is_now()
    {
        var first = await AdmitAsync(JournalFixture.Deploy("garden"), "key");
        await _fixture.Journal.SaveDeploymentAsync(first.Deployment with { State = DeploymentState.Succeeded, Release = 4 }, CancellationToken.None);

        var again = await AdmitAsync(JournalFixture.Deploy("garden"), "key");

        Assert.That((again.Deployment.State, again.Deployment.Release), Is.EqualTo((DeploymentState.Succeeded, 4)));
    }

    private static readonly object[] Rules =
    [
        new object[] { "nothing before", Array.Empty<DeploymentRequest>(), JournalFixture.Deploy("garden", ("app", "2")), JournalFixture.Deploy("garden", ("app", "2")) },
        new object[]
        {
            "images add up, the newer one wins", new[] { JournalFixture.Deploy("garden", ("app", "1"), ("web", "1")) },
            JournalFixture.Deploy("garden", ("app", "2")), JournalFixture.Deploy("garden", ("app", "2"), ("web", "1")),
        },
        new object[]
        {
            "images over a file keep the file", new[] { JournalFixture.Apply("garden") }, JournalFixture.Deploy("garden", ("app", "2")),
            JournalFixture.Deploy("garden", ("app", "2")) with { File = JournalFixture.Stack("garden") },
        },
        new object[]
        {
            "a file is whole by itself", new[] { JournalFixture.Deploy("garden", ("app", "2")) }, JournalFixture.Apply("garden"), JournalFixture.Apply("garden"),
        },
        new object[]
        {
            "three in a row", new[] { JournalFixture.Apply("garden"), JournalFixture.Deploy("garden", ("app", "2")) with { Force = true } },
            JournalFixture.Deploy("garden", ("web", "3")),
            JournalFixture.Deploy("garden", ("app", "2"), ("web", "3")) with { File = JournalFixture.Stack("garden"), Force = true },
        },
    ];

    [TestCaseSource(nameof(Rules))]
    public async Task A_newer_request_takes_the_place_of_queued_ones(string rule, DeploymentRequest[] before, DeploymentRequest request, DeploymentRequest queued)
    {
        var ids = new List<DeploymentId>();
        foreach (var older in before) ids.Add((await AdmitAsync(older, null)).Deployment.Id);

        var admission = await AdmitAsync(request, null);

        Assert.That(Canonical(admission.Deployment.Request), Is.EqualTo(Canonical(queued)), rule);
        Assert.That(admission.Superseded, Is.EqualTo(ids.TakeLast(1)), rule);
        foreach (var id in ids)
        {
            var older = await _fixture.Journal.FindDeploymentAsync(id, CancellationToken.None);
            Assert.That((older?.State, older?.EndedAt), Is.EqualTo((DeploymentState.Superseded, _fixture.Time.GetUtcNow())), rule);
        }
    }

    [Test]
    public async Task A_running_deployment_is_not_superseded()
    {
        var first = await AdmitAsync(JournalFixture.Deploy("garden"), null);
        await _fixture.Journal.SaveDeploymentAsync(first.Deployment with { State = DeploymentState.Running }, CancellationToken.None);

        var second = await AdmitAsync(JournalFixture.Deploy("garden"), null);

        Assert.That(second.Superseded, Is.Empty);
        Assert.That((await _fixture.Journal.UnfinishedAsync(CancellationToken.None)).Select(deployment => deployment.State),
            Is.EqualTo(new[] { DeploymentState.Running, DeploymentState.Queued }));
    }

    [Test]
    public async Task A_superseded_deployment_cannot_be_begun_by_whoever_still_held_it_as_queued()
    {
        var first = await AdmitAsync(JournalFixture.Deploy("garden"), null);
        await AdmitAsync(JournalFixture.Deploy("garden"), null);

        Assert.That(
            async () => await _fixture.Journal.SaveDeploymentAsync(first.Deployment with { State = DeploymentState.Running }, CancellationToken.None),
            Throws.TypeOf<Orchestrator.Journal.JournalException>().With.Message.EqualTo("Deployment 1 is superseded: it cannot become running."));
    }

    private Task<Orchestrator.Journal.Admission> AdmitAsync(DeploymentRequest request, string? key) =>
        _fixture.Journal.AdmitAsync(request, key, CancellationToken.None);

    private static string Canonical(DeploymentRequest request) => Orchestrator.Journal.Sqlite.JournalJson.Write(request);
}
