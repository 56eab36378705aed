using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Orchestrator.Traffic.Requests;
using Orchestrator.Traffic.Tls;

namespace Orchestrator.Traffic;

/// <summary>The way of a request: find its route, lease, forward; hold it when there is nowhere to send it to; count what came of it.</summary>
internal sealed class EdgePipeline(EdgeOptions options, TrafficRouter router, EdgeForwarder forwarder, EdgeMetrics metrics, TimeProvider time)
{
    private const int ClientClosedRequest = 499;

    private readonly EdgeWait _wait = new(options, router, time);

    private readonly RequestStart _start = new(time);

    private readonly WebSocketLimit? _sockets = options.Limits.WebSocketsPerClient is { } most ? new WebSocketLimit(most) : null;

    /// <summary>Null: requests are not written down.</summary>
    public AccessLog? Log { get; init; }

    /// <summary>Whether it is time to go.</summary>
    public required EdgeFarewell Farewell { get; init; }

    public long Now => time.GetTimestamp();

    public EdgeRedirects Redirects { get; } = new(options.Tls?.Certificates);

    /// <summary>Requests that wait for a replica are answered now, and later ones do not wait.</summary>
    public void EndHolds() => _wait.End();

    public Task RunAsync(EdgeExchange exchange)
    {
        HopByHop.Remove(exchange.Context.Request.Headers);
        exchange.TakePreview();
        exchange.Client.Rewrite(exchange.Context, options.TrustedProxies, _start.Now);
        if (HttpMethods.IsConnect(exchange.Context.Request.Method)
            && !WebSocketSession.IsWebSocket(exchange.Context.Features.Get<IHttpExtendedConnectFeature>()))
            return OwnAnswers.WriteAsync(exchange, OwnAnswer.ForwardProxy);

        if (exchange.Find(router.Table) is not { } target)
            return UnroutedAsync(exchange);

        if (target.Rules is { } rules && rules.Refuses(exchange, out var answer))
            return RefuseAsync(exchange, target, answer);

        return options.Limits.Body is { } limit && target.Rules?.Policy.BodyLimit is null && exchange.Context.Request.ContentLength > limit
            ? RefuseAsync(exchange, target, OwnAnswer.TooLarge)
            : _sockets is not null && WebSocketSession.IsAskedFor(exchange.Context.Request) ? ServeSocketAsync(exchange, target, _sockets)
            : ServeAsync(exchange, target);
    }

    private async Task ServeSocketAsync(EdgeExchange exchange, RouteTarget target, WebSocketLimit limit)
    {
        var client = exchange.Client.Address;
        if (!limit.TryEnter(client))
        {
            await RefuseAsync(exchange, target, OwnAnswer.TooManyRequests(options.RetryAfter));
            return;
        }

        try
        {
            await ServeAsync(exchange, target);
        }
        finally
        {
            limit.Leave(client);
        }
    }

    private async Task ServeAsync(EdgeExchange exchange, RouteTarget target)
    {
        if (target.Route?.Tls is { } rules && Redirects.TryAnswer(exchange.Context, rules))
        {
            Count(exchange, target, StatusCodes.Status308PermanentRedirect, own: true);
            return;
        }

        if (target.IsPaused && exchange.AsksHealth(target))
        {
            await OwnAnswers.WriteAsync(exchange, OwnAnswer.Paused);
            return;
        }

        var hold = IsClosed(exchange, target) ? EdgeHold.Maintenance : EdgeHold.Released;
        if (hold is EdgeHold.Released && target.Rules?.Files is { } files && await files.TryServeAsync(exchange))
        {
            Count(exchange, target, exchange.Context.Response.StatusCode, own: true);
            return;
        }

        while (hold is EdgeHold.Released)
        {
            if (!target.IsPaused && (target.Sticky is { } sticky ? sticky.TryLease(exchange, out var lease) : target.Upstream.TryLease(out lease)))
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
                    exchange.GiveBackPace();
                }

                if (outcome is not EdgeOutcome.NotSent)
                {
                    await AnswerAsync(exchange, outcome);
                    return;
                }
            }

            // Where it was let go to, somebody else was first.
            exchange.GiveBackPace();

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
                await RefuseAsync(exchange, target, OwnAnswer.Maintenance(options.RetryAfter));
                return;
            case EdgeHold.ClientLeft:
                Record(exchange, target, EdgeOutcome.ClientLeft);
                return;
            default:
                Record(exchange, target, EdgeOutcome.NotSent);
                await OwnAnswers.WriteAsync(exchange, OwnAnswer.Unavailable(options.RetryAfter));
                return;
        }
    }

    private Task UnroutedAsync(EdgeExchange exchange)
    {
        if (exchange.Denied is { } denied)
        {
            metrics.PreviewsRefused.Inc();
            return denied.Tls is { } rules && Redirects.TryAnswer(exchange.Context, rules) ? Task.CompletedTask : OwnAnswers.WriteAsync(exchange, denied.Answer);
        }

        metrics.Unrouted.Inc();
        return OwnAnswers.WriteAsync(exchange, exchange.PreviewToken is null ? OwnAnswer.NoRoute(exchange.Context.Request.Host) : OwnAnswer.UnknownPreview);
    }

    private static Task RefuseAsync(EdgeExchange exchange, RouteTarget target, OwnAnswer answer)
    {
        Count(exchange, target, answer.Status, own: true);
        return OwnAnswers.WriteAsync(exchange, answer);
    }

    private static bool IsClosed(EdgeExchange exchange, RouteTarget target) => target.Maintenance is { } mode && mode.Closes(exchange, target);

    private static Task AnswerAsync(EdgeExchange exchange, EdgeOutcome outcome) => outcome switch
    {
        _ when exchange.Context.Response.HasStarted => Task.CompletedTask,
        EdgeOutcome.CutOff => OwnAnswers.WriteAsync(exchange, OwnAnswer.BadGateway),
        EdgeOutcome.TimedOut => OwnAnswers.WriteAsync(exchange, OwnAnswer.Timeout),
        EdgeOutcome.Refused => OwnAnswers.WriteAsync(exchange, OwnAnswer.Refusal(exchange.Status)),
        _ => Task.CompletedTask,
    };

    private void Record(EdgeExchange exchange, RouteTarget target, EdgeOutcome outcome)
    {
        var response = exchange.Context.Response;
        var status = outcome switch
        {
            EdgeOutcome.Answered => response.StatusCode,
            EdgeOutcome.NotSent => StatusCodes.Status503ServiceUnavailable,
            EdgeOutcome.TimedOut => StatusCodes.Status504GatewayTimeout,
            EdgeOutcome.ClientLeft => ClientClosedRequest,
            EdgeOutcome.Refused => EdgeOutcomes.RefusalOf(exchange.Context) ?? StatusCodes.Status400BadRequest,
            _ => StatusCodes.Status502BadGateway,
        };

        exchange.Status = status;

        // The smoke test is no user, and who chose a colour is none of its users: what they see must not colour what the watch on live traffic says.
        if (target.Route is null || exchange.IsChosen)
            return;

        Count(exchange, target, status, own: outcome is not EdgeOutcome.Answered);
        TimeSpan? took = outcome is EdgeOutcome.Answered && !IsStream(exchange.Context.Request, response) ? time.GetElapsedTime(exchange.Started) : null;
        target.Upstream.Traffic.Record(status >= StatusCodes.Status500InternalServerError, took);
        if (took is { } duration)
            target.Series.Duration.Observe(duration.TotalSeconds);
    }

    private static void Count(EdgeExchange exchange, RouteTarget target, int status, bool own)
    {
        if (target.Route is not null && exchange is { PreviewToken: null, IsChosen: false })
            target.Series.Count(status, own);
    }

    // What lasts as long as its reader likes says nothing about latency.
    private static bool IsStream(HttpRequest request, HttpResponse response) =>
        response.StatusCode == StatusCodes.Status101SwitchingProtocols
        || HttpMethods.IsConnect(request.Method)
        || EdgeExchange.IsEventStream(response);
}
