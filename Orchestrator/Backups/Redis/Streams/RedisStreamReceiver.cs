using Microsoft.Extensions.Logging;
using Orchestrator.Backups.Pipeline;
using Orchestrator.Secrets;

namespace Orchestrator.Backups.Redis.Streams;

/// <summary>
/// Receives a Redis's commands as a replica does, keeps them on the daemon's disk, synchronised every second before it tells Redis that it has them, and sends
/// them to the stores in slices. Goes on where it was after a break of the connection, of Redis, or of the daemon. Where Redis cannot go on, it takes a new
/// copy, and the break is told: between the last slice and the new copy no moment can be restored.
/// </summary>
/// <remarks>Redis counts this replica in <c>WAIT</c> and <c>min-replicas-to-write</c>; what it acknowledges is on the disk.</remarks>
public sealed partial class RedisStreamReceiver : IAsyncDisposable
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan AskEvery = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan LastShipment = TimeSpan.FromSeconds(20);

    private readonly StreamedService _service;
    private readonly RedisStreamOptions _options;
    private readonly RedisLogins _logins;
    private readonly BackupWriter _writer;
    private readonly TimeProvider _time;
    private readonly ILogger<RedisStreamReceiver> _logger;
    private readonly string _root;
    private readonly List<StreamLog> _closed = [];
    private readonly Lock _gate = new();
    private StreamLog? _log;
    private StreamShipment? _shipment;
    private RedisStreamStatus _status;
    private long? _copiedAt;
    private long? _asked;
    private long? _shippedAt;
    private long _shippedCommands;
    private bool _replacing;

    /// <param name="writer">Stores objects beside the sets of the stack.</param>
    public RedisStreamReceiver(
        StreamedService service, RedisStreamOptions options, SecretStore secrets, BackupWriter writer, TimeProvider time, ILogger<RedisStreamReceiver> logger)
    {
        (_service, _options, _writer, _time, _logger) = (service, options, writer, time, logger);
        _logins = new RedisLogins(secrets);
        _root = Path.Combine(options.Directory, service.Stack, service.Service);
        _status = new RedisStreamStatus { Stack = service.Stack, Service = service.Service };
    }

    public RedisStreamStatus Status
    {
        get
        {
            lock (_gate) return _status;
        }
    }

    /// <summary>Receives until it is cancelled. Trouble is told in <see cref="Status"/> and the log, and tried again.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(_root, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        await ReopenAsync(cancellationToken);
        if (_closed.Count > 0)
        {
            _log = _closed[^1];
            _closed.RemoveAt(_closed.Count - 1);
            await _log.CutAsync(Now, cancellationToken);
            Tell(status => status with { History = _log.State.History, LocalOffset = _log.Cut.Offset, OffHostOffset = _log.State.Stored });
        }

        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var shipping = ShipAsync(both.Token);
        try
        {
            await ReceiveAsync(both.Token);
        }
        finally
        {
            await both.CancelAsync();
            await shipping;
            // An orderly stop leaves nothing behind, if the stores let it.
            using var budget = new CancellationTokenSource(LastShipment, _time);
            if (_log is { } log) await log.CutAsync(Now, budget.Token);
            await TryShipAsync(always: true, budget.Token);
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var log in _closed) await log.DisposeAsync();
        if (_log is { } current) await current.DisposeAsync();
    }

    /// <summary>What cannot be read any more is laid aside: a new copy follows, and the stores have what was sent.</summary>
    private async Task ReopenAsync(CancellationToken cancellationToken)
    {
        try
        {
            _closed.AddRange(await StreamLog.ReopenAsync(_root, cancellationToken));
        }
        catch (Exception damaged) when (damaged is IOException or RedisException)
        {
            var aside = $"{_root}.damaged-{Now}";
            Directory.Move(_root, aside);
            Directory.CreateDirectory(_root, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            LogDamaged(_service.Service, aside, damaged.Message);
            Tell(status => status with { Gaps = status.Gaps + 1 });
        }
    }

    private long Now => _time.GetUtcNow().ToUnixTimeSeconds();

    private async Task ReceiveAsync(CancellationToken cancellationToken)
    {
        var pause = Second;
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                if (await SessionAsync(cancellationToken)) pause = Second;
            }
            catch (Exception failure) when (failure is RedisException or BackupFailedException or IOException)
            {
                Trouble(failure.Message, failure switch { RedisException redis => redis.Hint, BackupFailedException backup => backup.Hint, _ => "See whether the disk of the daemon's data directory is full." });
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }

            await PauseAsync(pause, cancellationToken);
            pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
        }
    }

    /// <returns>True when it streamed: then the next attempt comes soon.</returns>
    private async Task<bool> SessionAsync(CancellationToken cancellationToken)
    {
        var subject = await _service.FindAsync(cancellationToken) ?? throw new RedisException(RedisFault.Unreachable, $"{_service.Service} does not run", null);
        var endpoint = await _logins.OfAsync(subject, cancellationToken);
        _replacing = _log is { } grown && TooLong(grown);
        var since = _log is { } log && !_replacing ? new RedisPosition(log.State.History, log.Position) : null;
        if (since is null && !await MayCopyAsync(endpoint, cancellationToken)) return false;

        await using var replica = await RedisReplica.OpenAsync(endpoint, since, dataOnly: false, _time, cancellationToken);
        if (replica.Payload is { } payload) await BeginAsync(replica, payload, cancellationToken);
        else await GoOnAsync(replica.Position, cancellationToken);

        if (_log is not { } current) return false;
        await using var server = new ServerOffset(endpoint, _time);
        await new StreamSession(current, replica, _time).RunAsync(cut => ReceivedAsync(current, cut, server, cancellationToken), cancellationToken);
        return true;
    }

    /// <returns>False: there are so many commands by now that a new copy is to take their place.</returns>
    private async Task<bool> ReceivedAsync(StreamLog log, StreamPlace cut, ServerOffset server, CancellationToken cancellationToken)
    {
        var source = _asked is { } at && _time.GetElapsedTime(at) < AskEvery ? Status.SourceOffset : await server.AskAsync(cancellationToken);
        if (_asked is null || _time.GetElapsedTime(_asked.Value) >= AskEvery) _asked = _time.GetTimestamp();
        var now = _time.GetUtcNow();
        Tell(status => status with
        {
            State = RedisStreamState.Streaming,
            SourceOffset = source is null ? null : Math.Max(source.Value, cut.Offset),
            LocalOffset = cut.Offset,
            BehindSince = null,
            OffHostBehindSince = log.Commands > _shippedCommands || !log.State.CopyStored ? status.OffHostBehindSince ?? now : null,
            Problem = status.State == RedisStreamState.Streaming ? status.Problem : null,
            Hint = status.State == RedisStreamState.Streaming ? status.Hint : null,
        });
        return !TooLong(log);
    }

    /// <summary>Takes a full copy as the beginning of a new epoch.</summary>
    private async Task BeginAsync(RedisReplica replica, RdbPayload payload, CancellationToken cancellationToken)
    {
        var taken = Now + 1;        // of that second nothing is missing
        _copiedAt = _time.GetTimestamp();
        Tell(status => status with { State = RedisStreamState.Copying });
        var copy = Path.Combine(_root, "copy.part");
        await using (var file = new FileStream(copy, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0))
        {
            var summary = await Rdb.RdbScan.ReadAsync(payload, file, cancellationToken);
            file.Flush(flushToDisk: true);
            LogCopied(_service.Service, summary.Bytes, replica.Position.Offset);
        }

        var next = StreamLog.Begin(_root, copy, new EpochState { Start = replica.Position, Taken = taken, Stored = replica.Position.Offset });
        var before = _log;
        var gap = before is not null && !_replacing;
        _replacing = false;
        if (before is not null)
        {
            await before.CutAsync(Now, cancellationToken);
            await before.DisposeAsync();
            if (gap) LogGap(_service.Service, before.Position, replica.Position.ToString());
        }

        lock (_gate)
        {
            if (before is not null) _closed.Add(before);
            (_log, _shippedCommands) = (next, 0);
            _status = _status with { History = replica.Position.History, LocalOffset = replica.Position.Offset, OffHostOffset = replica.Position.Offset, Copies = _status.Copies + 1, Gaps = _status.Gaps + (gap ? 1 : 0) };
        }
    }

    private async Task GoOnAsync(RedisPosition position, CancellationToken cancellationToken)
    {
        if (_log is not { } log || log.State.History == position.History) return;

        // Up to the last cut both histories are one: the new name may count from there.
        var cut = await log.CutAsync(Now, cancellationToken);
        lock (_gate)
        {
            log.Change(state => state with { Renamed = state.Renamed.Add(position with { Offset = cut.Offset }) });
            _status = _status with { History = position.History };
        }

        LogRenamed(_service.Service, position);
    }

    private async Task ShipAsync(CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            await PauseAsync(_options.SliceEvery, cancellationToken);
            await TryShipAsync(always: false, cancellationToken);
        }
    }

    private async Task TryShipAsync(bool always, CancellationToken cancellationToken)
    {
        try
        {
            if (!cancellationToken.IsCancellationRequested) await ShipOnceAsync(always, cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return;         // it goes on from the same place at the next start
        }
        catch (Exception failure) when (failure is BackupStoreException or BackupFailedException or IOException)
        {
            LogNotStored(_service.Service, failure.Message);
            Tell(status => status with { Problem = failure.Message, Hint = "Nothing is lost while this host lives; see the store." });
        }
    }

    private async Task ShipOnceAsync(bool always, CancellationToken cancellationToken)
    {
        StreamLog[] closed;
        StreamLog? current;
        lock (_gate) (closed, current) = ([.. _closed], _log);
        foreach (var log in closed)
        {
            await new StreamShipment(log, _writer, _service.DeleteAsync, _options.MergeSlices).ShipAsync(log.Cut, cancellationToken);
            lock (_gate) _closed.Remove(log);
            await log.RemoveAsync();
        }

        if (current is null) return;
        var (commands, cut) = (current.Commands, current.Cut);
        var idle = commands == _shippedCommands && current.State.CopyStored && current.State.RenamedStored == current.State.Renamed.Length;
        if (idle && !always && _shippedAt is { } at && _time.GetElapsedTime(at) < _options.IdleSliceEvery) return;

        if (_shipment?.Log != current) _shipment = new StreamShipment(current, _writer, _service.DeleteAsync, _options.MergeSlices);
        await _shipment.ShipAsync(cut, cancellationToken);
        (_shippedCommands, _shippedAt) = (commands, _time.GetTimestamp());
        Tell(status => status with { OffHostOffset = current.State.Stored, OffHostBehindSince = null, Problem = status.State == RedisStreamState.Streaming ? null : status.Problem });
    }

    private async Task<bool> MayCopyAsync(RedisEndpoint endpoint, CancellationToken cancellationToken)
    {
        if (_copiedAt is { } at && _time.GetElapsedTime(at) < _options.CopyPause)
        {
            Wait($"{_service.Service}: a new copy is wanted, and the last one was less than {_options.CopyPause.TotalSeconds:0} s ago", "It is taken then. If it happens often, raise repl-backlog-size in Redis.");
            return false;
        }

        if (await CopyPermission.ProblemAsync(_service.Service, endpoint, _time, cancellationToken) is not { } problem) return true;

        Wait(problem.What, problem.Hint);
        return false;
    }

    private bool TooLong(StreamLog log) => log.Bytes > Math.Max(_options.CommandBytes, 2 * new FileInfo(log.BasePath).Length)
        && (_copiedAt is not { } at || _time.GetElapsedTime(at) >= _options.CopyPause);

    private void Wait(string what, string hint) => Tell(status => status with { State = RedisStreamState.Waiting, Problem = what, Hint = hint });

    private void Trouble(string what, string hint)
    {
        if (Status.Problem != what) LogTrouble(_service.Service, what);
        Tell(status => status with { State = RedisStreamState.Connecting, Problem = what, Hint = hint, BehindSince = status.BehindSince ?? _time.GetUtcNow() });
    }

    private void Tell(Func<RedisStreamStatus, RedisStreamStatus> change)
    {
        lock (_gate) _status = change(_status);
    }

    private async Task PauseAsync(TimeSpan pause, CancellationToken cancellationToken)
    {
        try
        {
            await Task.Delay(pause, _time, cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return;         // the loop looks for itself
        }
    }

    [LoggerMessage(EventId = 5401, Level = LogLevel.Information, Message = "{Service}: a copy of {Bytes} bytes begins a new stream at offset {Offset}")]
    private partial void LogCopied(string service, long bytes, long offset);

    [LoggerMessage(EventId = 5406, Level = LogLevel.Error, Message = "{Service}: what was received lies damaged in {Directory}, and a new copy is taken; what was in no store yet is lost: {Problem}")]
    private partial void LogDamaged(string service, string directory, string problem);

    [LoggerMessage(EventId = 5402, Level = LogLevel.Error, Message = "{Service}: the stream was broken at offset {Offset}: Redis could not go on there. A new copy was taken at {Position}; between the two no moment can be restored")]
    private partial void LogGap(string service, long offset, string position);

    [LoggerMessage(EventId = 5403, Level = LogLevel.Information, Message = "{Service}: after a failover the history goes on as {Position}")]
    private partial void LogRenamed(string service, RedisPosition position);

    [LoggerMessage(EventId = 5404, Level = LogLevel.Warning, Message = "{Service}: the stream of commands cannot be received: {What}")]
    private partial void LogTrouble(string service, string what);

    [LoggerMessage(EventId = 5405, Level = LogLevel.Warning, Message = "{Service}: what was received could not be sent to the stores: {What}")]
    private partial void LogNotStored(string service, string what);
}
