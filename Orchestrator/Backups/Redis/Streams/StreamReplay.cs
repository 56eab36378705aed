using System.Globalization;
using Orchestrator.Backups.Pipeline;

namespace Orchestrator.Backups.Redis.Streams;

/// <summary>
/// Writes the commands of a plan into an append-only file, up to the wanted moment: nothing that came in that second or later, no half of a transaction. The
/// cut is made here, on the same lines that <c>redis-check-aof --truncate-to-timestamp</c> goes by.
/// </summary>
internal sealed class StreamReplay(StreamPlan plan, RestorePoint point, RedisPosition? wanted, BackupReader reader)
{
    private readonly long? _until = (point as RestorePoint.At)?.Time.ToUnixTimeSeconds();
    private RedisPosition _at = plan.Base.At;
    private long _stamp;
    private long _transaction;
    private bool _inTransaction;
    private bool _stopped;

    /// <summary>Up to where the commands were written.</summary>
    public RedisPosition Reached => _at;

    /// <exception cref="BackupFailedException">A slice is damaged, or what was wanted lies where nothing was received.</exception>
    public async Task WriteAsync(FileStream target, CancellationToken cancellationToken)
    {
        foreach (var slice in plan.Slices)
        {
            if (_stopped) break;
            try
            {
                await reader.ReadAsync(slice.Key, (content, token) => SliceAsync(slice, content, target, token), cancellationToken);
            }
            catch (RedisException damaged)
            {
                throw new BackupFailedException($"{slice.Key}: {damaged.Message}", $"Restore to a moment before it: --to {plan.Base.At.History}:{_at.Offset.ToString(CultureInfo.InvariantCulture)}", damaged);
            }
        }

        if (_inTransaction) target.SetLength(_transaction);
        await target.FlushAsync(cancellationToken);
        target.Flush(flushToDisk: true);
        if (_stopped || _until is not { } until || plan.NextBase is not { } next || until <= _stamp) return;

        throw new BackupFailedException(
            $"Nothing was received from {Time(_stamp)} on, until a new copy was taken at {Time(next)}: the state at {Time(until)} is not known", $"Restore to {Time(_stamp)} or earlier, or to {Time(next)} or later.");
    }

    /// <summary>The time up to which a plan leads, as its last slice says it; unix seconds.</summary>
    /// <exception cref="BackupFailedException">The slice is damaged.</exception>
    public static async Task<long> EndOfAsync(StreamPlan plan, BackupReader reader, CancellationToken cancellationToken)
    {
        var end = plan.Base.Seconds;
        if (plan.Slices.IsEmpty) return end;

        var last = plan.Slices[^1].Key;
        try
        {
            await reader.ReadAsync(last, async (content, token) =>
            {
                var aof = new AofReader(content.ReadAsync);
                while (await aof.NextAsync(token) is not AofItem.End and var item)
                {
                    if (item == AofItem.Remark && AofRemark.TimeOf(aof.Text) is { } seconds) end = Math.Max(end, seconds);
                }
            }, cancellationToken);
        }
        catch (RedisException damaged)
        {
            throw new BackupFailedException($"{last}: {damaged.Message}", "Restore to a moment before it, or the set as it is.", damaged);
        }

        return end;
    }

    private async Task SliceAsync(StreamObject.Slice slice, Stream content, FileStream target, CancellationToken cancellationToken)
    {
        var aof = new AofReader(content.ReadAsync);
        var offset = slice.At.Offset;
        if (slice.At.History != _at.History) _at = _at with { History = slice.At.History };
        while (!_stopped)
        {
            var item = await aof.NextAsync(cancellationToken);
            if (item == AofItem.End) break;

            if (item == AofItem.Remark)
            {
                offset = AofRemark.OffsetOf(aof.Text) ?? offset;
                // What was dropped in between counts.
                if (offset > _at.Offset) _at = _at with { Offset = offset };
                if (AofRemark.TimeOf(aof.Text) is { } seconds) await StampAsync(seconds, offset >= _at.Offset ? aof.Bytes : default, target, cancellationToken);
                continue;
            }

            offset += aof.Bytes.Length;
            if (offset <= _at.Offset) continue;         // an earlier slice had it
            if (wanted is not null && offset > wanted.Offset) _stopped = true;
            else await CommandAsync(aof, offset, target, cancellationToken);
        }

        // Only what was read to its end is known to be what was written.
        await content.CopyToAsync(Stream.Null, cancellationToken);
        if (!_stopped && offset != slice.End) throw new RedisException(RedisFault.Protocol, $"it ends at offset {offset}, and says {slice.End}", null);
    }

    private async Task CommandAsync(AofReader aof, long offset, FileStream target, CancellationToken cancellationToken)
    {
        if (aof.Text == "MULTI") (_inTransaction, _transaction) = (true, target.Position);
        await target.WriteAsync(aof.Bytes, cancellationToken);
        if (aof.Text == "EXEC") _inTransaction = false;
        _at = _at with { Offset = offset };
    }

    private async Task StampAsync(long seconds, ReadOnlyMemory<byte> line, FileStream target, CancellationToken cancellationToken)
    {
        // Behind this line is what came in this second or later: of a moment within it, nothing may be there.
        _stopped = _until is { } until && seconds >= until;
        if (_stopped) return;

        _stamp = seconds;
        await target.WriteAsync(line, cancellationToken);
    }

    private static string Time(long seconds) => DateTimeOffset.FromUnixTimeSeconds(seconds).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
