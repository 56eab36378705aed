using System.Globalization;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Orchestrator.Backups;
using Orchestrator.Backups.Postgres;
using Orchestrator.Backups.Sets;
using Orchestrator.Scheduling;
using Orchestrator.Tests.Engine;
using Orchestrator.Tests.GardenApp;
using Quartz;

namespace Orchestrator.Tests.Agent;

/// <summary>Nights of a running daemon with a real PostgreSQL: schedules make sets and drills, and retention takes away what nobody needs, and nothing else.</summary>
public sealed class BackupScheduleDaemonTests
{
    private static readonly JobKey Job = new("backups");

    /// <summary>What a backup or a drill may take on a machine that has a lot to do.</summary>
    private static readonly TimeSpan Work = TimeSpan.FromMinutes(4);

    private readonly SettableClock _clock = new();
    private readonly string _stack = TestDaemon.NewName();
    private NpgsqlDataSource _database = null!;
    /// <summary>The day before that of the yearly drill, so that there is one.</summary>
    private DateTimeOffset _day = new(2031, 3, 3, 12, 0, 0, TimeSpan.Zero);

    [TearDown]
    public async Task RemoveAsync()
    {
        if (_database is not null) await _database.DisposeAsync();
        await TestDaemon.RemoveStackAsync(_stack);
    }

    [Test]
    public async Task Nights_make_sets_drills_prove_them_and_retention_keeps_three_proved_ones_and_the_log_that_a_kept_set_needs()
    {
        _clock.Set(_day);
        await using var daemon = await RunningDaemon.StartAsync(time: _clock);
        await AppliedAsync(daemon);
        await FirstAsync(daemon);
        Assert.That((await daemon.RunAsync("status")).Out, Does.Contain($"backups: {_stack}: No set has been proved").And.Contain($"backups: {_stack}: Only one key can read the backups"));
        await ProvedAsync(daemon, 1);
        await NightAsync(daemon, 2);
        await MorningAsync(daemon);
        Assert.That((await daemon.RunAsync("status", _stack)).Out, Does.Contain("backups: Only one key can read the backups").And.Not.Contain("No set has been proved"));
        foreach (var night in new[] { 3, 4 })
        {
            await NightAsync(daemon, night);
            await ProvedAsync(daemon, night);
        }

        // Four are proved, and one a day is asked for: the oldest may go, and three stay whatever is asked for.
        Assert.That(await KeptAsync(daemon), Is.EqualTo(new[] { "4 kept", "3 kept", "2 kept", "1 goes" }));
        var dry = await daemon.RunAsync("backup", "prune", _stack, "--dry-run");
        Assert.That(dry.Out, Does.Match(@"000001-\S+ +go +no rule keeps it").And.Match(@"000002-\S+ +stay +one of the 3 newest that are verified").And.Match(@"000004-\S+ +stay .*the stream of postgres continues from it"));
        Assert.That(Sets(daemon), Is.EqualTo(new[] { 1L, 2, 3, 4 }), "saying it has changed nothing");
        var before = Pieces(daemon);

        await NightAsync(daemon, 5);

        Assert.That(Sets(daemon), Is.EqualTo(new[] { 2L, 3, 4, 5 }), "the night's run has pruned: three proved ones, and the newest, which waits for its drill");
        Assert.That((await BooksAsync(daemon))["sets"]!.AsArray().Single(set => set!["number"]!.GetValue<long>() == 1)!["state"]!.GetValue<string>(), Is.EqualTo("deleted"));
        var oldest = await SetAsync(daemon, 2);
        var needed = oldest.Manifest!.Parts.Single(part => part.Kind == "postgres").Facts[BackupFacts.StreamFrom];
        var left = Pieces(daemon);
        Assert.That(left.Min(piece => piece.Start), Is.GreaterThan(before.Min(piece => piece.Start)), "log that no set needs any more is gone");
        Assert.That(left.Count(piece => string.CompareOrdinal(piece.Key, needed) < 0), Is.LessThanOrEqualTo(1), "but for the piece that may reach into it");
        Assert.That(WalChain.Gaps(left, [new(1, left.Min(piece => piece.Start), null)]), Is.Empty, "from the oldest kept base on, all of it is there");
        Assert.That(
            before.Where(piece => string.CompareOrdinal(piece.Key, needed) >= 0 && !left.Any(one => one.Timeline == piece.Timeline && one.Start <= piece.Start && one.End >= piece.End)),
            Is.Empty,
            "and nothing that it needs is missing, be it that small pieces have become one meanwhile");

        // A clock that was years ahead, and is set right: schedules go on from now, sets follow by their numbers, and none is taken for old.
        _day = _day.AddYears(-4);
        _clock.Set(_day);
        await daemon.Services.GetRequiredService<BackupCalendar>().LookAsync(CancellationToken.None);
        await NightAsync(daemon, 6);
        Assert.That(Sets(daemon), Is.EqualTo(new[] { 2L, 3, 4, 5, 6 }));

        // Of three days without a set somebody is told: here the daemon does not look at its schedules, which is the fault that is meant.
        await (await SchedulerAsync(daemon)).PauseJob(Job);
        _clock.Set(_day.AddDays(3));
        Assert.That((await daemon.RunAsync("status", _stack)).Out, Does.Contain("backups: A set is overdue: it was due at"));
        await MeasuredAsync(daemon);
    }

    private async Task MeasuredAsync(RunningDaemon daemon)
    {
        var metrics = await daemon.Socket.GetStringAsync("/metrics");
        foreach (var name in new[] { "last_success_timestamp_seconds", "last_proved_timestamp_seconds", "duration_seconds", "size_bytes", "rto_seconds", "content_jumps", "missing_outcomes" })
            Assert.That(metrics, Does.Contain($"basmalin_backup_{name}{{stack=\"{_stack}\"}}"));
        foreach (var name in new[] { "rpo_seconds", "rpo_bytes" })
        {
            foreach (var place in new[] { "local", "off-host" }) Assert.That(metrics, Does.Contain($"basmalin_backup_{name}{{stack=\"{_stack}\",service=\"postgres\",place=\"{place}\"}}"));
        }

        foreach (var name in new[] { "slot_bytes", "slot_full_seconds" }) Assert.That(metrics, Does.Contain($"basmalin_backup_{name}{{stack=\"{_stack}\",service=\"postgres\"}}"));
        foreach (var place in new[] { "local", "host" })
        {
            Assert.That(metrics, Does.Match($"basmalin_backup_disk_free_bytes{{place=\"{place}\"}} [1-9]"));
            Assert.That(metrics, Does.Contain($"basmalin_backup_disk_full_seconds{{place=\"{place}\"}}"));
        }
    }

    private async Task AppliedAsync(RunningDaemon daemon)
    {
        using var content = new StringContent(KeptDatabase.Compose(_stack, "every: \"0 1 * * *\", wal: true, keep: { daily: 1 }, drill: \"30 5 4 3 *\""), Encoding.UTF8, "application/yaml");
        using var answer = await daemon.Socket.PostAsync("/api/v1/stacks?directory=/tmp", content);
        Assert.That(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
        await Eventually.TrueAsync(async () =>
        {
            var newest = (await daemon.Socket.GetFromJsonAsync<JsonArray>($"/api/v1/deployments?stack={_stack}"))![0]!;
            Assert.That(newest["state"]!.GetValue<string>(), Is.AnyOf("queued", "running", "succeeded"), newest.ToJsonString());
            return newest["state"]!.GetValue<string>() == "succeeded";
        }, "the stack runs", Work);
        _database = await KeptDatabase.OpenAsync(_stack);
        await KeptDatabase.ExecuteAsync(_database, "CREATE TABLE notes (id int)");
    }

    /// <summary>From now on the schedule counts; and a log that begins is answered with a first set, which it continues.</summary>
    private async Task FirstAsync(RunningDaemon daemon) => await Eventually.TrueAsync(
        async () =>
        {
            await LookAsync(daemon);
            return (await BooksAsync(daemon))["sets"]!.AsArray() is [var set] && set!["state"]!.GetValue<string>() == "succeeded" && set["reason"]!.GetValue<string>() == "stream";
        },
        "the log is received, and the set that it begins with is made",
        Work);

    /// <summary>It is past one o'clock of the next day, and the daemon looks at its schedules, as it does a few times a minute.</summary>
    private async Task NightAsync(RunningDaemon daemon, int number)
    {
        await KeptDatabase.ExecuteAsync(_database, string.Create(CultureInfo.InvariantCulture, $"INSERT INTO notes VALUES ({number}); SELECT pg_switch_wal()"));
        _day = _day.AddDays(1);
        _clock.Set(new(_day.Date.AddHours(1.5), TimeSpan.Zero));
        await LookAsync(daemon);
        await Eventually.TrueAsync(async () => (await BooksAsync(daemon))["runs"]!.AsArray().Where(run => run!["work"]!.GetValue<string>() == "backup").Any(run =>
        {
            Assert.That(run!["outcome"]!.GetValue<string>(), Is.AnyOf("running", "success"), run.ToJsonString());
            return run["outcome"]!.GetValue<string>() == "success" && DateTimeOffset.Parse(run["dueAt"]!.GetValue<string>(), CultureInfo.InvariantCulture).Date == _day.Date;
        }), $"set {number} is made", Work);
    }

    private async Task MorningAsync(RunningDaemon daemon)
    {
        _clock.Set(new(_day.Date.AddHours(6), TimeSpan.Zero));
        await LookAsync(daemon);
        await Eventually.TrueAsync(async () => (await BooksAsync(daemon))["drills"]!.AsArray() is [var drill, ..] && drill!["passed"]!.GetValue<bool>(), "the set is proved by the drill that was due", Work);
    }

    /// <summary>As a drill writes it down; one real drill is enough for this.</summary>
    private async Task ProvedAsync(RunningDaemon daemon, int number) =>
        await daemon.Services.GetRequiredService<SetLedger>().SaveAsync(await SetAsync(daemon, number) with { ProvedAt = _clock.GetUtcNow() }, CancellationToken.None);

    private async Task<BackupSetRecord> SetAsync(RunningDaemon daemon, int number) =>
        (await daemon.Services.GetRequiredService<SetLedger>().StandingAsync(_stack, CancellationToken.None)).Single(set => set.Sequence == number);

    private async Task<IEnumerable<string>> KeptAsync(RunningDaemon daemon)
    {
        var plan = (await daemon.Socket.GetFromJsonAsync<JsonNode>($"/api/v1/stacks/{_stack}/backups/retention"))!;
        Assert.That(plan["blocked"], Is.Null);
        return plan["sets"]!.AsArray().Select(set => $"{new BackupSetId(set!["set"]!.GetValue<string>()).Sequence} {(set["kept"]!.GetValue<bool>() ? "kept" : "goes")}").ToList();
    }

    private IEnumerable<long> Sets(RunningDaemon daemon) =>
        Directory.EnumerateFiles(Path.Combine(daemon.Options.Data, "backups", _stack, "sets"), BackupLayout.Manifest, SearchOption.AllDirectories)
            .Select(file => new BackupSetId(Path.GetFileName(Path.GetDirectoryName(file)!)).Sequence).Order().ToList();

    private List<WalPiece> Pieces(RunningDaemon daemon)
    {
        var root = Path.Combine(daemon.Options.Data, "backups");
        return [.. Directory.EnumerateFiles(Path.Combine(root, _stack, "streams"), "*.zst.age", SearchOption.AllDirectories).Select(file => WalPiece.Parse(Path.GetRelativePath(root, file))).OfType<WalPiece>()];
    }

    private async Task<JsonNode> BooksAsync(RunningDaemon daemon) => (await daemon.Socket.GetFromJsonAsync<JsonNode>($"/api/v1/stacks/{_stack}/backups"))!;

    private static async Task LookAsync(RunningDaemon daemon) => await (await SchedulerAsync(daemon)).TriggerJob(Job);

    private static async Task<IScheduler> SchedulerAsync(RunningDaemon daemon) => await daemon.Services.GetRequiredService<ISchedulerFactory>().GetScheduler();
}
