using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Prometheus;

namespace Orchestrator.Traffic;

/// <summary>
/// A WebSocket that passes through to an upstream and can be asked to end: between two frames of the application's, the client gets a close frame
/// with status 1012, "service restart", on which clients come back, to the new colour.
/// </summary>
/// <remarks>Over HTTP/1.1 it begins as an upgrade, over HTTP/2 as an extended CONNECT (RFC 8441): one of the two features is the server's.</remarks>
internal sealed class WebSocketSession(IHttpUpgradeFeature? upgrade, IHttpExtendedConnectFeature? connect, Upstream upstream, TimeProvider time)
    : IHttpUpgradeFeature, IHttpExtendedConnectFeature, IDisposable
{
    private const string Protocol = "websocket";

    // What the client's own close frame and the application's answer to it may take.
    private static readonly TimeSpan Handshake = TimeSpan.FromSeconds(5);

    private readonly CancellationTokenSource _abort = new();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private CancellationTokenRegistration _deadline;
    private ClientSocketStream? _stream;

    /// <summary>Where it is counted while it is open; null: nowhere.</summary>
    public Gauge.Child? Open { get; set; }

    /// <summary>Where it is known of while it is open; null: to its upstream only.</summary>
    public OpenStreams? Streams { get; set; }

    /// <summary>The place of the replica that it is sent to.</summary>
    public int Replica { get; set; }

    public bool IsUpgradableRequest => upgrade is { IsUpgradableRequest: true };

    public bool IsExtendedConnect => connect is { IsExtendedConnect: true };

    string? IHttpExtendedConnectFeature.Protocol => connect?.Protocol;

    /// <summary>Ends the forwarding of this connection.</summary>
    public CancellationToken Aborted => _abort.Token;

    /// <summary>The session that the request asks for, put around the server's feature; null: it asks for none.</summary>
    public static WebSocketSession? Around(HttpContext context, Upstream upstream, TimeProvider time)
    {
        var features = context.Features;
        var upgrade = features.Get<IHttpUpgradeFeature>();

        // One of an attempt that did not get through may still be in the way.
        if (upgrade is WebSocketSession before) upgrade = before.Upgrade;
        if (upgrade is { IsUpgradableRequest: true } && string.Equals(context.Request.Headers.Upgrade, Protocol, StringComparison.OrdinalIgnoreCase))
        {
            var session = new WebSocketSession(upgrade, null, upstream, time);
            features.Set<IHttpUpgradeFeature>(session);
            return session;
        }

        if (!HttpMethods.IsConnect(context.Request.Method)) return null;

        var connect = features.Get<IHttpExtendedConnectFeature>();
        if (connect is WebSocketSession earlier) connect = earlier.Connect;
        if (!IsWebSocket(connect)) return null;

        var extended = new WebSocketSession(null, connect, upstream, time);
        features.Set<IHttpExtendedConnectFeature>(extended);
        return extended;
    }

    /// <summary>Whether it asks for an upgrade, or is a CONNECT, which nothing but a WebSocket may be here.</summary>
    public static bool IsAskedFor(HttpRequest request) =>
        string.Equals(request.Headers.Upgrade, Protocol, StringComparison.OrdinalIgnoreCase) || HttpMethods.IsConnect(request.Method);

    /// <summary>Whether a CONNECT asks for a WebSocket and not for a tunnel.</summary>
    public static bool IsWebSocket(IHttpExtendedConnectFeature? connect) =>
        connect is { IsExtendedConnect: true } && string.Equals(connect.Protocol, Protocol, StringComparison.OrdinalIgnoreCase);

    /// <summary>What asks to become a WebSocket and is answered otherwise, or not at all, is a plain request, and has no more time than others.</summary>
    public void EndsAt(CancellationToken deadline)
    {
        _deadline.Dispose();
        _deadline = deadline.UnsafeRegister(
            static state =>
            {
                if (state is WebSocketSession { _stream: null } session)
                    session.Abort();
            },
            this);
    }

    public async Task<Stream> UpgradeAsync() => Follow(await Server(upgrade).UpgradeAsync());

    public async ValueTask<Stream> AcceptAsync() => Follow(await Server(connect).AcceptAsync());

    /// <summary>Sends the close frame and gives both sides a moment to take leave.</summary>
    public async Task CloseAsync()
    {
        if (_stream is null)
            return;

        // A client that does not read holds the frame up; the moment passes all the same.
        var sent = _stream.CloseAsync(_abort.Token);
        await _ended.Task.WaitAsync(Handshake, time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!_ended.Task.IsCompleted)
            Abort();
        await sent;
    }

    public void Abort()
    {
        if (!_ended.Task.IsCompleted)
            _abort.Cancel();
    }

    private IHttpUpgradeFeature? Upgrade => upgrade;

    private IHttpExtendedConnectFeature? Connect => connect;

    public void Dispose()
    {
        // The source stays undisposed on purpose: it has no timer, and a drain may be about to cancel it.
        _ended.TrySetResult();
        _deadline.Dispose();
        if (_stream is null)
            return;

        upstream.Detach(this);
        Streams?.Detach(this);
        Open?.Dec();
    }

    private ClientSocketStream Follow(Stream client)
    {
        _stream = new ClientSocketStream(client);
        upstream.Attach(this);
        Streams?.Attach(this);
        Open?.Inc();
        return _stream;
    }

    private static TFeature Server<TFeature>(TFeature? feature)
        where TFeature : class =>
        feature ?? throw new InvalidOperationException("The connection does not begin this way.");
}
