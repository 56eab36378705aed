using System.Globalization;
using System.Text.Json;
using Orchestrator.Backups;
using Orchestrator.Backups.Postgres;
using Orchestrator.Backups.Sets;
using Orchestrator.Deployments;
using Orchestrator.Restores;
using Orchestrator.Tests.GardenApp;
using Orchestrator.Tests.Journal;

namespace Orchestrator.Tests.Engine;

/// <summary>A stack whose database is received to the second and dumped as well: back to any moment, and proved in two formats.</summary>
public sealed class SecondFormatTests
{
    [Test]
    public async Task A_dropped_table_comes_back_as_of_the_second_before_and_a_dump_is_a_set_apart_that_is_proved()
    {
        using var store = new TemporaryDirectory();
        await using var daemon = await TestDaemon.WithBackupsAsync(store.Path);
        var garden = new KeptGarden(daemon, TestDaemon.NewName());
        var applied = await daemon.ApplyAsync(garden.Compose(postgres: "wal: true, dump: \"0 3 * * 0\", export: { notes: id }"));
        Assert.That(applied.State, Is.EqualTo(DeploymentState.Succeeded), applied.Failure?.ToString());
        await garden.SeedAsync();
        var streams = daemon.Get<ContinuousStreams>();
        await streams.KeepAsync(CancellationToken.None);
        await Eventually.TrueAsync(() => Task.FromResult(streams.States.Any(state => state.Streaming)), "the log is received");
        var made = await daemon.FinishAsync(daemon.Backups.BackUp(garden.Name, "manual"));
        Assert.That(made.State, Is.EqualTo(OperationState.Succeeded), made.Problem);

        var dumped = await daemon.FinishAsync(daemon.Backups.Dump(garden.Name, "manual"));
        Assert.That(dumped.State, Is.EqualTo(OperationState.Succeeded), dumped.Problem);
        await ApartAsync(daemon, garden.Name, made, dumped);

        await garden.SqlAsync("INSERT INTO notes VALUES (4, 'after every set')");
        var moment = await garden.SqlAsync("SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')");
        await garden.SqlAsync("DROP TABLE notes; CREATE TABLE later (id int)");
        await Eventually.TrueAsync(() => Task.FromResult(Through(store.Path) > DateTimeOffset.Parse(moment, CultureInfo.InvariantCulture)), "the store has the log beyond the moment");

        var restored = await daemon.FinishAsync(await daemon.Restores.RestoreAsync(garden.Name, moment, "test", CancellationToken.None));
        Assert.That(restored.State, Is.EqualTo(OperationState.Succeeded), restored.Problem);
        Assert.That(await garden.SqlAsync("SELECT string_agg(body, ',' ORDER BY id) FROM notes"), Is.EqualTo("first,second,third,after every set"));
        Assert.That(await garden.SqlAsync("SELECT to_regclass('later') IS NULL"), Is.EqualTo("t"));
    }

    private static async Task ApartAsync(TestDaemon daemon, string stack, BackupOperation made, BackupOperation dumped)
    {
        var standing = await daemon.Sets.StandingAsync(stack, CancellationToken.None);
        Assert.That(standing.Select(set => (set.Id.Value, set.IsDump, Proved: set.ProvedAt is not null)), Is.EqualTo(new[] { (dumped.Result!, true, true), (made.Result!, false, false) }));
        var drill = (await daemon.Drills.ListAsync(stack, 1, CancellationToken.None)).Single();
        Assert.That((drill.Set, drill.Passed, drill.OfStack), Is.EqualTo((dumped.Result!, true, false)));
        Assert.That(RestoreChoice.Find(stack, "latest", standing).Set.Id.Value, Is.EqualTo(made.Result), "a stack is brought back from the physical copy");
        Assert.That((await Assert.ThrowsAsync<BackupFailedException>(() => daemon.Restores.PreviewAsync(stack, dumped.Result!, CancellationToken.None)))!.Message, Does.Contain("is a logical dump"));

        // The rows of one person, who knows of no other.
        using var rows = new MemoryStream();
        var exported = await daemon.Get<DataExports>().RunAsync(stack, "postgres", "2", null, () => Task.FromResult<Stream>(rows), CancellationToken.None);
        Assert.That(exported.State, Is.EqualTo(OperationState.Succeeded), exported.Problem);
        using var document = JsonDocument.Parse(rows.ToArray());
        Assert.That(document.RootElement.GetProperty("tables").GetProperty("public.notes").EnumerateArray().Select(row => row.GetProperty("body").GetString()), Is.EqualTo(new[] { "second" }));

        // A row that is not what it was when it was dumped. (What differs is the record: the objects are whole, or they could not be read.)
        var dump = standing[0];
        var part = dump.Manifest!.Parts.Single();
        var other = dump with { Manifest = dump.Manifest with { Parts = [part with { Fingerprints = part.Fingerprints.SetItem("table garden.public.notes", "3:1") }] } };
        await daemon.Sets.SaveAsync(other, CancellationToken.None);
        var drilled = await daemon.FinishAsync(daemon.Backups.Drill(stack, dump.Id));
        Assert.That((drilled.State, drilled.Problem), Is.EqualTo((OperationState.Failed, $"Drill 2: postgres: content equals the backup's: table garden.public.notes: had 3:1, has {part.Fingerprints["table garden.public.notes"]}")));
        await daemon.Sets.SaveAsync(dump, CancellationToken.None);
    }

    /// <summary>Up to when the store has the log.</summary>
    private static DateTimeOffset? Through(string store) =>
        Directory.EnumerateFiles(store, "*.zst.age", SearchOption.AllDirectories).Select(file => WalPiece.Parse(Path.GetRelativePath(store, file))?.Through).Max();
}
