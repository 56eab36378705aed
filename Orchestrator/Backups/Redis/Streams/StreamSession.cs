namespace Orchestrator.Backups.Redis.Streams;

/// <summary>One connection's worth of commands on their way to the disk.</summary>
internal sealed class StreamSession(StreamLog log, RedisReplica replica, TimeProvider time)
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private long _ticked = time.GetTimestamp();

    /// <param name="eachSecond">Is told up to where all is durable, and says whether to go on.</param>
    /// <exception cref="RedisException">The connection broke.</exception>
    public async Task RunAsync(Func<StreamPlace, Task<bool>> eachSecond, CancellationToken cancellationToken)
    {
        var reader = new AofReader(replica.Connection.ReadAsync);
        // At once: a server that sent its copy without a disk waits for this before it sends commands.
        if (!await TickAsync(eachSecond, cancellationToken)) return;

        while (true)
        {
            var next = reader.NextAsync(cancellationToken).AsTask();
            if (!next.IsCompleted && !await UntilAsync(next, eachSecond, cancellationToken)) return;
            if (await next == AofItem.End) throw RedisException.Broken(null);

            await log.AddAsync(reader.Text, reader.Bytes, time.GetUtcNow().ToUnixTimeSeconds(), cancellationToken);
            if (time.GetElapsedTime(_ticked) >= Second && !await TickAsync(eachSecond, cancellationToken)) return;
        }
    }

    /// <returns>False: no more is wanted.</returns>
    private async Task<bool> UntilAsync(Task<AofItem> next, Func<StreamPlace, Task<bool>> eachSecond, CancellationToken cancellationToken)
    {
        while (!next.IsCompleted)
        {
            var left = Second - time.GetElapsedTime(_ticked);
            if (left > TimeSpan.Zero && await Task.WhenAny(next, Task.Delay(left, time, cancellationToken)) == next) break;
            if (await TickAsync(eachSecond, cancellationToken)) continue;

            // The connection is closed next, and with it this read.
            _ = next.ContinueWith(static read => _ = read.Exception, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
            return false;
        }

        return true;
    }

    private async Task<bool> TickAsync(Func<StreamPlace, Task<bool>> eachSecond, CancellationToken cancellationToken)
    {
        _ticked = time.GetTimestamp();
        var cut = await log.CutAsync(time.GetUtcNow().ToUnixTimeSeconds(), cancellationToken);
        await replica.AcknowledgeAsync(cut.Offset, cancellationToken);
        return await eachSecond(cut);
    }
}
