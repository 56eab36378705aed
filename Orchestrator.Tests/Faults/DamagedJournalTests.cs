using System.Net;
using System.Net.Http.Json;
using Orchestrator.Tests.Agent;

namespace Orchestrator.Tests.Faults;

/// <summary>A journal that is damaged, on real files, under a real daemon: what runs is served, nothing is deployed, and the repair brings back what can be brought back.</summary>
[Parallelizable(ParallelScope.Children)]
internal sealed class DamagedJournalTests
{
    public enum Damage
    {
        ZeroedHeader,
        Truncated,
        FlippedBytes,
        LostLog,
        EverythingGone,
    }

    [Test]
    public async Task The_daemon_serves_says_so_refuses_and_is_repaired([Values] Damage damage)
    {
        await using var stage = await FaultStage.OpenAsync();
        await FaultKind.StandingAsync(stage);
        await FaultKind.DeployAsync(stage, "ok-2");
        await FaultKind.SucceededAsync(stage);
        await stage.SweptAsync();
        await CopiedAsync(stage);
        var before = await stage.SceneAsync();
        await stage.KillAsync();
        Do(damage, stage.Data);

        await stage.StartAsync();
        Assert.That((await stage.SceneAsync()).Version, Is.EqualTo("2"), $"what runs is served\n{stage.Tail()}");
        Assert.That((await stage.StatusAsync())!["problem"]!.GetValue<string>(), Does.Contain("basmalin doctor --repair"));
        Assert.That(stage.Log, Does.Contain("The journal is damaged"));
        Assert.That(await DoctorAsync(stage), Does.Contain("basmalin doctor --repair"));
        using (var refused = await stage.Api.PostAsJsonAsync($"/api/v1/stacks/{stage.Stack}/deployments", new { images = new Dictionary<string, string> { ["app"] = FaultImages.Name("ok-1") } }))
        {
            Assert.That(refused.StatusCode, Is.EqualTo(HttpStatusCode.ServiceUnavailable));
            Assert.That((await RunningDaemon.JsonAsync(refused))["reason"]!.GetValue<string>(), Is.EqualTo("journalDamaged"));
        }

        var rehearsed = await CliResult.OfAsync(["--socket", stage.Socket, "doctor", "--repair"]);
        Assert.That((rehearsed.ExitCode, rehearsed.Out), Is.EqualTo((1, rehearsed.Out)));
        Assert.That(rehearsed.Out, Does.Contain("Nothing was changed"));
        Assert.That((await stage.StatusAsync())!["problem"], Is.Not.Null, "a rehearsal repairs nothing");

        var repaired = await CliResult.OfAsync(["--socket", stage.Socket, "doctor", "--repair", "--yes", "--json"]);
        TestContext.Out.WriteLine(repaired.Out);
        Assert.That((repaired.ExitCode, repaired.Json["done"]!.GetValue<bool>()), Is.EqualTo((0, true)), repaired.Out + repaired.Error + stage.Tail());
        Assert.That(repaired.Json["lost"]!.AsArray().Count > 0, Is.EqualTo(damage is not (Damage.ZeroedHeader or Damage.LostLog)), "what might be missing is said");
        Assert.That(Directory.GetFiles(stage.Data, "journal.damaged-*.db"), damage == Damage.EverythingGone ? Is.Empty : Has.Length.EqualTo(1), "the evidence is kept");

        // As after any start: the same containers, and the next deployment goes as usual.
        await stage.UntilAsync("nothing is wrong any more", async () => (await stage.StatusAsync())?["problem"] is null);
        var scene = await stage.SceneAsync();
        Assert.That(scene.App, Is.EqualTo(before.App));
        await FaultKind.ApplyAsync(stage, "ok-1", "1");
        await FaultKind.SucceededAsync(stage);
        Assert.That((await stage.SceneAsync()).Version, Is.EqualTo("1"));
        Assert.That(stage.Lost(), Is.Empty);
    }

    [Test]
    public async Task A_running_deployment_of_which_the_record_cannot_be_read_keeps_its_stack_served_until_the_repair()
    {
        await using var stage = await FaultStage.OpenAsync();
        await FaultKind.StandingAsync(stage);
        await stage.KillAsync();
        Execute(Path.Combine(stage.Data, "journal.db"), "UPDATE deployments SET state = 'running', ended_at = NULL, request = 'x' || request");

        await stage.StartAsync();
        Assert.That((await stage.SceneAsync()).Version, Is.EqualTo("1"), $"what runs is served\n{stage.Tail()}");
        Assert.That(await DoctorAsync(stage), Does.Contain("is not understood").And.Contain("basmalin doctor --repair"));
        using (var refused = await stage.Api.PostAsJsonAsync($"/api/v1/stacks/{stage.Stack}/deployments", new { images = new Dictionary<string, string> { ["app"] = FaultImages.Name("ok-2") } }))
            Assert.That((refused.StatusCode, (await RunningDaemon.JsonAsync(refused))["reason"]!.GetValue<string>()), Is.EqualTo((HttpStatusCode.ServiceUnavailable, "journalDamaged")));

        var repaired = await CliResult.OfAsync(["--socket", stage.Socket, "doctor", "--repair", "--yes", "--json"]);
        Assert.That(repaired.ExitCode, Is.Zero, repaired.Out + repaired.Error);
        Assert.That(repaired.Json["lost"]!.AsArray().Single()!.GetValue<string>(), Does.Contain("ask for it again"));
        await FaultKind.ApplyAsync(stage, "ok-2", "2");
        await FaultKind.SucceededAsync(stage);
        Assert.That((await stage.SceneAsync()).Version, Is.EqualTo("2"));
        Assert.That(stage.Lost(), Is.Empty);
    }

    /// <summary>The last copy was made after the last deployment: what came after the copy before it is in the damaged file, or in the copy.</summary>
    private static Task CopiedAsync(FaultStage stage) => stage.UntilAsync("the journal is copied", async () =>
    {
        var ended = (await stage.EndedAsync())!["endedAt"]!.GetValue<DateTimeOffset>();
        return Directory.Exists(Path.Combine(stage.Data, "journal-backups"))
            && Directory.GetFiles(Path.Combine(stage.Data, "journal-backups"), "*.db").Any(file => Orchestrator.Journal.Sqlite.JournalBackups.MadeAt(file) > ended);
    });

    private static void Do(Damage damage, string data)
    {
        var journal = Path.Combine(data, "journal.db");
        switch (damage)
        {
            case Damage.ZeroedHeader:
                Fold(journal);
                Overwrite(journal, 0, 100, _ => 0);
                break;
            case Damage.Truncated:
                Fold(journal);
                using (var file = new FileStream(journal, FileMode.Open)) file.SetLength(file.Length / 2 / 4096 * 4096 + 100);
                break;
            case Damage.FlippedBytes:
                Fold(journal);
                Overwrite(journal, 4096 * 3, 4096 * 4, old => (byte)~old);
                break;
            case Damage.LostLog:
                // The file as it was at the last time that the log was folded in: at the very first start.
                File.Delete(journal + "-wal");
                File.Delete(journal + "-shm");
                break;
            case Damage.EverythingGone:
                Directory.Delete(Path.Combine(data, "journal-backups"), recursive: true);
                foreach (var file in Directory.GetFiles(data, "journal.*")) File.Delete(file);
                break;
        }
    }

    /// <summary>The log into the file, as SQLite does it when it is closed in good order.</summary>
    private static void Fold(string journal) => Execute(journal, "PRAGMA wal_checkpoint(TRUNCATE)");

    private static void Execute(string journal, string statement)
    {
        using var connection = new Microsoft.Data.Sqlite.SqliteConnection($"Data Source={journal};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = statement;
        command.ExecuteNonQuery();
    }

    private static void Overwrite(string path, long from, int count, Func<byte, byte> change)
    {
        using var file = new FileStream(path, FileMode.Open);
        var bytes = new byte[count];
        file.Position = from;
        file.ReadExactly(bytes);
        file.Position = from;
        file.Write([.. bytes.Select(change)]);
    }

    private static async Task<string> DoctorAsync(FaultStage stage)
    {
        using var answer = await stage.Api.GetAsync("/api/v1/doctor");
        return (await RunningDaemon.JsonAsync(answer))["checks"]!.AsArray().Single(check => check!["name"]!.GetValue<string>() == "journal" && check["state"]!.GetValue<string>() == "failed")!.ToJsonString();
    }
}
