using System.Collections.Concurrent;
using System.Net;
using System.Runtime.CompilerServices;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Orchestrator.Traffic.Requests;
using Yarp.ReverseProxy.Forwarder;

namespace Orchestrator.Traffic;

/// <summary>Sends a leased request to its replica, and to the next one as long as nothing of it was sent.</summary>
internal sealed partial class EdgeForwarder : IDisposable
{
    private readonly ServiceProvider _services;
    private readonly IHttpForwarder _forwarder;
    private readonly HttpMessageInvoker _client;
    private readonly ConcurrentDictionary<TimeSpan, HttpMessageInvoker> _patient = [];
    private readonly long? _bodyLimit;
    private readonly ForwarderRequestConfig _request;
    private readonly TimeProvider _time;
    private readonly ILogger<EdgeForwarder> _logger;

    public EdgeForwarder(EdgeOptions options, ILoggerFactory loggers, TimeProvider time)
    {
        // YARP writes two lines per request at Information; what went wrong is logged here, once.
        _services = new ServiceCollection().AddLogging().AddHttpForwarder().BuildServiceProvider();
        _forwarder = _services.GetRequiredService<IHttpForwarder>();
        _bodyLimit = options.Limits.Body;
        _request = new ForwarderRequestConfig { ActivityTimeout = options.ActivityTimeout, Version = HttpVersion.Version11 };
        _time = time;
        _logger = loggers.CreateLogger<EdgeForwarder>();
        _client = Client(options.ConnectTimeout);
    }

    public void Dispose()
    {
        _client.Dispose();
        foreach (var client in _patient.Values)
            client.Dispose();
        _services.Dispose();
    }

    /// <summary>Forwards the request to the replica of its lease; the lease may have moved to another when this returns.</summary>
    /// <returns>How the last attempt ended; after <see cref="EdgeOutcome.NotSent"/> it may be held and sent again.</returns>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<EdgeOutcome> SendAsync(EdgeExchange exchange, RouteTarget target)
    {
        var context = exchange.Context;
        var upstream = target.Upstream;
        var (client, request) = (ClientFor(target.Rules), RequestFor(target.Rules));
        var tried = 0UL;
        exchange.BodyLimit = target.Rules?.Policy.BodyLimit ?? _bodyLimit;
        try
        {
            while (true)
            {
                var lease = exchange.Lease;
                var deadline = exchange.Prepare(_time);
                exchange.Trace?.Sent(lease);
                var error = await _forwarder.SendAsync(context, target.DestinationOf(lease), client, request, exchange, deadline);
                if (error == ForwarderError.None)
                    return exchange.Compressed is null ? EdgeOutcome.Answered : await EndAsync(exchange.Compressed, context.RequestAborted);

                if (!context.Response.HasStarted)
                    exchange.Uncompress();
                var outcome = EdgeOutcomes.Of(context, error, deadline.IsCancellationRequested);
                Blame(target, lease, outcome, context);
                if (outcome is not EdgeOutcome.NotSent && (outcome is not EdgeOutcome.CutOff || !MayRepeat(exchange)))
                {
                    if (outcome is not (EdgeOutcome.Answered or EdgeOutcome.ClientLeft or EdgeOutcome.Refused))
                        LogFailed(context.Request.Method, context.Request.Path, upstream.Identity, lease.Replica, error, Cause(context));
                    return outcome;
                }

                tried |= lease.Index < 64 ? 1UL << lease.Index : 0;
                Reset(context);
                if (!upstream.TryMove(ref lease, tried))
                    return EdgeOutcome.NotSent;

                exchange.Lease = lease;
                target.Service.Retried();
            }
        }
        finally
        {
            exchange.EndSession();
        }
    }

    private static HttpMessageInvoker Client(TimeSpan connectTimeout) => new(new SocketsHttpHandler
    {
        UseProxy = false,
        UseCookies = false,
        AllowAutoRedirect = false,
        AutomaticDecompression = DecompressionMethods.None,
        ConnectTimeout = connectTimeout,

        // Node closes idle connections after 5 s, and says nothing before: one used just then is a lost POST. We let go first.
        PooledConnectionIdleTimeout = TimeSpan.FromSeconds(4),

        // Header values are bytes to a proxy: Latin-1 gives back what came.
        RequestHeaderEncodingSelector = static (_, _) => Encoding.Latin1,
        ResponseHeaderEncodingSelector = static (_, _) => Encoding.Latin1,

        // The client's own traceparent passes through; without a propagator no activity is made per request.
        ActivityHeadersPropagator = null,
        EnableMultipleHttp2Connections = true,
    });

    private static async Task<EdgeOutcome> EndAsync(CompressedBody body, CancellationToken aborted)
    {
        try
        {
            await body.EndAsync(aborted);
            return EdgeOutcome.Answered;
        }
        catch (Exception exception) when (exception is OperationCanceledException or IOException)
        {
            return EdgeOutcome.ClientLeft;
        }
    }

    // One for each time-out that a route asks for: the handler has one for all its connections.
    private HttpMessageInvoker ClientFor(RouteRules? rules) =>
        rules?.Policy.Timeouts?.Connect is { } timeout ? _patient.GetOrAdd(timeout, Client) : _client;

    private ForwarderRequestConfig RequestFor(RouteRules? rules)
    {
        if (rules is null)
            return _request;

        var policy = rules.Policy;
        return rules.Request ??= _request with
        {
            ActivityTimeout = policy.Timeouts?.Idle ?? _request.ActivityTimeout,
            Version = policy.Http2 ? HttpVersion.Version20 : HttpVersion.Version11,
            VersionPolicy = policy.Http2 ? HttpVersionPolicy.RequestVersionExact : _request.VersionPolicy,
        };
    }

    private void Blame(RouteTarget target, in Lease lease, EdgeOutcome outcome, HttpContext context)
    {
        var ejected = outcome switch
        {
            EdgeOutcome.NotSent => target.Upstream.Unreachable(lease.Index),
            EdgeOutcome.CutOff => target.Upstream.BrokeOff(lease.Index),
            _ => false,
        };
        if (!ejected)
            return;

        target.Service.Ejected();
        if (outcome is EdgeOutcome.NotSent)
            LogUnreachable(target.Upstream.Identity, lease.Replica, Cause(context));
        else
            LogBreaksOff(target.Upstream.Identity, lease.Replica, Cause(context));
    }

    // What has no body and is idempotent (RFC 9110, section 9.2.2) may be asked again when a replica dies over it, but only once: it may be what
    // killed it. A connection that was closed as idle just when it was used looks the same.
    private static bool MayRepeat(EdgeExchange exchange)
    {
        var request = exchange.Context.Request;
        if (exchange.Repeated || !IsIdempotent(request.Method)
            || exchange.Context.Features.Get<IHttpRequestBodyDetectionFeature>() is { CanHaveBody: true })
            return false;

        exchange.Repeated = true;
        return true;
    }

    private static bool IsIdempotent(string method) =>
        HttpMethods.IsGet(method) || HttpMethods.IsHead(method) || HttpMethods.IsOptions(method) || HttpMethods.IsPut(method) || HttpMethods.IsDelete(method);

    private static void Reset(HttpContext context)
    {
        context.Response.Clear();
        context.Features.Set<IForwarderErrorFeature>(null);
    }

    private static string? Cause(HttpContext context) => context.GetForwarderErrorFeature()?.Exception?.GetBaseException().Message;

    [LoggerMessage(EventId = 3010, Level = LogLevel.Warning, Message = "Replica {Replica} of {Upstream} cannot be reached: {Cause}")]
    private partial void LogUnreachable(UpstreamIdentity upstream, ReplicaAddress replica, string? cause);

    [LoggerMessage(EventId = 3050, Level = LogLevel.Warning, Message = "Replica {Replica} of {Upstream} breaks off what it gets and is left alone for a moment: {Cause}")]
    private partial void LogBreaksOff(UpstreamIdentity upstream, ReplicaAddress replica, string? cause);

    [LoggerMessage(EventId = 3011, Level = LogLevel.Warning, Message = "{Method} {Path} failed at {Replica} of {Upstream}: {Error}: {Cause}")]
    private partial void LogFailed(string method, string path, UpstreamIdentity upstream, ReplicaAddress replica, ForwarderError error, string? cause);
}
