using Microsoft.AspNetCore.Http.Features;

namespace Orchestrator.Traffic;

/// <summary>
/// A WebSocket that passes through to an upstream and can be asked to end: between two frames of the application's, the client gets a close frame
/// with status 1012, "service restart", on which clients come back, to the new colour.
/// </summary>
internal sealed class WebSocketSession(IHttpUpgradeFeature inner, Upstream upstream, TimeProvider time) : IHttpUpgradeFeature, IDisposable
{
    // What the client's own close frame and the application's answer to it may take.
    private static readonly TimeSpan Handshake = TimeSpan.FromSeconds(5);

    private readonly CancellationTokenSource _abort = new();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private ClientSocketStream? _stream;

    /// <summary>The server's own feature, without this session around it.</summary>
    public IHttpUpgradeFeature Inner => inner;

    public bool IsUpgradableRequest => inner.IsUpgradableRequest;

    /// <summary>Ends the forwarding of this connection.</summary>
    public CancellationToken Aborted => _abort.Token;

    public async Task<Stream> UpgradeAsync()
    {
        _stream = new ClientSocketStream(await inner.UpgradeAsync());
        upstream.Attach(this);
        return _stream;
    }

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

    public void Dispose()
    {
        // The source stays undisposed on purpose: it has no timer, and a drain may be about to cancel it.
        _ended.TrySetResult();
        if (_stream is not null)
            upstream.Detach(this);
    }
}
