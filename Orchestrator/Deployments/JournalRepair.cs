using System.Collections.Immutable;
using System.Globalization;
using Microsoft.Extensions.Logging;
using Orchestrator.Docker;
using Orchestrator.Journal;
using Orchestrator.Journal.Sqlite;

namespace Orchestrator.Deployments;

/// <summary>
/// Makes a damaged journal whole again: from its newest good copy, from what can be read of the damaged file, and from what the engine shows. The damaged file is kept.
/// </summary>
public sealed partial class JournalRepair(
    SqliteDatabase database, JournalBackups backups, JournalReconstruction reconstruction, StackContainers containers, TimeProvider time, ILogger<JournalRepair> logger) : IDisposable
{
    private readonly SemaphoreSlim _turn = new(1, 1);

    /// <param name="rehearse">Says what would be done, and changes nothing.</param>
    /// <exception cref="JournalException">It cannot be repaired while the daemon runs.</exception>
    /// <exception cref="EngineException">The engine cannot be asked what runs.</exception>
    public async Task<RepairReport> RunAsync(bool rehearse, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            var everything = await containers.Engine.ListAsync(null, cancellationToken);
            var work = new Work([], []);
            if (rehearse) await database.RehearseAsync(session => Mend(session, everything, work));
            else await database.WriteAsync(session => Mend(session, everything, work), CancellationToken.None);
            if (work.Done.Count == 0 && database.Health.Damage is null) return new(false, false, [], []);
            if (!rehearse) await FinishAsync(everything, work);
            return new(true, !rehearse, [.. work.Done], [.. work.Lost]);
        }
        finally
        {
            _turn.Release();
        }
    }

    public void Dispose() => _turn.Dispose();

    /// <summary>One transaction on the journal in use, which is the damaged one's stand-in, or the journal itself when only records of it are damaged.</summary>
    private void Mend(SqliteSession session, ImmutableArray<ObservedContainer> everything, Work work)
    {
        if (database.Health.Damage is { } damage)
        {
            work.Done.Add($"serve and go on from {damage.ServedFrom}");
            if (damage.File is { } file)
            {
                var (found, lost) = new JournalSalvage(file, backups.NewestGood()).MergeInto(session);
                work.Done.AddRange(found);
                work.Lost.AddRange(lost);
            }
        }

        foreach (var (stack, number) in ReleaseTable.DamagedNumbers(session)) MendRelease(session, stack, number, work);
        foreach (var damaged in DeploymentTable.Damaged(session, all: true)) Forget(session, damaged, work);
        foreach (var (stack, problem) in StateTable.Damaged(session)) work.Done.Add($"{stack}: its record is made anew from what runs ({problem})");
        foreach (var stack in everything.Where(seen => seen.Agent is not null && reconstruction.IsOurs(seen)).GroupBy(seen => seen.Stack)) Reserve(session, stack, work);
    }

    /// <summary>From a copy that has it whole; else it is gone.</summary>
    private void MendRelease(SqliteSession session, string stack, int number, Work work)
    {
        foreach (var copy in backups.Files)
        {
            if (SqliteDatabase.Peek(copy, good => ReleaseTable.FindWhole(good, stack, number)) is not { } whole) continue;

            ReleaseTable.Put(session, whole);
            work.Done.Add(string.Create(CultureInfo.InvariantCulture, $"{stack}: release {number} from the copy {Path.GetFileName(copy)}"));
            return;
        }

        ReleaseTable.Remove(session, stack, number);
        work.Lost.Add(string.Create(CultureInfo.InvariantCulture, $"{stack}: release {number} is damaged and in no copy: it cannot be rolled back to"));
    }

    /// <summary>What runs tells what came of it, and what it had begun beside that is swept away.</summary>
    private static void Forget(SqliteSession session, DamagedDeployment damaged, Work work)
    {
        DeploymentTable.Remove(session, damaged.Id);
        work.Done.Add($"{damaged.Stack}: {damaged.Problem}; it is taken out of the record");
        work.Lost.Add($"{damaged.Stack}: deployment {damaged.Id}{(damaged.Unfinished ? ", which had not ended: ask for it again" : " is missing in the history")}");
    }

    /// <summary>No number that a container has is given again.</summary>
    private static void Reserve(SqliteSession session, IGrouping<string, ObservedContainer> stack, Work work)
    {
        var (release, deployment) = (stack.Max(seen => seen.Release), stack.Max(seen => long.TryParse(seen.Labels.GetValueOrDefault(Labels.Deployment), out var id) ? id : 0));
        if (ReleaseTable.Reserve(session, stack.Key, release)) work.Done.Add(string.Create(CultureInfo.InvariantCulture, $"{stack.Key}: release numbers go on after {release}, which runs"));
        if (DeploymentTable.Reserve(session, deployment)) work.Done.Add(string.Create(CultureInfo.InvariantCulture, $"deployment numbers go on after {deployment}"));
    }

    /// <summary>What is known now is held against what runs; then the stand-in takes the journal's place.</summary>
    private async Task FinishAsync(ImmutableArray<ObservedContainer> everything, Work work)
    {
        work.Done.AddRange(await reconstruction.ReconcileAsync(everything, work.Lost.Add, CancellationToken.None));
        if (database.Health.Damage?.File is { } damaged)
        {
            var kept = $"{Path.Combine(Path.GetDirectoryName(damaged) ?? "/", "journal.damaged-")}{time.GetUtcNow().UtcDateTime.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture)}.db";
            var standIn = database.Path;
            await database.ReplaceAsync(damaged, () => Swap(damaged, kept, standIn), time);
            work.Done.Add($"the damaged journal is kept as {kept}");
        }

        database.Health.Repaired();
        await backups.MakeAsync(database, CancellationToken.None);
        LogRepaired(string.Join("; ", work.Done), work.Lost.Count == 0 ? "nothing" : string.Join("; ", work.Lost));
    }

    private static void Swap(string damaged, string kept, string standIn)
    {
        foreach (var suffix in new[] { "", "-wal", "-shm" })
        {
            if (File.Exists(damaged + suffix)) File.Move(damaged + suffix, kept + suffix);
        }

        File.Move(standIn, damaged);
    }

    [LoggerMessage(EventId = 2611, Level = LogLevel.Warning, Message = "The journal is repaired: {Done}. Lost: {Lost}")]
    private partial void LogRepaired(string done, string lost);

    private sealed record Work(List<string> Done, List<string> Lost);
}

/// <param name="Needed">Something was wrong.</param>
/// <param name="Done">It is repaired; false for a rehearsal.</param>
/// <param name="Steps">What was done, or would be.</param>
/// <param name="Lost">What could not be brought back.</param>
public sealed record RepairReport(bool Needed, bool Done, ImmutableArray<string> Steps, ImmutableArray<string> Lost);
