using System.Collections.Immutable;
using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orchestrator.Traffic.Handover;
using Orchestrator.Traffic.Requests;
using Orchestrator.Traffic.Tls;

namespace Orchestrator.Traffic;

/// <summary>
/// All listeners of the edge: the main ones, the published ports of the stacks, and one on loopback for the smoke tests, which go the same way as
/// everybody's requests.
/// </summary>
public sealed partial class EdgeServer : IAsyncDisposable
{
    // How long connections of a port that is not published any more may go on.
    private static readonly TimeSpan ClosingTime = TimeSpan.FromSeconds(30);

    // How far apart WebSockets and event streams are ended at a stop.
    private static readonly TimeSpan LongestSpread = TimeSpan.FromMilliseconds(300);

    // How long a new connection may be silent and still count as one that is about to be used.
    private static readonly TimeSpan FirstRequest = TimeSpan.FromSeconds(1);

    private readonly EdgeOptions _options;
    private readonly EdgeForwarder _forwarder;
    private readonly EdgePipeline _pipeline;
    private readonly AccessLog? _log;
    private readonly EdgeFarewell _farewell;
    private readonly SocketTransportFactory _sockets;
    private readonly ILoggerFactory _loggers;
    private readonly TimeProvider _time;
    private readonly ILogger<EdgeServer> _logger;
    private readonly SemaphoreSlim _changing = new(1, 1);
    private readonly List<EdgeListener> _main = [];
    private readonly Dictionary<PublishedEndpoint, (string Stack, EdgeListener Listener)> _published = [];
    private readonly CancellationTokenSource _stopping = new();
    private InheritedTransport? _transport;
    private EdgeListener? _loopback;
    private ImmutableArray<Task> _closing = [];
    private ImmutableArray<IPEndPoint> _addresses = [];
    private ImmutableArray<IPEndPoint> _secureAddresses = [];

    public EdgeServer(EdgeOptions options, TrafficRouter router, EdgeMetrics metrics, ILoggerFactory loggers, TimeProvider time)
    {
        _options = options;
        _forwarder = new EdgeForwarder(options, loggers, time);
        _log = options.AccessLog is { } log ? new AccessLog(log, metrics, loggers, time) : null;
        _farewell = new EdgeFarewell(time);
        _pipeline = new EdgePipeline(options, router, _forwarder, metrics, time) { Log = _log, Farewell = _farewell };
        _sockets = new SocketTransportFactory(Options.Create(new SocketTransportOptions { Backlog = InheritedTransport.Backlog }), loggers);
        _loggers = loggers;
        _time = time;
        _logger = loggers.CreateLogger<EdgeServer>();
    }

    /// <summary>
    /// Asked first for each <c>POST /hooks/{name}</c> on the main listeners; true: it has answered. The context has no request services.
    /// </summary>
    public Func<HttpContext, ValueTask<bool>>? Intercept { get; init; }

    /// <summary>Listeners that were handed over; addresses that are not among them are opened.</summary>
    public InheritedSockets Inherited
    {
        get;
        init => (field, _farewell.Inherited) = (value, value.Any);
    } = InheritedSockets.None;

    /// <summary>Who keeps the listeners that are opened here, and idle connections, for the next daemon; null: nobody.</summary>
    public SocketKeeping? Keeping
    {
        get;
        init => field = _farewell.Keeping = value;
    }

    /// <summary>A private listener on 127.0.0.1 for the smoke tests. There is none before <see cref="StartAsync"/>.</summary>
    public IPEndPoint Loopback => _loopback?.Address ?? throw new InvalidOperationException("The edge has not been started.");

    /// <summary>Where the main listeners for plain HTTP listen.</summary>
    public ImmutableArray<IPEndPoint> Addresses => _addresses;

    /// <summary>Where the main listeners for HTTPS listen.</summary>
    public ImmutableArray<IPEndPoint> SecureAddresses => _secureAddresses;

    /// <summary>Opens the main listeners and the one on loopback.</summary>
    /// <exception cref="EdgeBindException">One of them could not be opened; none is open then.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await _changing.WaitAsync(cancellationToken);
        try
        {
            _loopback = await OpenAsync(new PublishedEndpoint(IPAddress.Loopback.ToString(), 0), listener: null, tls: null, cancellationToken);
            _addresses = await OpenMainAsync(_options.Http, tls: null, cancellationToken);
            _secureAddresses = _options.Tls is { } tls ? await OpenMainAsync(_options.Https, tls, cancellationToken) : [];
            _pipeline.Redirects.SecurePort = _secureAddresses.IsEmpty ? 0 : _options.PublicHttpsPort ?? _secureAddresses[0].Port;
            foreach (var address in _addresses.Concat(_secureAddresses))
                LogListening(address);
            if (Inherited.Connections > 0)
            {
                Keeping?.ForgetConnections();
                LogTakenOver(Inherited.Connections);
            }
        }
        catch
        {
            await CloseAllAsync(TimeSpan.Zero);
            throw;
        }
        finally
        {
            _changing.Release();
        }
    }

    /// <summary>
    /// Makes the stack's published ports these: opens the new ones, then closes those no longer wanted, whose requests may end. The same set again
    /// changes nothing. A port that moves from all addresses to one, or back, is closed for a moment in between.
    /// </summary>
    /// <exception cref="EdgeBindException">A port could not be opened, or another stack has it; nothing was changed then.</exception>
    public async Task SetPublishedAsync(string stack, ImmutableArray<PublishedEndpoint> endpoints, CancellationToken cancellationToken)
    {
        await _changing.WaitAsync(cancellationToken);
        try
        {
            var wanted = endpoints.Distinct().ToList();
            foreach (var endpoint in wanted)
            {
                if (_published.FirstOrDefault(pair => pair.Value.Stack != stack && pair.Key.Overlaps(endpoint)) is { Value.Stack: { } owner })
                    throw new EdgeBindException(endpoint, $"the stack '{owner}' publishes it", inner: null);
            }

            // One that overlaps a port of the stack's own which is still open is opened once that is no longer wanted.
            var open = _published.Where(pair => pair.Value.Stack == stack).Select(pair => pair.Key).ToList();
            var fresh = wanted.Except(open).ToLookup(endpoint => open.Any(endpoint.Overlaps));
            var opened = await OpenAllAsync(fresh[false], cancellationToken);
            foreach (var (endpoint, listener) in opened)
                _published[endpoint] = (stack, listener);

            foreach (var endpoint in open.Except(wanted))
                Unpublish(stack, endpoint);

            var replaced = await OpenAllAsync(fresh[true].Where(endpoint => !_published.Keys.Any(endpoint.Overlaps)), cancellationToken);
            foreach (var (endpoint, listener) in replaced)
                _published[endpoint] = (stack, listener);

            foreach (var endpoint in opened.Keys.Concat(replaced.Keys))
                LogPublished(endpoint, stack);
        }
        finally
        {
            _changing.Release();
        }
    }

    /// <summary>Asks every listener but the published ports for a sign of life.</summary>
    /// <returns>The first that gives none within <paramref name="limit"/>; null: all live.</returns>
    public async Task<IPEndPoint?> FindSilentAsync(TimeSpan limit)
    {
        foreach (var address in (IEnumerable<IPEndPoint>)[Loopback, .. Addresses, .. SecureAddresses])
        {
            if (!await EdgePulse.BeatsAsync(address, limit, _time))
                return address;
        }

        return null;
    }

    /// <summary>
    /// Where somebody holds what arrives while no daemon runs: each answer is the last of its connection from now on, and new connections are still
    /// served. Ends when no connection is left that was kept for more, or after <paramref name="limit"/>.
    /// </summary>
    public Task TakeLeaveAsync(TimeSpan limit) => _farewell.Succeeded ? _farewell.SayAsync(limit) : Task.CompletedTask;

    /// <summary>Lets go of what was handed over and nothing has taken. What a daemon before had kept is not wanted any more, and nothing to tell of.</summary>
    /// <returns>The others: listeners of a unit that no setting names.</returns>
    public ImmutableArray<InheritedSocket> ReleaseUnclaimed()
    {
        var left = Inherited.Release();
        foreach (var kept in left.Where(SocketKeeping.IsKept))
            Keeping?.Forget(kept.Name);
        return [.. left.Where(socket => !SocketKeeping.IsKept(socket))];
    }

    /// <summary>
    /// Stops accepting everywhere and lets requests end for <paramref name="drain"/>, WebSockets and event streams after being asked to; then they are cut off. Those that wait for
    /// a replica are told at once to come again.
    /// </summary>
    public async Task StopAsync(TimeSpan drain)
    {
        await _changing.WaitAsync(CancellationToken.None);
        try
        {
            await CloseAllAsync(drain);
        }
        finally
        {
            _changing.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync(TimeSpan.Zero);
        _forwarder.Dispose();
        if (_log is not null)
            await _log.DisposeAsync();
        _changing.Dispose();
        _stopping.Dispose();
    }

    private void Unpublish(string stack, PublishedEndpoint endpoint)
    {
        if (!_published.Remove(endpoint, out var entry))
            return;

        _transport?.Forget(entry.Listener.Address);
        _closing = [.. _closing.Where(task => !task.IsCompleted), CloseAsync(entry.Listener, ClosingTime)];
        LogUnpublished(endpoint, stack);
    }

    private async Task<Dictionary<PublishedEndpoint, EdgeListener>> OpenAllAsync(IEnumerable<PublishedEndpoint> endpoints, CancellationToken cancellationToken)
    {
        var opened = new Dictionary<PublishedEndpoint, EdgeListener>();
        try
        {
            foreach (var endpoint in endpoints)
                opened.Add(endpoint, await OpenAsync(endpoint, endpoint, tls: null, cancellationToken));
            return opened;
        }
        catch
        {
            await Task.WhenAll(opened.Values.Select(listener => CloseAsync(listener, TimeSpan.Zero)));
            throw;
        }
    }

    private async Task<ImmutableArray<IPEndPoint>> OpenMainAsync(
        ImmutableArray<IPEndPoint> endpoints, EdgeTls? tls, CancellationToken cancellationToken)
    {
        var opened = ImmutableArray.CreateBuilder<IPEndPoint>();
        foreach (var endpoint in endpoints)
        {
            var listener = await OpenAsync(new PublishedEndpoint(endpoint.Address.ToString(), endpoint.Port), listener: null, tls, cancellationToken);
            _main.Add(listener);
            opened.Add(listener.Address);
        }

        return opened.ToImmutable();
    }

    private Task<EdgeListener> OpenAsync(PublishedEndpoint endpoint, PublishedEndpoint? listener, EdgeTls? tls, CancellationToken cancellationToken) =>
        EdgeListener.OpenAsync(
            endpoint, new EdgeApplication(_pipeline, listener, _options.Tls?.Challenges, listener is null ? Intercept : null), OptionsFor(tls),
            _transport ??= new InheritedTransport(Inherited, _sockets, _loggers, _time) { Keeping = Keeping }, _loggers, cancellationToken);

    private EdgeListenerOptions OptionsFor(EdgeTls? tls) => new(_options.Limits, tls, _farewell);

    private async Task CloseAllAsync(TimeSpan drain)
    {
        var listeners = _published.Values.Select(entry => entry.Listener).Concat(_main).ToList();
        if (_loopback is not null)
            listeners.Add(_loopback);
        _published.Clear();
        _main.Clear();
        _pipeline.EndHolds();
        if (drain > TimeSpan.Zero)
            drain = await EndStreamsAsync(drain);

        var closing = listeners.Select(listener => CloseAsync(listener, drain)).ToList();
        _stopping.CancelAfter(drain);
        await Task.WhenAll([.. closing, .. _closing]);
        _closing = [];
        if (listeners.Count > 0 && _farewell.PassedOn > 0) LogPassedOn(_farewell.PassedOn);
    }

    /// <returns>How much of the time is left.</returns>
    private async Task<TimeSpan> EndStreamsAsync(TimeSpan drain)
    {
        var started = _time.GetTimestamp();
        if (_transport is not null)
            await _transport.StopAcceptingAsync();

        // Their clients come back to the next daemon, and wait for it together however they are spread: no longer than their number asks for.
        var spread = drain / 20 < LongestSpread ? drain / 20 : LongestSpread;
        await _farewell.Streams.EndAsync(spread).WaitAsync(drain, _time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        var left = Left();
        await _farewell.AnsweredAsync(left < FirstRequest ? left : FirstRequest);
        return Left();

        TimeSpan Left() => drain - _time.GetElapsedTime(started) is var rest && rest > TimeSpan.Zero ? rest : TimeSpan.Zero;
    }

    private async Task CloseAsync(EdgeListener listener, TimeSpan drain)
    {
        using (listener)
        using (var deadline = new CancellationTokenSource(drain, _time))
        using (var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, _stopping.Token))
            await listener.CloseAsync(either.Token);
    }

    [LoggerMessage(EventId = 3000, Level = LogLevel.Information, Message = "Listening on {Address}")]
    private partial void LogListening(IPEndPoint address);

    [LoggerMessage(EventId = 3001, Level = LogLevel.Information, Message = "Published port {Endpoint} opened for {Stack}")]
    private partial void LogPublished(PublishedEndpoint endpoint, string stack);

    [LoggerMessage(EventId = 3002, Level = LogLevel.Information, Message = "Published port {Endpoint} closed for {Stack}")]
    private partial void LogUnpublished(PublishedEndpoint endpoint, string stack);

    [LoggerMessage(EventId = 3003, Level = LogLevel.Information, Message = "{Count} idle connections go on with the next daemon")]
    private partial void LogPassedOn(int count);

    [LoggerMessage(EventId = 3004, Level = LogLevel.Information, Message = "{Count} idle connections of the daemon before go on here")]
    private partial void LogTakenOver(int count);
}
