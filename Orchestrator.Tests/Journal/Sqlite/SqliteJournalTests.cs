using System.Collections.Immutable;
using System.Diagnostics;
using Orchestrator.Deployments;
using Orchestrator.Journal;
using Orchestrator.Journal.Sqlite;
using Orchestrator.Planning;
using Orchestrator.Stacks;

namespace Orchestrator.Tests.Journal.Sqlite;

[TestFixture]
public sealed class SqliteJournalTests
{
    private JournalFixture _fixture = null!;

    private SqliteJournal Journal => _fixture.Journal;

    [SetUp]
    public async Task OpenAsync() => _fixture = await JournalFixture.OpenAsync();

    [TearDown]
    public void Close() => _fixture.Dispose();

    [Test]
    public async Task A_stack_state_comes_back_as_it_was_saved()
    {
        var state = JournalFixture.State("garden", 7) with { Maintenance = true };
        await Journal.SaveStackAsync(JournalFixture.State("garden", 6), CancellationToken.None);
        await Journal.SaveStackAsync(state, CancellationToken.None);

        Assert.That(JournalJson.Write(await Journal.FindStackAsync("garden", CancellationToken.None)), Is.EqualTo(JournalJson.Write(state)));
        Assert.That(await Journal.FindStackAsync("shop", CancellationToken.None), Is.Null);
        Assert.That(await Journal.ListStacksAsync(CancellationToken.None), Has.Length.EqualTo(1));
    }

    [Test]
    public async Task A_release_comes_back_whole_under_its_number()
    {
        var added = await Journal.AddReleaseAsync(JournalFixture.Release("garden") with { Number = 99 }, CancellationToken.None);
        var found = await Journal.FindReleaseAsync("garden", 1, CancellationToken.None);

        Assert.That(added.Number, Is.EqualTo(1));
        Assert.That(JournalJson.Write(found), Is.EqualTo(JournalJson.Write(JournalFixture.Release("garden") with { Number = 1 })));
        Assert.That(found?.Stack.Services[0].Container.Command, Is.EqualTo(ImmutableArray<string>.Empty), "an empty command is not the image's own");
        Assert.That(found?.Stack.Services[0].Container.Entrypoint, Is.Null);
    }

    [Test]
    public async Task A_number_is_not_given_twice_after_its_release_was_removed()
    {
        await Journal.AddReleaseAsync(JournalFixture.Release("garden"), CancellationToken.None);
        await Journal.AddReleaseAsync(JournalFixture.Release("garden"), CancellationToken.None);
        await Journal.RemoveReleaseAsync("garden", 2, CancellationToken.None);
        await Journal.AddReleaseAsync(JournalFixture.Release("garden"), CancellationToken.None);

        var releases = await Journal.ListReleasesAsync("garden", CancellationToken.None);
        Assert.That(releases.Select(release => release.Number), Is.EqualTo(new[] { 3, 1 }));
        Assert.That((await Journal.AddReleaseAsync(JournalFixture.Release("shop"), CancellationToken.None)).Number, Is.EqualTo(1));
    }

    [Test]
    public async Task Everything_of_a_deployment_comes_back()
    {
        var admitted = await AdmitAsync();
        var deployment = admitted with
        {
            State = DeploymentState.RolledBack,
            StartedAt = _fixture.Time.GetUtcNow(),
            EndedAt = _fixture.Time.GetUtcNow() + TimeSpan.FromTicks(1234567),
            Release = 3,
            Before = JournalFixture.State("garden", 2),
            Plan = new Plan
            {
                Stack = "garden",
                Services =
                [
                    new ServiceAction("app", ServiceActionKind.Replace, ["the image changed"], [new Change("image", "1", "2")], new Generation(Colour.Blue, 2), Colour.Green, false),
                ],
                Notes = ["a note"],
                WarmSwap = true,
            },
            Failure = new StepFailure(FailureReason.BakeFailed, "5 of 100 requests failed", "look"),
            Requests = new RequestCount(100, 5),
            Suspended = true,
        };
        await Journal.SaveDeploymentAsync(deployment, CancellationToken.None);

        var found = await Journal.FindDeploymentAsync(deployment.Id, CancellationToken.None);

        Assert.That(JournalJson.Write(found), Is.EqualTo(JournalJson.Write(deployment)));
        Assert.That(found?.EndedAt, Is.EqualTo(deployment.EndedAt));
    }

    [Test]
    public async Task A_step_begun_twice_is_one_row_with_the_later_start()
    {
        var deployment = await AdmitAsync();
        await Journal.BeginStepAsync(deployment.Id, StepKind.Pull, CancellationToken.None);
        await Journal.EndStepAsync(new StepEnd(deployment, StepKind.Pull, StepState.Failed, "no"), CancellationToken.None);
        _fixture.Time.Advance(TimeSpan.FromSeconds(3));
        await Journal.BeginStepAsync(deployment.Id, StepKind.Plan, CancellationToken.None);
        await Journal.BeginStepAsync(deployment.Id, StepKind.Pull, CancellationToken.None);

        var found = await Journal.FindDeploymentAsync(deployment.Id, CancellationToken.None);

        Assert.That(found?.Steps, Is.EqualTo(new[]
        {
            new StepRecord(StepKind.Plan, StepState.Running, _fixture.Time.GetUtcNow(), null, null),
            new StepRecord(StepKind.Pull, StepState.Running, _fixture.Time.GetUtcNow(), null, null),
        }), "in the order of the steps");
    }

    [Test]
    public async Task An_undone_step_keeps_the_end_of_its_own_work()
    {
        var deployment = await AdmitAsync();
        await Journal.BeginStepAsync(deployment.Id, StepKind.Start, CancellationToken.None);
        _fixture.Time.Advance(TimeSpan.FromSeconds(2));
        var ended = _fixture.Time.GetUtcNow();
        await Journal.EndStepAsync(new StepEnd(deployment, StepKind.Start, StepState.Succeeded, "2 replicas"), CancellationToken.None);
        _fixture.Time.Advance(TimeSpan.FromSeconds(60));
        await Journal.EndStepAsync(new StepEnd(deployment, StepKind.Start, StepState.Undone, "2 replicas"), CancellationToken.None);

        var row = (await Journal.FindDeploymentAsync(deployment.Id, CancellationToken.None))?.Steps.Single();
        Assert.That((row?.State, row?.EndedAt), Is.EqualTo((StepState.Undone, ended)));
    }

    [Test]
    public async Task A_long_history_is_shortened_but_for_what_is_under_way_or_may_be_asked_for_again()
    {
        var keyed = (await Journal.AdmitAsync(JournalFixture.Deploy("garden", ("app", "garden:2")), "delivery", CancellationToken.None)).Deployment;
        await Journal.SaveDeploymentAsync(keyed with { State = DeploymentState.Succeeded, EndedAt = _fixture.Time.GetUtcNow() }, CancellationToken.None);
        for (var i = 0; i < 5; i++)
        {
            var deployment = await AdmitAsync();
            await Journal.BeginStepAsync(deployment.Id, StepKind.Plan, CancellationToken.None);
            await Journal.SaveDeploymentAsync(deployment with { State = DeploymentState.Succeeded, EndedAt = _fixture.Time.GetUtcNow() }, CancellationToken.None);
        }

        var waiting = await AdmitAsync();

        Assert.That(await Journal.PruneDeploymentsAsync("garden", 3, CancellationToken.None), Is.EqualTo(3));
        var left = await Journal.ListDeploymentsAsync("garden", 100, CancellationToken.None);
        Assert.That(left.Select(deployment => deployment.Id.Value), Is.EqualTo(new[] { waiting.Id.Value, waiting.Id.Value - 1, waiting.Id.Value - 2, keyed.Id.Value }));

        _fixture.Time.Advance(TimeSpan.FromDays(31));
        Assert.That(await Journal.PruneDeploymentsAsync("garden", 3, CancellationToken.None), Is.EqualTo(1), "nobody may ask for it again");
    }

    [Test]
    public async Task The_end_of_a_step_is_one_transaction_with_the_state_and_the_commit()
    {
        var release = await Journal.AddReleaseAsync(JournalFixture.Release("garden"), CancellationToken.None);
        var deployment = await AdmitAsync() with { State = DeploymentState.Succeeded, Release = release.Number };
        await Journal.EndStepAsync(
            new StepEnd(deployment, StepKind.Commit, StepState.Succeeded, "done", JournalFixture.State("garden", 1), CommitRelease: true), CancellationToken.None);

        Assert.That((await Journal.FindReleaseAsync("garden", 1, CancellationToken.None))?.Committed, Is.True);
        Assert.That((await Journal.FindStackAsync("garden", CancellationToken.None))?.CurrentRelease, Is.EqualTo(1));
        Assert.That((await Journal.FindDeploymentAsync(deployment.Id, CancellationToken.None))?.State, Is.EqualTo(DeploymentState.Succeeded));
    }

    [Test]
    public async Task An_end_of_a_step_that_cannot_be_written_whole_is_not_written_at_all()
    {
        var deployment = await AdmitAsync() with { State = DeploymentState.Succeeded, Release = 42 };
        var end = new StepEnd(deployment, StepKind.Commit, StepState.Succeeded, "done", JournalFixture.State("garden", 42), CommitRelease: true);

        Assert.That(async () => await Journal.EndStepAsync(end, CancellationToken.None), Throws.TypeOf<JournalException>());

        var found = await Journal.FindDeploymentAsync(deployment.Id, CancellationToken.None);
        Assert.That((found?.State, found?.Steps.Length), Is.EqualTo((DeploymentState.Queued, 0)));
        Assert.That(await Journal.FindStackAsync("garden", CancellationToken.None), Is.Null);
    }

    [Test]
    public async Task Deployments_are_listed_newest_first()
    {
        for (var i = 0; i < 3; i++) await Journal.AdmitAsync(JournalFixture.Deploy(i == 1 ? "shop" : "garden"), null, CancellationToken.None);

        Assert.That((await Journal.ListDeploymentsAsync(null, 2, CancellationToken.None)).Select(deployment => deployment.Id.Value), Is.EqualTo(new[] { 3, 2 }));
        Assert.That((await Journal.ListDeploymentsAsync("garden", 9, CancellationToken.None)).Select(deployment => deployment.Id.Value), Is.EqualTo(new[] { 3, 1 }));
    }

    [Test]
    public async Task What_was_written_is_there_after_the_file_was_closed_and_opened()
    {
        await AdmitAsync();
        _fixture.Database.Dispose();

        using var again = await SqliteDatabase.OpenAsync(_fixture.Database.Path, _fixture.Time, CancellationToken.None);

        Assert.That(await new SqliteJournal(again, _fixture.Time).UnfinishedAsync(CancellationToken.None), Has.Length.EqualTo(1));
    }

    [Test]
    public async Task Readers_see_whole_transactions_while_the_writer_writes()
    {
        var deployment = await AdmitAsync();
        using var stop = new CancellationTokenSource();
        var writer = Task.Run(async () =>
        {
            for (var i = 1; i <= 100; i++)
            {
                await Journal.EndStepAsync(
                    new StepEnd(deployment with { State = DeploymentState.Running, Requests = new RequestCount(i, i) }, StepKind.Shift, StepState.Succeeded, $"{i}"),
                    CancellationToken.None);
            }

            await stop.CancelAsync();
        });
        while (!stop.IsCancellationRequested)
        {
            var found = await Journal.FindDeploymentAsync(deployment.Id, CancellationToken.None);
            if (found is { Steps: [{ } step] }) Assert.That(step.Detail, Is.EqualTo($"{found.Requests.Total}"));
        }

        await writer;
    }

    [Test]
    public async Task A_step_costs_little()
    {
        var deployment = (await Journal.AdmitAsync(JournalFixture.Apply("garden"), null, CancellationToken.None)).Deployment;
        await Journal.BeginStepAsync(deployment.Id, StepKind.Plan, CancellationToken.None);
        var durable = await MeasureAsync(deployment);
        await _fixture.Database.PragmaAsync("synchronous = OFF");
        var ours = await MeasureAsync(deployment);

        await TestContext.Out.WriteLineAsync(
            $"begin + end of a step with a new stack state: {durable.TotalMilliseconds:0.000} ms, of these without fsync {ours.TotalMilliseconds:0.000} ms");
        Assert.That(ours, Is.LessThan(TimeSpan.FromMilliseconds(10)), "1 ms at rest; the rest is for a busy machine");
    }

    private async Task<TimeSpan> MeasureAsync(Deployment deployment)
    {
        const int rounds = 200;
        var started = Stopwatch.GetTimestamp();
        for (var i = 0; i < rounds; i++)
        {
            await Journal.BeginStepAsync(deployment.Id, StepKind.Shift, CancellationToken.None);
            await Journal.EndStepAsync(new StepEnd(deployment, StepKind.Shift, StepState.Succeeded, "x", JournalFixture.State("garden", i)), CancellationToken.None);
        }

        return Stopwatch.GetElapsedTime(started) / rounds;
    }

    private async Task<Deployment> AdmitAsync() =>
        (await Journal.AdmitAsync(JournalFixture.Deploy("garden", ("app", "garden:2")), null, CancellationToken.None)).Deployment;
}
