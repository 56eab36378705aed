using CsCheck;
using Orchestrator.Deployments;
using Orchestrator.Journal;
using Orchestrator.Journal.Sqlite;

namespace Orchestrator.Tests.Journal.Sqlite;

/// <summary>
/// A kill or a power cut leaves the file and some prefix of its log. Every such pair must open, and hold what had been acknowledged
/// by the time of the copy, whole.
/// </summary>
[TestFixture]
public sealed class TornWriteTests
{
    [Test]
    public async Task A_copy_taken_between_any_two_writes_holds_all_that_was_acknowledged()
    {
        using var fixture = await JournalFixture.OpenAsync();
        var release = await fixture.Journal.AddReleaseAsync(JournalFixture.Release("garden"), CancellationToken.None);
        var deployment = (await fixture.Journal.AdmitAsync(JournalFixture.Apply("garden"), "key", CancellationToken.None)).Deployment with { Release = release.Number };

        foreach (var step in Enum.GetValues<StepKind>())
        {
            await fixture.Journal.BeginStepAsync(deployment.Id, step, CancellationToken.None);
            await AssertCopyAsync(fixture, step, StepState.Running, (int)step - 1);

            var end = new StepEnd(deployment with { Requests = new RequestCount((long)step, 0) }, step, StepState.Succeeded, null, JournalFixture.State("garden", (int)step));
            await fixture.Journal.EndStepAsync(end, CancellationToken.None);
            await AssertCopyAsync(fixture, step, StepState.Succeeded, (int)step);
        }
    }

    [Test]
    public async Task A_log_that_was_cut_off_anywhere_gives_a_state_that_once_was()
    {
        using var fixture = await JournalFixture.OpenAsync();
        var deployment = (await fixture.Journal.AdmitAsync(JournalFixture.Deploy("garden"), null, CancellationToken.None)).Deployment;
        for (var i = 1; i <= 20; i++)
        {
            var end = new StepEnd(
                deployment with { Requests = new RequestCount(i, 0) }, StepKind.Shift, StepState.Succeeded, $"{i}", JournalFixture.State("garden", i));
            await fixture.Journal.EndStepAsync(end, CancellationToken.None);
        }

        using var copies = new TemporaryDirectory();
        var database = Shared(fixture.Database.Path);
        var log = Shared(fixture.Database.Path + "-wal");
        await Gen.Select(Gen.Int[0, log.Length], Gen.Int[0, 64]).SampleAsync(async sample =>
        {
            var (length, garbage) = sample;
            var copy = copies[$"{Guid.NewGuid():N}.db"];
            await File.WriteAllBytesAsync(copy, database);
            var torn = log[..length];
            torn.AsSpan(Math.Max(0, length - garbage)).Reverse();
            await File.WriteAllBytesAsync(copy + "-wal", torn);
            await AssertConsistentAsync(copy, fixture.Time);
        }, iter: 60, threads: 1);
    }

    private static async Task AssertConsistentAsync(string path, TimeProvider time)
    {
        using var opened = await SqliteDatabase.OpenAsync(path, time, CancellationToken.None);
        var journal = new SqliteJournal(opened, time);
        var found = await journal.FindDeploymentAsync(new DeploymentId(1), CancellationToken.None);
        var state = await journal.FindStackAsync("garden", CancellationToken.None);

        Assert.That(await journal.DamagedStacksAsync(CancellationToken.None), Is.Empty);
        Assert.That(state?.CurrentRelease ?? 0, Is.EqualTo(found?.Requests.Total ?? 0), "one transaction");
        if (found is { Steps: [{ } step] }) Assert.That(step.Detail, Is.EqualTo($"{found.Requests.Total}"));
    }

    private static async Task AssertCopyAsync(JournalFixture fixture, StepKind step, StepState state, int release)
    {
        using var copies = new TemporaryDirectory();
        await File.WriteAllBytesAsync(copies["journal.db"], Shared(fixture.Database.Path));
        await File.WriteAllBytesAsync(copies["journal.db-wal"], Shared(fixture.Database.Path + "-wal"));
        using var opened = await SqliteDatabase.OpenAsync(copies["journal.db"], fixture.Time, CancellationToken.None);
        var journal = new SqliteJournal(opened, fixture.Time);

        var found = (await journal.UnfinishedAsync(CancellationToken.None)).Single();
        Assert.That(found.Steps[^1], Is.EqualTo(new StepRecord(step, state, fixture.Time.GetUtcNow(), state == StepState.Running ? null : fixture.Time.GetUtcNow(), null)));
        Assert.That((await journal.FindStackAsync("garden", CancellationToken.None))?.CurrentRelease ?? -1, Is.EqualTo(release));
    }

    // Through another process's eyes: a handle of this process would drop SQLite's locks when it is closed.
    private static byte[] Shared(string path)
    {
        using var cat = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo("cat", [path]) { RedirectStandardOutput = true })
            ?? throw new InvalidOperationException("cat");
        using var content = new MemoryStream();
        cat.StandardOutput.BaseStream.CopyTo(content);
        cat.WaitForExit();
        return content.ToArray();
    }
}
