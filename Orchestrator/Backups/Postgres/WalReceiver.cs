using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Npgsql;
using Npgsql.Replication;
using NpgsqlTypes;

namespace Orchestrator.Backups.Postgres;

/// <summary>
/// Receives a cluster's log as it is written, puts it on this host's disk, confirms it to the server, and sends it to the stores every few seconds. It
/// reconnects by itself, follows a promoted server to its new timeline, and never passes over a gap: that is recorded, and a new base asked for.
/// </summary>
public sealed partial class WalReceiver : IAsyncDisposable
{
    private static readonly TimeSpan FlushEvery = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan DrainBudget = TimeSpan.FromSeconds(20);

    private readonly WalSubject _subject;
    private readonly PostgresLogins _logins;
    private readonly WalStores _stores;
    private readonly WalOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly string _name;
    private readonly WalWatch _watch;
    private readonly Channel<bool> _nudge = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });     // one reminder is enough
    private readonly Lock _gate = new();
    private WalPlace? _place;
    private WalStatus _status = new();

    public WalReceiver(WalSubject subject, PostgresLogins logins, WalStores stores, WalOptions options, TimeProvider time, ILogger<WalReceiver> logger)
    {
        _subject = subject;
        _logins = logins;
        _stores = stores;
        _options = options;
        _time = time;
        _logger = logger;
        _name = WalSlot.NameOf(subject.Stack, subject.Service);
        _watch = new(subject, logins, options, time, logger);
    }

    public WalStatus Status
    {
        get
        {
            lock (_gate) return Now(_status);
        }
    }

    /// <summary>Runs until it is told to stop. Then commits are let go from waiting for us first, and what is here is sent as far as it goes.</summary>
    public async Task RunAsync(CancellationToken stoppingToken)
    {
        using var running = new CancellationTokenSource();
        Task[] loops = [ReceiveAsync(running.Token), UploadAsync(running.Token), WatchAsync(running.Token)];
        var stopped = new TaskCompletionSource();
        await using var registration = stoppingToken.Register(stopped.SetResult);
        // None of them ends by itself unless this program has a mistake: then all end, and whoever runs this learns of it.
        await Task.WhenAny([stopped.Task, .. loops]);

        await _watch.ReleaseAsync();
        await running.CancelAsync();
        await Task.WhenAll(loops);
        await DrainAsync();
    }

    /// <summary>Waits until the stores have the log up to there.</summary>
    public async Task UntilOffHostAsync(Lsn lsn, CancellationToken cancellationToken)
    {
        while (Status.OffHost < lsn)
        {
            _nudge.Writer.TryWrite(true);
            await Task.Delay(FlushEvery, _time, cancellationToken);
        }
    }

    /// <summary>A set was made that began after everything that was lost: no new base is needed any more.</summary>
    public void BaseTaken() => Change(status => status with { NewBaseReason = null });

    public ValueTask DisposeAsync()
    {
        _place?.Dispose();
        return ValueTask.CompletedTask;
    }

    private async Task ReceiveAsync(CancellationToken cancellationToken)
    {
        var pause = TimeSpan.Zero;
        var said = "";
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                await StreamAsync(cancellationToken);
                (pause, said) = (TimeSpan.Zero, "");
                await PauseAsync(FlushEvery, cancellationToken);
            }
            catch (Exception) when (cancellationToken.IsCancellationRequested)
            {
                // Whatever was under way was broken off.
                return;
            }
            catch (Exception failure)
            {
                // One that had been streaming begins again at once.
                pause = Status.Streaming || pause == TimeSpan.Zero ? TimeSpan.FromMilliseconds(200) : TimeSpan.FromTicks(Math.Min(pause.Ticks * 2, _options.LongestPause.Ticks));
                if (said != failure.Message) LogInterrupted(_subject, failure.Message);
                said = failure.Message;
                Change(status => status with { Streaming = false });
                await PauseAsync(pause, cancellationToken);
            }
        }
    }

    private async Task StreamAsync(CancellationToken cancellationToken)
    {
        if (_place is { } full && full.Backlog > _options.LocalLimit)
            throw new BackupFailedException($"{full.Backlog >> 20} MiB of log wait here for the stores: no more is received until they take it", "See why the stores refuse.");

        var subject = await _subject.Find(cancellationToken) ?? throw new BackupFailedException($"{_subject} does not run", "Is it deployed? See 'basmalin status'.");
        var login = await _logins.OfAsync(subject, cancellationToken);
        await using var connection = await login.OpenAsync("postgres", cancellationToken);
        var facts = await ServerFacts.ReadAsync(connection, sized: false, cancellationToken);
        await PostgresSettling.RunAsync(connection, cancellationToken);
        await using var replication = new PhysicalReplicationConnection(login.ReplicationString(_name));
        await replication.Open(cancellationToken);
        var identity = await replication.IdentifySystem(cancellationToken);

        var slot = await WalSlot.FindAsync(connection, _name, cancellationToken);
        if (slot is { Lost: true }) await WalSlot.DropAsync(connection, _name, cancellationToken);
        var kept = slot is { Lost: false, Restart: { } restart } ? restart : await WalSlot.CreateAsync(connection, _name, cancellationToken);

        var place = await PlaceAsync(facts, identity, connection, kept, cancellationToken);
        try
        {
            await FollowAsync(place, replication, cancellationToken);
        }
        catch (PostgresException gone) when (gone.SqlState == "58P01")
        {
            await GapAsync(connection, place, gone.MessageText, cancellationToken);
        }
    }

    /// <summary>Where to go on: as before, on the next timeline, or anew.</summary>
    private async Task<WalPlace> PlaceAsync(
        ServerFacts facts, ReplicationSystemIdentification identity, NpgsqlConnection connection, Lsn kept, CancellationToken cancellationToken)
    {
        var place = _place;
        if (place is null || place.SystemIdentifier != facts.SystemIdentifier)
        {
            if (place is not null) LogAnotherCluster(_subject, place.SystemIdentifier, facts.SystemIdentifier);
            place = await OpenAsync(facts, identity.Timeline, kept, cancellationToken);
        }

        place.Log.Flush();
        if (identity.Timeline == place.Timeline) return place;

        var content = await WalSlot.HistoryAsync(connection, identity.Timeline, cancellationToken);
        var history = TimelineHistory.Parse(identity.Timeline, content);
        await _stores.KeepAsync(_subject, place.SystemIdentifier, history.Timeline, content, cancellationToken);
        if (history.After(place.Timeline) is not var (next, left))
        {
            Need(new(place.Timeline, place.OffHost, kept), $"the server is on timeline {identity.Timeline}, which does not come from {place.Timeline}");
            return Use(Fresh(place, identity.Timeline, kept.SegmentStart(place.SegmentSize), kept));
        }

        if (place.Log.Durable < left) return place;     // the rest of the old timeline first; the server ends it where it was left

        await SendQuietlyAsync(place, cancellationToken);
        LogTimeline(_subject, place.Timeline, next, left);
        var whole = place.Backlog == 0;
        var after = Use(Fresh(place, next, left.SegmentStart(place.SegmentSize), left));
        if (whole) Directory.Delete(DirectoryOf(place.SystemIdentifier, place.Timeline), recursive: true);
        return after;
    }

    private async Task<WalPlace> OpenAsync(ServerFacts facts, uint current, Lsn kept, CancellationToken cancellationToken)
    {
        var stored = await _stores.PiecesAsync(_subject.Stack, _subject.Service, facts.SystemIdentifier, cancellationToken);
        var timeline = stored.Where(piece => piece.Timeline <= current).Select(piece => (uint?)piece.Timeline).Max() ?? current;
        var tail = stored.Where(piece => piece.Timeline == timeline).Select(piece => (Lsn?)piece.End).Max();
        if (tail is null) Change(status => status with { NewBaseReason = "the continuous log of this cluster begins now" });

        var directory = DirectoryOf(facts.SystemIdentifier, timeline);
        var start = tail is { } end ? LocalLog.WholeUntil(directory, timeline, facts.SegmentSize, end) : kept.SegmentStart(facts.SegmentSize);
        var log = new LocalLog(directory, timeline, facts.SegmentSize, start, kept);
        var upload = new WalUpload(_stores, facts.SystemIdentifier, facts.SegmentSize, timeline, stored, tail ?? start);
        LogBegins(_subject, facts.SystemIdentifier, timeline, start);
        return Use(new(facts.SystemIdentifier, facts.SegmentSize, log, upload));
    }

    private WalPlace Fresh(WalPlace before, uint timeline, Lsn start, Lsn known) => new(
        before.SystemIdentifier,
        before.SegmentSize,
        new(DirectoryOf(before.SystemIdentifier, timeline), timeline, before.SegmentSize, start, known),
        new(_stores, before.SystemIdentifier, before.SegmentSize, timeline, [], start));

    private WalPlace Use(WalPlace place)
    {
        lock (_gate)
        {
            _place?.Dispose();
            _place = place;
        }

        return place;
    }

    private async Task FollowAsync(WalPlace place, PhysicalReplicationConnection replication, CancellationToken cancellationToken)
    {
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var confirmation = new WalConfirmation(place, replication);
        Change(status => status with { Streaming = true });
        var flushing = confirmation.RunAsync(FlushEvery, _time, ends.Token);
        var receiving = ReceiveAsync(place, confirmation, replication, ends.Token);
        await Task.WhenAny(flushing, receiving);
        await ends.CancelAsync();
        await Task.WhenAll(flushing, receiving).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

        // What could not be put on the disk comes first: the other was only broken off for it.
        await flushing;
        await receiving;
        place.Log.Flush();
    }

    private async Task ReceiveAsync(WalPlace place, WalConfirmation confirmation, PhysicalReplicationConnection replication, CancellationToken cancellationToken)
    {
        var log = place.Log;
        var buffer = new byte[128 * 1024];
        await foreach (var message in replication.StartReplication(new PhysicalReplicationSlot(_name), new NpgsqlLogSequenceNumber(log.Written.Value), cancellationToken, log.Timeline))
        {
            await log.AppendAsync(new((ulong)message.WalStart), message.Data, buffer, cancellationToken);
            if (new Lsn((ulong)message.WalEnd) <= log.Written)
            {
                confirmation.HasAll(log.Written, message.ServerClock);
                if (_status.Synchronous) await confirmation.FlushAsync(cancellationToken);
            }

            if (place.Backlog >= _options.SliceBytes) _nudge.Writer.TryWrite(true);
            if (place.Backlog > _options.LocalLimit) return;
        }
    }

    /// <summary>The server has thrown away what was due. What is here is sent, the hole is recorded, and receiving begins where the server still has all.</summary>
    private async Task GapAsync(NpgsqlConnection connection, WalPlace place, string why, CancellationToken cancellationToken)
    {
        place.Log.Flush();
        await SendQuietlyAsync(place, cancellationToken);
        await WalSlot.DropAsync(connection, _name, cancellationToken);
        var kept = await WalSlot.CreateAsync(connection, _name, cancellationToken);
        var start = kept.SegmentStart(place.SegmentSize);
        Need(new(place.Timeline, place.OffHost, start), why);
        Use(Fresh(place, place.Timeline, start, kept));
    }

    private void Need(WalGap gap, string why)
    {
        LogGap(_subject, gap, why);
        Change(status => status with { Gaps = status.Gaps.Add(gap), NewBaseReason = $"the log from {gap} is lost: {why}" });
    }

    private async Task UploadAsync(CancellationToken cancellationToken)
    {
        var said = "";
        while (!cancellationToken.IsCancellationRequested)
        {
            await WaitAsync(cancellationToken);
            if (_place is not { } place) continue;
            try
            {
                await place.SendAsync(_options.SliceBytes, cancellationToken);
                said = "";
                _watch.StoreProblem = null;
            }
            catch (Exception) when (cancellationToken.IsCancellationRequested)
            {
                // Whatever was under way was broken off.
                return;
            }
            catch (Exception failure)
            {
                _watch.StoreProblem = failure.Message;
                if (said != failure.Message) LogNotStored(_subject, failure.Message);
                said = failure.Message;
            }
        }
    }

    private async Task WaitAsync(CancellationToken cancellationToken)
    {
        using var slice = new CancellationTokenSource(_options.SliceEvery, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(slice.Token, cancellationToken);
        try
        {
            await _nudge.Reader.ReadAsync(either.Token);
        }
        catch (OperationCanceledException)
        {
            // It is time.
            return;
        }
    }

    private async Task WatchAsync(CancellationToken cancellationToken)
    {
        var said = "";
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                var seen = await _watch.LookAsync(Status, cancellationToken);
                Change(status => seen.Into(status));
                if (seen.GiveUpSlot) await GiveUpAsync(cancellationToken);
                said = "";
            }
            catch (Exception) when (cancellationToken.IsCancellationRequested)
            {
                // Whatever was under way was broken off.
                return;
            }
            catch (Exception failure)
            {
                if (said != failure.Message) LogNotAsked(_subject, failure.Message);
                said = failure.Message;
                Change(status => status with { Findings = _watch.Unreachable(failure) });
            }

            await PauseAsync(_options.PollEvery, cancellationToken);
        }
    }

    /// <summary>The server's disk comes first: without the slot it lets go of its log. The hole is found, and recorded, when receiving goes on.</summary>
    private async Task GiveUpAsync(CancellationToken cancellationToken)
    {
        var lag = Status.SlotLag;
        LogSlotGivenUp(_subject, lag);
        await _watch.DropSlotAsync(cancellationToken);
        Change(status => status with { NewBaseReason = "the slot was given up to keep the database's disk from filling" });
    }

    private async Task SendQuietlyAsync(WalPlace place, CancellationToken cancellationToken)
    {
        using var budget = new CancellationTokenSource(DrainBudget, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(budget.Token, cancellationToken);
        try
        {
            await place.SendAsync(_options.SliceBytes, either.Token);
        }
        catch (Exception failure) when (!cancellationToken.IsCancellationRequested)
        {
            LogNotStored(_subject, failure.Message);
        }
    }

    private async Task DrainAsync()
    {
        if (_place is not { } place) return;
        place.Log.Flush();
        await SendQuietlyAsync(place, CancellationToken.None);
    }

    private async Task PauseAsync(TimeSpan pause, CancellationToken cancellationToken) =>
        await Task.Delay(pause, _time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    private void Change(Func<WalStatus, WalStatus> change)
    {
        lock (_gate) _status = Now(change(_status));
    }

    private WalStatus Now(WalStatus status) => _place is { } place
        ? status with { SystemIdentifier = place.SystemIdentifier, Timeline = place.Timeline, Durable = place.Log.Durable, OffHost = place.OffHost }
        : status;

    private string DirectoryOf(string systemIdentifier, uint timeline) => Path.Combine(_options.Directory, $"{_name}.{systemIdentifier}.{timeline:X8}");

    [LoggerMessage(EventId = 5200, Level = LogLevel.Information, Message = "{Service}: the log of cluster {Cluster} is received on timeline {Timeline} from {Position} on")]
    private partial void LogBegins(WalSubject service, string cluster, uint timeline, Lsn position);

    [LoggerMessage(EventId = 5201, Level = LogLevel.Warning, Message = "{Service}: receiving the log was interrupted, it is tried again: {Problem}")]
    private partial void LogInterrupted(WalSubject service, string problem);

    [LoggerMessage(EventId = 5202, Level = LogLevel.Warning, Message = "{Service}: the log could not be stored, it is kept here and tried again: {Problem}")]
    private partial void LogNotStored(WalSubject service, string problem);

    [LoggerMessage(EventId = 5203, Level = LogLevel.Error, Message = "{Service}: the log from {Gap} is lost, and a new base is needed: {Reason}")]
    private partial void LogGap(WalSubject service, WalGap gap, string reason);

    [LoggerMessage(EventId = 5204, Level = LogLevel.Warning, Message = "{Service}: the server went from timeline {From} to {To} at {Position}")]
    private partial void LogTimeline(WalSubject service, uint from, uint to, Lsn position);

    [LoggerMessage(EventId = 5205, Level = LogLevel.Warning, Message = "{Service}: it is another cluster now: {Before} was received, {After} runs")]
    private partial void LogAnotherCluster(WalSubject service, string before, string after);

    [LoggerMessage(EventId = 5206, Level = LogLevel.Error, Message = "{Service}: {Bytes} bytes of log wait on the server for us; the slot is given up before they fill its disk, and a new base is needed")]
    private partial void LogSlotGivenUp(WalSubject service, long bytes);

    [LoggerMessage(EventId = 5207, Level = LogLevel.Warning, Message = "{Service}: the server cannot be asked where it stands: {Problem}")]
    private partial void LogNotAsked(WalSubject service, string problem);
}
