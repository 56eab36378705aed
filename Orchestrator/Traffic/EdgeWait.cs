using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Orchestrator.Traffic;

/// <summary>Where requests wait that cannot be sent at the moment: bounded in number, memory and time, let go at once when the client leaves.</summary>
internal sealed class EdgeWait(EdgeOptions options, TrafficRouter router, TimeProvider time)
{
    // What the server reads ahead of a body that nobody reads: Kestrel's default MaxRequestBufferSize.
    private const long ReadAhead = 1 << 20;

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
                // All taken before looking: what changes after the look ends the wait.
                var moved = router.Moved;
                var changed = target.Upstream.Changed;
                var pause = service.Pause;
                var seen = Look(exchange, target, out var next);
                if (seen is EdgeHold.Released)
                    return (await ReleaseAsync(exchange, service), next);
                if (seen is { } end)
                    return (end, next);

                if (!ReferenceEquals(next, target))
                {
                    target = next;
                    continue;
                }

                var left = Left(exchange);
                if (left <= TimeSpan.Zero)
                    return (EdgeHold.GivenUp, target);

                await AnyAsync(target, pause, left, moved, changed, aborted);
                if (aborted.IsCancellationRequested)
                    return (EdgeHold.ClientLeft, target);
            }
        }
        finally
        {
            service.LetGo(bytes);
        }
    }

    private async Task AnyAsync(RouteTarget target, ServicePause? pause, TimeSpan left, Task moved, Task changed, CancellationToken aborted)
    {
        // A paused service has nothing to try: it is resumed, or its pause is over.
        var next = pause?.Left ?? target.Upstream.UntilTrial();
        Task any = pause is null ? Task.WhenAny(moved, changed) : Task.WhenAny(moved, pause.Resumed);
        await any.WaitAsync(next < TimeSpan.Zero ? TimeSpan.Zero : next < left ? next : left, time, aborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
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
