using Orchestrator.Backups.Pipeline;

namespace Orchestrator.Backups.Redis.Streams;

/// <summary>
/// Brings what lies on the daemon's disk into the stores, in the order in which it came: the copy, then slices, with a note wherever the history took on another
/// name. What is remembered as stored is stored; what was stored and not remembered, because the daemon died in between, is stored again and does no harm.
/// </summary>
/// <remarks>
/// A slice every few seconds is many objects: when there are enough of them, one that covers them all is written from the disk, and then they go.
/// </remarks>
/// <param name="deleteAsync">Removes an object by its key from every store; null: slices are not merged.</param>
/// <param name="merged">So many slices become one.</param>
internal sealed class StreamShipment(StreamLog log, BackupWriter writer, Func<string, CancellationToken, Task>? deleteAsync, int merged)
{
    private StreamPlace? _from;

    public StreamLog Log => log;

    public async Task ShipAsync(StreamPlace to, CancellationToken cancellationToken)
    {
        if (!log.State.CopyStored)
        {
            await writer.WriteAsync(StreamKeys.Base(log.State.Start, log.State.Taken), CopyAsync, cancellationToken);
            log.Change(state => state with { CopyStored = true });
        }

        while (log.State.Stored < to.Offset || log.State.RenamedStored < log.State.Renamed.Length)
        {
            // A slice ends where the history gets another name.
            var renamed = log.State.RenamedStored < log.State.Renamed.Length ? log.State.Renamed[log.State.RenamedStored] : null;
            if (renamed is not null && renamed.Offset <= log.State.Stored) await ContinueAsync(renamed, cancellationToken);
            else await SliceAsync(renamed is null ? to : await log.FindAsync(renamed.Offset, cancellationToken), cancellationToken);
        }
    }

    private async Task ContinueAsync(RedisPosition renamed, CancellationToken cancellationToken)
    {
        var before = new RedisPosition(log.State.RenamedStored == 0 ? log.State.Start.History : log.State.Renamed[log.State.RenamedStored - 1].History, renamed.Offset);
        await writer.WriteAsync(
            StreamKeys.Continuation(before, renamed.History),
            async (content, token) => await content.WriteAsync(AofRemark.WriteOffset(renamed.Offset), token),
            cancellationToken);
        log.Change(state => state with { RenamedStored = state.RenamedStored + 1, Block = null, Small = [] });      // across a name nothing is merged
    }

    private async Task SliceAsync(StreamPlace to, CancellationToken cancellationToken)
    {
        var from = _from is { } known && known.Offset == log.State.Stored ? known : await log.FindAsync(log.State.Stored, cancellationToken);
        var history = log.State.HistoryAt(from.Offset);
        if (to.Offset > from.Offset)
        {
            var slice = await writer.WriteAsync(
                StreamKeys.Slice(history, from.Offset, to.Offset), (content, token) => log.CopyAsync(from, to, content, token), cancellationToken);
            log.Change(state => state with { Block = state.Block ?? from.Offset, Small = deleteAsync is null ? [] : state.Small.Add(slice.Key) });
        }

        _from = to;
        log.Change(state => state with { Stored = Math.Max(to.Offset, state.Stored) });
        if (log.State.Small.Length >= merged && log.State.Block is { } start) await MergeAsync(await log.FindAsync(start, cancellationToken), to, cancellationToken);
    }

    /// <summary>The large one first: what breaks off in between leaves slices that repeat each other, which a restore can tell.</summary>
    private async Task MergeAsync(StreamPlace from, StreamPlace to, CancellationToken cancellationToken)
    {
        if (deleteAsync is null) return;

        var whole = await writer.WriteAsync(
            StreamKeys.Slice(log.State.HistoryAt(from.Offset), from.Offset, to.Offset), (content, token) => log.CopyAsync(from, to, content, token), cancellationToken);
        var small = log.State.Small.Remove(whole.Key);
        log.Change(state => state with { Block = null, Small = small });
        foreach (var key in small)
        {
            await deleteAsync(key, cancellationToken);
            log.Change(state => state with { Small = state.Small.Remove(key) });
        }
    }

    private async Task CopyAsync(Stream content, CancellationToken cancellationToken)
    {
        await using var file = File.OpenRead(log.BasePath);
        await file.CopyToAsync(content, cancellationToken);
    }
}
