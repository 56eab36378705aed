using System.Globalization;
using Orchestrator.Backups.Pipeline;
using Orchestrator.Backups.Redis.Streams;
using Orchestrator.Docker;

namespace Orchestrator.Backups.Redis;

/// <summary>Lays a Redis's data out as of a set, or as of any moment of the stream behind it.</summary>
internal sealed class RedisRestore(BackupPart part, RestoreTarget target, BackupReader reader, IContainerEngine engine, TimeProvider time)
{
    private const string WorkName = ".basmalin-replay";

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var layout = RedisLayout.Of(part, target);
        var wanted = Wanted();
        if (target.Point is RestorePoint.OfSet || await PlanAsync(wanted, cancellationToken) is not { } plan)
        {
            await LayOutSetAsync(layout, cancellationToken);
            return;
        }

        if (layout.AppendOnly)
        {
            await LayOutAsync(layout, plan, wanted, cancellationToken);
            return;
        }

        var work = layout.Within(WorkName);
        try
        {
            await LayOutAsync(work, plan, wanted, cancellationToken);
            await new RedisReplayServer(engine, time).SaveAsync(target, work.DirectoryPath, cancellationToken);
            File.Move(Path.Combine(work.DirectoryPath, "dump.rdb"), layout.BasePath);
        }
        finally
        {
            Directory.Delete(work.DirectoryPath, recursive: true);
        }

        layout.Finish();
    }

    private async Task LayOutSetAsync(RedisLayout layout, CancellationToken cancellationToken)
    {
        layout.MakeDirectories();
        await reader.ReadAsync(Set(), layout.WriteBaseAsync, cancellationToken);
        layout.Finish();
    }

    private async Task LayOutAsync(RedisLayout layout, StreamPlan plan, RedisPosition? wanted, CancellationToken cancellationToken)
    {
        layout.MakeDirectories();
        if (plan.Base.Key is { } key) await reader.ReadAsync(key, layout.WriteBaseAsync, cancellationToken);
        else await reader.ReadAsync(Set(), layout.WriteBaseAsync, cancellationToken);
        await using (var commands = layout.OpenCommands())
        {
            await new StreamReplay(plan, target.Point, wanted, reader).WriteAsync(commands, cancellationToken);
        }

        layout.Finish();
    }

    private BackupObject Set() => part.Objects.FirstOrDefault(item => item.Key.Contains("dump.rdb", StringComparison.Ordinal))
        ?? throw new BackupFailedException($"{part.Service}: the set has no Redis data", "Choose another set ('basmalin backup list').");

    private RedisPosition? Wanted()
    {
        if (target.Point is not RestorePoint.Position { OfService: var positions }) return null;

        return positions.TryGetValue(part.Service, out var text) && RedisPosition.TryParse(text) is { } position
            ? position
            : throw new BackupFailedException($"{part.Service}: '{text}' is no position of a Redis", "A position is REPLID:OFFSET, as 'basmalin backup list' shows it.");
    }

    /// <returns>Null: nothing that was received is newer than the set, which says nothing of its place in the stream; so the set it is.</returns>
    private async Task<StreamPlan?> PlanAsync(RedisPosition? wanted, CancellationToken cancellationToken)
    {
        var set = SetBase();
        var objects = (await reader.ListAsync(StreamKeys.Prefix(target.Stack, part.Service), cancellationToken)).Select(item => StreamKeys.TryRead(item.Key)).OfType<StreamObject>().ToList();
        var plan = wanted is null ? StreamPlan.For(target.Point, set, objects) : StreamPlan.For(wanted, set, objects);
        if (set is null && target.Point is RestorePoint.Latest)
        {
            if (plan is not null && await StreamReplay.EndOfAsync(plan, reader, cancellationToken) >= Taken()) return plan;

            target.Say($"{part.Service}: Redis saved the set itself, and nothing newer was received: it goes to the moment of the set");
            return null;
        }

        return plan ?? throw new BackupFailedException(
            wanted is not null ? $"{part.Service}: {wanted} is in nothing that was received"
                : set is null ? $"{part.Service}: the set was saved by Redis itself, and does not say where in the stream of commands it stands"
                : $"{part.Service}: no copy is as old as that",
            set is null && wanted is null ? "Restore the set as it is, or choose one that was replicated." : "Choose an older set ('basmalin backup list'), or a later moment.");
    }

    private long Taken() => long.TryParse(part.Facts.GetValueOrDefault("taken"), CultureInfo.InvariantCulture, out var seconds) ? seconds : 0;

    private StreamBase? SetBase() =>
        part.Facts.TryGetValue("replid", out var history) && long.TryParse(part.Facts.GetValueOrDefault("offset"), CultureInfo.InvariantCulture, out var offset)
            && Taken() is > 0 and var seconds
            ? new(new(history, offset), seconds, null)
            : null;
}
