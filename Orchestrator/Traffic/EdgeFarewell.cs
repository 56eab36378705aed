using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;

namespace Orchestrator.Traffic;

/// <summary>
/// How the edge lets go of those whose connections it keeps: what they ask meanwhile is answered, with word that the connection ends, so that they do not
/// send the next request into a socket that is being closed.
/// </summary>
internal sealed class EdgeFarewell(TimeProvider time)
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(20);

    private int _connections;
    private int _late;
    private volatile bool _begun;

    /// <summary>WebSockets and event streams that are open.</summary>
    public OpenStreams Streams { get; } = new(time);

    /// <summary>
    /// From now on each answer is the last one of its connection: <c>Connection: close</c> (RFC 9112, section 9.6), GOAWAY over HTTP/2. Returns when
    /// only WebSockets and event streams are left, or after <paramref name="limit"/>: who has asked nothing by then is idle.
    /// </summary>
    public async Task SayAsync(TimeSpan limit)
    {
        var started = time.GetTimestamp();
        _begun = true;
        while (Volatile.Read(ref _connections) > Streams.Count && time.GetElapsedTime(started) < limit)
            await Task.Delay(Look, time);
    }

    /// <summary>
    /// Waits for those who have come since, and have their one answer yet to get: a connection that is new, and on which nothing was asked so far, is
    /// about to be used. One that stays silent for <paramref name="limit"/> is not.
    /// </summary>
    public async Task AnsweredAsync(TimeSpan limit)
    {
        var started = time.GetTimestamp();
        while (Volatile.Read(ref _late) > Streams.Count && time.GetElapsedTime(started) < limit)
            await Task.Delay(Look, time);
    }

    public void OnRequest(HttpContext context)
    {
        // A WebSocket's way of being told is its own.
        if (_begun && !WebSocketSession.IsAskedFor(context.Request))
            context.Features.Get<IConnectionLifetimeNotificationFeature>()?.RequestClose();
    }

    public async Task CountAsync(ConnectionDelegate next, ConnectionContext connection)
    {
        var late = _begun ? 1 : 0;
        Interlocked.Increment(ref _connections);
        Interlocked.Add(ref _late, late);
        try
        {
            await next(connection);
        }
        finally
        {
            Interlocked.Decrement(ref _connections);
            Interlocked.Add(ref _late, -late);
        }
    }
}
