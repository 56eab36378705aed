using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Orchestrator.Traffic.Tls;

namespace Orchestrator.Traffic;

/// <summary>The way of a request: find its route, lease, forward; hold it when there is nowhere to send it to; count what came of it.</summary>
internal sealed class EdgePipeline(EdgeOptions options, TrafficRouter router, EdgeForwarder forwarder, EdgeMetrics metrics, TimeProvider time)
{
    private const int ClientClosedRequest = 499;

    private readonly EdgeWait _wait = new(options, router, time);

    public long Now => time.GetTimestamp();

    public EdgeRedirects Redirects { get; } = new(options.Tls?.Certificates);

    public Task RunAsync(EdgeExchange exchange)
    {
        if (HttpMethods.IsConnect(exchange.Context.Request.Method) && !WebSocketSession.IsWebSocket(exchange.Context.Features.Get<IHttpExtendedConnectFeature>()))
            return EdgeAnswers.NotAllowedAsync(exchange.Context);

        exchange.RewriteHeaders();
        return exchange.Find(router.Table) is { } target ? ServeAsync(exchange, target) : UnroutedAsync(exchange);
    }

    private async Task ServeAsync(EdgeExchange exchange, RouteTarget target)
    {
        if (target.Route?.Tls is { } rules && Redirects.TryAnswer(exchange.Context, rules))
        {
            Count(exchange, target, StatusCodes.Status308PermanentRedirect, own: true);
            return;
        }

        if ((target.Maintenance || target.IsPaused) && exchange.AsksHealth(target))
        {
            await EdgeAnswers.PausedHealthAsync(exchange.Context);
            return;
        }

        var hold = target.Maintenance ? EdgeHold.Maintenance : EdgeHold.Released;
        while (hold is EdgeHold.Released)
        {
            if (!target.IsPaused && target.Upstream.TryLease(out var lease))
            {
                var outcome = EdgeOutcome.NotSent;
                exchange.Lease = lease;
                target.Series.InFlight.Inc();
                try
                {
                    outcome = await forwarder.SendAsync(exchange, target);
                }
                finally
                {
                    // Counted before the lease ends: a drain that is over has all its requests in its numbers.
                    if (outcome is not EdgeOutcome.NotSent)
                        Record(exchange, target, outcome);
                    target.Series.InFlight.Dec();
                    exchange.Lease.Dispose();
                    exchange.LeavePace();
                }

                if (outcome is not EdgeOutcome.NotSent)
                {
                    await AnswerAsync(exchange.Context, outcome);
                    return;
                }
            }

            // Refused: the table has moved, so it is read again; or nothing is available, and it waits until something is.
            (hold, target) = await _wait.NextAsync(exchange, target);
        }

        await RefuseAsync(exchange, target, hold);
    }

    private async Task RefuseAsync(EdgeExchange exchange, RouteTarget target, EdgeHold hold)
    {
        switch (hold)
        {
            case EdgeHold.NoRoute:
                await UnroutedAsync(exchange);
                return;
            case EdgeHold.Maintenance:
                Count(exchange, target, StatusCodes.Status503ServiceUnavailable, own: true);
                await EdgeAnswers.MaintenanceAsync(exchange.Context, options.RetryAfter);
                return;
            case EdgeHold.ClientLeft:
                Record(exchange, target, EdgeOutcome.ClientLeft);
                return;
            default:
                Record(exchange, target, EdgeOutcome.NotSent);
                await EdgeAnswers.UnavailableAsync(exchange.Context, options.RetryAfter);
                return;
        }
    }

    private Task UnroutedAsync(EdgeExchange exchange)
    {
        metrics.Unrouted.Inc();
        return exchange.PreviewToken is null ? EdgeAnswers.NoRouteAsync(exchange.Context) : EdgeAnswers.UnknownPreviewAsync(exchange.Context);
    }

    private static Task AnswerAsync(HttpContext context, EdgeOutcome outcome) => outcome switch
    {
        _ when context.Response.HasStarted => Task.CompletedTask,
        EdgeOutcome.CutOff => EdgeAnswers.BadGatewayAsync(context),
        EdgeOutcome.TimedOut => EdgeAnswers.TimeoutAsync(context),
        _ => Task.CompletedTask,
    };

    private void Record(EdgeExchange exchange, RouteTarget target, EdgeOutcome outcome)
    {
        // The smoke test is no user: what it sees must not colour what the watch on live traffic says.
        if (target.Route is null)
            return;

        var response = exchange.Context.Response;
        var status = outcome switch
        {
            EdgeOutcome.Answered => response.StatusCode,
            EdgeOutcome.NotSent => StatusCodes.Status503ServiceUnavailable,
            EdgeOutcome.TimedOut => StatusCodes.Status504GatewayTimeout,
            EdgeOutcome.ClientLeft => ClientClosedRequest,
            _ => StatusCodes.Status502BadGateway,
        };

        Count(exchange, target, status, own: outcome is not EdgeOutcome.Answered);
        TimeSpan? took = outcome is EdgeOutcome.Answered && !IsStream(exchange.Context.Request, response) ? time.GetElapsedTime(exchange.Started) : null;
        target.Upstream.Traffic.Record(status >= StatusCodes.Status500InternalServerError, took);
        if (took is { } duration)
            target.Series.Duration.Observe(duration.TotalSeconds);
    }

    private static void Count(EdgeExchange exchange, RouteTarget target, int status, bool own)
    {
        if (target.Route is not null && exchange.PreviewToken is null)
            target.Series.Count(status, own);
    }

    // What lasts as long as its reader likes says nothing about latency.
    private static bool IsStream(HttpRequest request, HttpResponse response) =>
        response.StatusCode == StatusCodes.Status101SwitchingProtocols
        || HttpMethods.IsConnect(request.Method)
        || EdgeExchange.IsEventStream(response);
}
