using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Abstractions;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Orchestrator.Traffic.Requests;
using Orchestrator.Traffic.Tls;

namespace Orchestrator.Traffic;

/// <summary>What Kestrel calls for each request of one listener. There is no middleware in between: a request costs what it must.</summary>
internal sealed class EdgeApplication(
    EdgePipeline pipeline, PublishedEndpoint? listener, AcmeChallenges? challenges, Func<HttpContext, ValueTask<bool>>? intercept)
    : IHttpApplication<EdgeExchange>
{
    private const string Hooks = "/hooks/";

    public EdgeExchange CreateContext(IFeatureCollection contextFeatures)
    {
        var exchange = contextFeatures is IHostContextContainer<EdgeExchange> container ? container.HostContext ??= NewExchange() : NewExchange();
        exchange.Begin(contextFeatures, listener, pipeline.Now);
        pipeline.Farewell.OnRequest(exchange.Context);
        pipeline.Log?.Begin(exchange);
        return exchange;
    }

    public Task ProcessRequestAsync(EdgeExchange context) =>
        Framing.FaultOf(context.Context) is { } fault ? RefuseAsync(context, fault)
        : challenges is not null && challenges.TryFindText(context.Context.Request.Path, out var text)
            ? context.Context.Response.WriteAsync(text, context.Context.RequestAborted)
        : intercept is not null && IsHook(context.Context.Request) ? InterceptAsync(intercept, context) : pipeline.RunAsync(context);

    public void DisposeContext(EdgeExchange context, Exception? exception)
    {
        pipeline.Log?.End(context);
        context.End();
    }

    // What follows on the connection may be anything.
    private static Task RefuseAsync(EdgeExchange exchange, OwnAnswer fault)
    {
        if (HttpProtocol.IsHttp11(exchange.Context.Request.Protocol) || HttpProtocol.IsHttp10(exchange.Context.Request.Protocol))
            exchange.Context.Response.Headers.Connection = "close";
        return OwnAnswers.WriteAsync(exchange, fault);
    }

    private EdgeExchange NewExchange() => new(pipeline.Farewell.Streams);

    private async Task InterceptAsync(Func<HttpContext, ValueTask<bool>> handle, EdgeExchange exchange)
    {
        if (!await handle(exchange.Context))
            await pipeline.RunAsync(exchange);
    }

    private static bool IsHook(HttpRequest request) =>
        HttpMethods.IsPost(request.Method)
        && request.Path.Value is { } path
        && path.Length > Hooks.Length
        && path.StartsWith(Hooks, StringComparison.Ordinal)
        && path.IndexOf('/', Hooks.Length) < 0;
}
