using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Orchestrator.Traffic;

/// <summary>Where requests wait that cannot be sent at the moment: bounded in number, memory and time, let go at once when the client leaves.</summary>
internal sealed class EdgeWait(EdgeOptions options, TrafficRouter router, TimeProvider time)
{
    // What the server reads ahead of a body that nobody reads: Kestrel's default MaxRequestBufferSize.
    private const long ReadAhead = 1 << 20;

    private volatile bool _over;

    /// <summary>Nobody waits any longer, from now on: the edge ends, and with it all that could bring back what is waited for.</summary>
    public void End()
    {
        _over = true;
        router.Moved.Raise();
    }

    /// <summary>Looks again, and waits if there is still nowhere to send it to.</summary>
    public ValueTask<(EdgeHold, RouteTarget)> NextAsync(EdgeExchange exchange, RouteTarget target) =>
        Look(exchange, target, out var next) is { } seen
            ? ValueTask.FromResult((seen, next))
            : new ValueTask<(EdgeHold, RouteTarget)>(HoldAsync(exchange, next));

    private async Task<(EdgeHold, RouteTarget)> HoldAsync(EdgeExchange exchange, RouteTarget target)
    {
        var aborted = exchange.Context.RequestAborted;
        var service = target.Service;
        var bytes = BytesOf(exchange.Context.Request);
        exchange.HeldSince ??= time.GetTimestamp();
        if (!service.TryHold(options, bytes, target.Upstream.Replicas.Length))
            return (EdgeHold.GivenUp, target);

        try
        {
            while (true)
            {
                var (end, next) = await TurnAsync(exchange, service, target, aborted);
                if (end is EdgeHold.Released)
                    return (await ReleaseAsync(exchange, service), next);
                if (end is { } over)
                    return (over, next);

                target = next;
            }
        }
        finally
        {
            service.LetGo(bytes);
        }
    }

    /// <summary>Looks, and waits until something has changed or there is something to try.</summary>
    /// <returns>Null: it is to be looked at again.</returns>
    private async ValueTask<(EdgeHold?, RouteTarget)> TurnAsync(EdgeExchange exchange, ServiceEdge service, RouteTarget target, CancellationToken aborted)
    {
        // Added before looking: what changes after the look ends the wait. A paused service has nothing to try: it is resumed, or its pause is over.
        var waiter = Signal.NewWaiter();
        var pause = service.Pause;
        var changed = pause?.Resumed ?? target.Upstream.Changed;
        router.Moved.Add(waiter);
        changed.Add(waiter);
        try
        {
            if (Look(exchange, target, out var next) is { } seen)
                return (seen, next);
            if (!ReferenceEquals(next, target))
                return (null, next);

            var left = Left(exchange);
            if (_over || left <= TimeSpan.Zero)
                return (EdgeHold.GivenUp, target);

            var trial = pause?.Left ?? target.Upstream.UntilTrial();
            var limit = trial < left ? trial : left;
            await waiter.Task.WaitAsync(limit < TimeSpan.Zero ? TimeSpan.Zero : limit, time, aborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return (aborted.IsCancellationRequested ? EdgeHold.ClientLeft : null, target);
        }
        finally
        {
            router.Moved.Remove(waiter);
            changed.Remove(waiter);
        }
    }

    private async ValueTask<EdgeHold> ReleaseAsync(EdgeExchange exchange, ServiceEdge service)
    {
        var pace = service.Pace;
        var left = Left(exchange);
        if (await pace.EnterAsync(left > TimeSpan.Zero ? left : TimeSpan.Zero, time, exchange.Context.RequestAborted))
            exchange.Pace = pace;
        if (!exchange.Context.RequestAborted.IsCancellationRequested)
            return EdgeHold.Released;

        exchange.GiveBackPace();
        return EdgeHold.ClientLeft;
    }

    /// <returns>Null: it has a route, and has to wait.</returns>
    private EdgeHold? Look(EdgeExchange exchange, RouteTarget target, out RouteTarget next)
    {
        next = exchange.Find(router.Table) ?? target;
        if (exchange.Target is null)
            return EdgeHold.NoRoute;
        if (next.Maintenance is { } mode && mode.Closes(exchange, next))
            return EdgeHold.Maintenance;
        return !next.IsPaused && next.Upstream.MayLease() ? EdgeHold.Released : null;
    }

    private TimeSpan Left(EdgeExchange exchange) => options.HoldFor - (exchange.HeldSince is { } since ? time.GetElapsedTime(since) : TimeSpan.Zero);

    private static long BytesOf(HttpRequest request)
    {
        var bytes = (long)(request.Path.Value?.Length ?? 0) + (request.QueryString.Value?.Length ?? 0);
        foreach (var (name, values) in request.Headers)
        {
            foreach (var value in values)
                bytes += name.Length + (value?.Length ?? 0);
        }

        return request.HttpContext.Features.Get<IHttpRequestBodyDetectionFeature>() is { CanHaveBody: false }
            ? bytes
            : bytes + Math.Min(request.ContentLength ?? ReadAhead, ReadAhead);
    }
}
