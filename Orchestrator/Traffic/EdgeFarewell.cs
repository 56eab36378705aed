using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Orchestrator.Traffic.Handover;

namespace Orchestrator.Traffic;

/// <summary>
/// How the edge lets go of those whose connections it keeps: what they ask meanwhile is answered, with word that the connection ends, so that they do not
/// send the next request into a socket that is being closed.
/// </summary>
internal sealed class EdgeFarewell(TimeProvider time)
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(20);

    // Who is there asks again within this time; pools of clients come to all of their connections one after another.
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(1);

    private int _connections;
    private int _late;
    private int _passedOn;
    private long _told;
    private volatile bool _begun;

    /// <summary>WebSockets and event streams that are open.</summary>
    public OpenStreams Streams { get; } = new(time);

    /// <summary>Listeners were handed over by somebody who goes on holding them. Set before anything listens.</summary>
    public bool Inherited { get; set; }

    /// <summary>Who takes idle connections for the next daemon; null: they end with this one. Set before anything listens.</summary>
    public SocketKeeping? Keeping { get; set; }

    /// <summary>Somebody will take what the edge leaves, so that no client needs to notice; false: it ends with the edge.</summary>
    public bool Succeeded => Inherited || Keeping is not null;

    /// <summary>Idle connections that the next daemon goes on with.</summary>
    public int PassedOn => Volatile.Read(ref _passedOn);

    /// <summary>
    /// From now on each answer is the last one of its connection: <c>Connection: close</c> (RFC 9112, section 9.6), GOAWAY over HTTP/2. Returns when
    /// only WebSockets and event streams are left, when for a second none of those who were there before had to be told, or after
    /// <paramref name="limit"/>: who has asked nothing by then is idle.
    /// </summary>
    public async Task SayAsync(TimeSpan limit)
    {
        var started = time.GetTimestamp();
        Volatile.Write(ref _told, started);
        _begun = true;
        while (Volatile.Read(ref _connections) > Streams.Count && time.GetElapsedTime(started) < limit && time.GetElapsedTime(Volatile.Read(ref _told)) < Quiet)
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
        if (!_begun || WebSocketSession.IsAskedFor(context.Request))
            return;

        if (context.Features.Get<Acquaintance>() is not null)
            Volatile.Write(ref _told, time.GetTimestamp());
        context.Features.Get<IConnectionLifetimeNotificationFeature>()?.RequestClose();
    }

    /// <param name="plain">What the client sends is what the server reads, no TLS in between; and whoever comes next listens at the same address.</param>
    public async Task CountAsync(ConnectionDelegate next, ConnectionContext connection, bool plain)
    {
        var late = _begun ? 1 : 0;
        Interlocked.Increment(ref _connections);
        Interlocked.Add(ref _late, late);
        if (late == 0)
            connection.Features.Set(Acquaintance.Old);
        try
        {
            await (plain && Succeeded ? WatchAsync(next, connection) : next(connection));
        }
        finally
        {
            Interlocked.Decrement(ref _connections);
            Interlocked.Add(ref _late, -late);
        }
    }

    private async Task WatchAsync(ConnectionDelegate next, ConnectionContext connection)
    {
        var watch = new IdleWatch(connection.Transport, connection.Features.Get<SocketCounts>() ?? SocketCounts.None);
        connection.Transport = watch;
        await next(connection);
        while (_begun && watch.EndedIdle)
        {
            var end = End(watch, connection);
            if (end is IdleEnd.Sending)
            {
                await Task.Delay(Look, time);
                continue;
            }

            if (end is not IdleEnd.Asked)
                return;

            // The server would not begin what it has been asked to end.
            using var asked = new CancellationTokenSource();
            connection.Features.Set<IConnectionLifetimeNotificationFeature>(new AfterTheEnd(asked));
            await next(connection);
        }
    }

    private IdleEnd End(IdleWatch watch, ConnectionContext connection)
    {
        var room = Interlocked.Increment(ref _passedOn) <= SocketKeeping.MostConnections;
        var end = watch.End(connection, room ? Keeping : null);
        if (end is not IdleEnd.PassedOn)
            Interlocked.Decrement(ref _passedOn);
        return end;
    }

    /// <summary>Marks a connection that was there before the farewell began.</summary>
    private sealed class Acquaintance
    {
        public static readonly Acquaintance Old = new();
    }

    /// <summary>For the one request that came when its connection was being ended.</summary>
    private sealed class AfterTheEnd(CancellationTokenSource asked) : IConnectionLifetimeNotificationFeature
    {
        public CancellationToken ConnectionClosedRequested { get; set; } = asked.Token;

        public void RequestClose() => asked.Cancel();
    }
}
