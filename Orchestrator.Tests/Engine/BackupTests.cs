using System.Net;
using Orchestrator.Backups.Encryption;
using Orchestrator.Backups.Sets;
using Orchestrator.Deployments;
using Orchestrator.Docker;
using Orchestrator.Restores;
using Orchestrator.Secrets;
using Orchestrator.Tests.Journal;

namespace Orchestrator.Tests.Engine;

/// <summary>A whole stack backed up, proved and brought back: real PostgreSQL, Redis, files and application.</summary>
public sealed class BackupTests
{
    [Test]
    public async Task A_stack_is_proved_by_a_drill_and_brought_back_as_it_was_and_that_can_be_undone()
    {
        using var store = new TemporaryDirectory();
        await using var daemon = await TestDaemon.WithBackupsAsync(store.Path);
        var garden = await BeginAsync(daemon);
        var before = await PictureAsync(daemon, garden.Name);

        var made = await daemon.FinishAsync(daemon.Backups.BackUp(garden.Name, "manual"));
        Assert.That(made.State, Is.EqualTo(OperationState.Succeeded), made.Problem);
        var drill = await daemon.FinishAsync(daemon.Backups.Drill(garden.Name, null));
        Assert.That(drill.State, Is.EqualTo(OperationState.Succeeded), drill.Problem);
        await ProvedAsync(daemon, garden.Name);
        Assert.That(await PictureAsync(daemon, garden.Name), Is.EqualTo(before), "the drill has touched production");
        Assert.That(await LeftoversAsync(daemon, garden.Name), Is.Empty);

        await garden.SpoilAsync();
        var preview = await daemon.Restores.PreviewAsync(garden.Name, made.Result!, CancellationToken.None);
        Assert.That(preview.Services.Single(service => service.Service == "postgres").Changes.Where(change => change.What.Contains("notes", StringComparison.Ordinal)).Select(change => (change.Now, change.Then)), Is.EqualTo(new[] { ((long?)null, (long?)3) }));

        var restored = await daemon.FinishAsync(await daemon.Restores.RestoreAsync(garden.Name, made.Result!, "test", CancellationToken.None));
        Assert.That(restored.State, Is.EqualTo(OperationState.Succeeded), restored.Problem);
        await garden.IsAsSeededAsync();
        Assert.That((await daemon.GetAsync(garden.Host, "/api/gardens")).Status, Is.EqualTo(HttpStatusCode.OK));
        Assert.That(await LeftoversAsync(daemon, garden.Name), Is.Empty);

        // What comes later has the restored volumes: the same file applied again changes nothing.
        var again = await daemon.ApplyAsync(garden.Compose());
        Assert.That((again.State, again.Plan!.NothingToDo), Is.EqualTo((DeploymentState.Succeeded, true)), string.Join("; ", again.Plan.Services.SelectMany(action => action.Reasons)));
        await daemon.RestartAsync();
        await garden.IsAsSeededAsync();

        var record = (await daemon.Restores.Ledger.ListAsync(garden.Name, 1, CancellationToken.None)).Single();
        var undone = await daemon.FinishAsync(daemon.Restores.Undo(record));
        Assert.That(undone.State, Is.EqualTo(OperationState.Succeeded), undone.Problem);
        Assert.That(await garden.SqlAsync("SELECT id FROM later"), Is.EqualTo("1"));
        Assert.That(await garden.RedisAsync("GET later"), Is.EqualTo("yes"));
    }

    [Test]
    public async Task A_deployment_takes_a_recovery_point_and_is_undone_together_with_its_data()
    {
        using var store = new TemporaryDirectory();
        await using var daemon = await TestDaemon.WithBackupsAsync(store.Path);
        var garden = await BeginAsync(daemon);

        var second = await daemon.DeployAsync(garden.Name, "app", Garden.Image("2.0.0"));
        Assert.That(second.State, Is.EqualTo(DeploymentState.Succeeded), second.Failure?.ToString());
        var point = (await daemon.Sets.StandingAsync(garden.Name, CancellationToken.None)).Single();
        Assert.That((point.Reason, point.Manifest!.Release), Is.EqualTo(($"before-deployment:{second.Id}", 1)));

        await garden.SpoilAsync();
        var back = await daemon.FinishAsync(await daemon.Restores.RollBackAsync(garden.Name, "test", CancellationToken.None));
        Assert.That(back.State, Is.EqualTo(OperationState.Succeeded), back.Problem);
        await garden.IsAsSeededAsync();
        Assert.That((await daemon.GetAsync(garden.Host, "/version")).Version, Is.EqualTo("1.0.0"));

        // A database that is stopped is a failure, never a silent skip; and nothing is deployed that cannot be protected.
        await daemon.Engine.StopAsync((await garden.ContainerAsync("redis")).Id, TimeSpan.FromSeconds(5), CancellationToken.None);
        var failed = await daemon.FinishAsync(daemon.Backups.BackUp(garden.Name, "manual"));
        Assert.That((failed.State, failed.Problem), Is.EqualTo((OperationState.Failed, $"redis of {garden.Name} does not run, so its data cannot be had")));
        Assert.That((await daemon.Sets.ListAsync(garden.Name, 1, CancellationToken.None)).Single().State, Is.EqualTo(BackupSetState.Failed));
        var refused = await daemon.DeployAsync(garden.Name, "app", Garden.Image("2.0.0"));
        Assert.That((refused.State, refused.Failure!.Reason), Is.EqualTo((DeploymentState.Failed, FailureReason.BackupFailed)));
    }

    [Test]
    public async Task A_set_in_whose_middle_the_daemon_died_never_existed_and_a_drill_leaves_nothing_behind()
    {
        using var store = new TemporaryDirectory();
        await using var daemon = await TestDaemon.WithBackupsAsync(store.Path);
        var garden = await BeginAsync(daemon);
        var begun = await daemon.Sets.BeginAsync(garden.Name, "schedule", 0, CancellationToken.None);
        var half = Path.Combine(store.Path, garden.Name, "sets", begun.Id.Value, "postgres");
        Directory.CreateDirectory(half);
        await File.WriteAllTextAsync(Path.Combine(half, "base.tar.zst.age"), "half");
        var shadow = Shadow.NameOf(garden.Name, "drill", 1);
        await daemon.Get<RestoreLedger>().BeginShadowAsync(shadow, garden.Name, CancellationToken.None);
        await TestDaemon.DockerAsync($"volume create --label {Labels.Stack}={shadow} {shadow}_data");

        await daemon.RestartAsync();

        var record = (await daemon.Sets.FindAsync(garden.Name, begun.Id, CancellationToken.None))!;
        Assert.That((record.State, record.Problem), Is.EqualTo((BackupSetState.Failed, "The daemon ended in the middle of it.")));
        Assert.That(Directory.EnumerateFiles(store.Path, "*", SearchOption.AllDirectories), Is.Empty);
        Assert.That(await LeftoversAsync(daemon, garden.Name), Is.Empty);

        // Two at once: the second waits for its turn, and both are whole.
        var first = daemon.Backups.BackUp(garden.Name, "manual");
        var second = daemon.Backups.BackUp(garden.Name, "manual");
        Assert.That(((await daemon.FinishAsync(first)).State, (await daemon.FinishAsync(second)).State), Is.EqualTo((OperationState.Succeeded, OperationState.Succeeded)));
        Assert.That((await daemon.Sets.StandingAsync(garden.Name, CancellationToken.None)).Select(set => set.Sequence), Is.EqualTo(new[] { 3, 2 }));

        // A set that was changed in the store is found out, whoever changed it.
        var newest = (await daemon.Sets.StandingAsync(garden.Name, CancellationToken.None))[0];
        var dump = newest.Manifest!.Parts.Single(part => part.Kind == "redis").Objects.Single();
        await FlipAsync(Path.Combine(store.Path, dump.Key));
        var drilled = await daemon.FinishAsync(daemon.Backups.Drill(garden.Name, newest.Id));
        Assert.That(drilled.State, Is.EqualTo(OperationState.Failed));
        Assert.That((await daemon.Drills.ListAsync(garden.Name, 1, CancellationToken.None)).Single().Passed, Is.False);
        var verified = await daemon.FinishAsync(daemon.Backups.Verify(newest));
        Assert.That(verified.Problem, Does.Contain("whole in 0 of 1 stores"));
        Assert.That(await LeftoversAsync(daemon, garden.Name), Is.Empty);
    }

    [Test]
    public async Task An_empty_machine_brings_the_stack_up_from_a_store_and_a_key()
    {
        using var store = new TemporaryDirectory();
        var key = AgeIdentity.Generate();
        var name = TestDaemon.NewName();
        await using (var lost = await TestDaemon.WithBackupsAsync(store.Path, key))
        {
            var garden = await BeginAsync(lost, name);
            await lost.SetSecretAsync(name, "mail-password", "s3cret");
            Assert.That((await lost.FinishAsync(lost.Backups.BackUp(name, "manual"))).State, Is.EqualTo(OperationState.Succeeded));
            await garden.SpoilAsync();                              // after the set: that is lost with the machine
        }

        await using var empty = await TestDaemon.WithBackupsAsync(store.Path, AgeIdentity.Generate());
        var recovery = empty.Get<StackRecovery>();
        Assert.That(await recovery.StacksAsync(null, CancellationToken.None), Is.EqualTo(new[] { name }));
        var wrong = await empty.FinishAsync(empty.Backups.Board.Start(name, "recover", (progress, token) => recovery.RunAsync(new(name, [AgeIdentity.Generate()], "test"), progress, token)));
        Assert.That(wrong.State, Is.EqualTo(OperationState.Failed));
        Assert.That(wrong.Problem, Does.Contain("none of the given keys"));

        empty.Owns(name);
        var recovered = await empty.FinishAsync(empty.Backups.Board.Start(name, "recover", (progress, token) => recovery.RunAsync(new(name, [key], "test"), progress, token)));
        Assert.That(recovered.State, Is.EqualTo(OperationState.Succeeded), recovered.Problem);
        var again = new KeptGarden(empty, name);
        await again.IsAsSeededAsync();
        Assert.That((await empty.GetAsync(again.Host, "/api/gardens")).Status, Is.EqualTo(HttpStatusCode.OK));
        Assert.That((await empty.Get<SecretStore>().FindAsync(name, "mail-password", null, CancellationToken.None))!.Reveal(), Is.EqualTo("s3cret"));
    }

    private static async Task<KeptGarden> BeginAsync(TestDaemon daemon, string? name = null)
    {
        var garden = new KeptGarden(daemon, name ?? TestDaemon.NewName());
        var first = await daemon.ApplyAsync(garden.Compose());
        Assert.That(first.State, Is.EqualTo(DeploymentState.Succeeded), first.Failure?.ToString());
        await garden.SeedAsync();
        return garden;
    }

    private static async Task ProvedAsync(TestDaemon daemon, string stack)
    {
        var record = (await daemon.Drills.ListAsync(stack, 1, CancellationToken.None)).Single();
        foreach (var check in record.Checks) TestContext.Out.WriteLine($"{check.Service}: {check.What}: {check.Detail}");
        foreach (var (phase, seconds) in record.Phases) TestContext.Out.WriteLine($"{phase}: {seconds} s");
        Assert.That(record.Passed, Is.True);
        Assert.That(record.Checks.Where(check => check.What == "content equals the backup's").Select(check => check.Service), Is.EquivalentTo(new[] { "postgres", "redis", "app" }));
        Assert.That(record.Checks.Where(check => check.Service == "app").Select(check => check.What), Does.Contain("comes up").And.Contain("GET /api/gardens"));
        Assert.That(record.Phases.Keys, Is.SupersetOf(new[] { "fetch", "start", "check", "application", "total" }));
        Assert.That((await daemon.Sets.StandingAsync(stack, CancellationToken.None))[0].ProvedAt, Is.EqualTo(record.EndedAt));
        Assert.That(await daemon.Drills.VerifyAsync(CancellationToken.None), Is.Null);
    }

    /// <summary>Containers, when they were started, their addresses and volumes.</summary>
    private static async Task<IEnumerable<string>> PictureAsync(TestDaemon daemon, string stack) =>
        (await daemon.ContainersAsync(stack)).Select(seen => $"{seen.Id} {seen.StartedAt:O} {string.Join(',', seen.Addresses)} {string.Join(',', seen.Directories)}").Order().ToList();

    /// <summary>What there is on the engine of drills and restores of the stack.</summary>
    private static async Task<IEnumerable<string>> LeftoversAsync(TestDaemon daemon, string stack)
    {
        var all = await TestDaemon.DockerAsync("ps -a --format {{.Names}}") + await TestDaemon.DockerAsync("network ls --format {{.Name}}") + await TestDaemon.DockerAsync("volume ls --format {{.Name}}");
        Assert.That(await daemon.Get<RestoreLedger>().ShadowsAsync(CancellationToken.None), Is.Empty);
        return all.Split('\n').Where(found => found.StartsWith($"{stack}.drill", StringComparison.Ordinal) || found.StartsWith($"{stack}.restore", StringComparison.Ordinal));
    }

    private static async Task FlipAsync(string path)
    {
        var bytes = await File.ReadAllBytesAsync(path);
        bytes[bytes.Length / 2] ^= 1;
        await File.WriteAllBytesAsync(path, bytes);
    }
}
