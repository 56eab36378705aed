using System.Collections.Immutable;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Orchestrator.Agent.Auth;
using Orchestrator.Agent.StatusPage;
using Orchestrator.Deployments;
using Orchestrator.Traffic;
using Prometheus;

namespace Orchestrator.Tests.Browser;

/// <summary>The page on a real listener, over a board that the test moves. The API's side of the buttons is played: what was asked is kept.</summary>
internal sealed class PageHost : IAsyncDisposable
{
    private readonly DeploymentEvents _events = new();
    private WebApplication _application = null!;

    public Uri Address => new(_application.Urls.Single());

    public ImmutableArray<StackBoard> Stacks { get; set; } = [];

    public List<string> Asked { get; } = [];

    /// <summary>What the API answers, if it refuses.</summary>
    public object? Refusal { get; set; }

    public TrafficRouter Router { get; } = new(new EdgeMetrics(Metrics.NewCustomRegistry()), TimeProvider.System);

    public TrafficPulse Pulse => _application.Services.GetRequiredService<TrafficPulse>();

    public static async Task<PageHost> StartAsync(params ImmutableArray<StackBoard> stacks)
    {
        var host = new PageHost { Stacks = stacks };
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.AddSingleton(TimeProvider.System).AddSingleton(host.Router).AddStatusPage();

        // Everybody comes over the socket here, so it has nothing to look up.
        builder.Services.AddSingleton(new Authenticator(null!, null!, null!, TimeProvider.System));
        builder.Services.AddSingleton(new StatusFeed(
            _ => Task.FromResult(host.Stacks.Select(stack => stack.Status).ToImmutableArray()),
            (stack, _) => Task.FromResult(host.Find(stack).Recent),
            (stack, _) => Task.FromResult(host.Find(stack).Releases),
            host.WatchAsync)
        {
            Backups = (stack, _) => Task.FromResult(host.Find(stack).Backups),
        });
        host._application = builder.Build();
        host.Map(host._application);
        await host._application.StartAsync();
        return host;
    }

    public void Change(Func<StackBoard, StackBoard> change) => Stacks = Stacks.SetItem(0, change(Stacks[0]));

    /// <summary>A deployment has moved on.</summary>
    public void Happen(Deployment deployment, string? message = null)
    {
        Change(stack => stack.With(deployment));
        _events.Publish(new(deployment, deployment.Steps.LastOrDefault()?.Name, message, TimeProvider.System.GetUtcNow()));
    }

    public ValueTask DisposeAsync() => _application.DisposeAsync();

    private StackBoard Find(string stack) => Stacks.Single(one => one.Status.Stack == stack);

    private async IAsyncEnumerable<DeploymentEvent> WatchAsync([System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var subscription = _events.Subscribe();
        await foreach (var happened in subscription.ReadAsync(cancellationToken)) yield return happened;
    }

    private void Map(WebApplication application)
    {
        application.Use(SecurityHeaders.ApplyAsync);
        application.Use((context, next) =>
        {
            context.Features.Set(Caller.Socket);
            context.Features.Set(new PeerCredential(Environment.ProcessId, 0, Member: false));
            return next(context);
        });
        application.MapStatusPage();
        application.MapPost("/api/v1/stacks/{stack}/rollback", (Delegate)HearAsync);
        application.MapPut("/api/v1/stacks/{stack}/maintenance", (Delegate)HearAsync);
        application.MapPost("/api/v1/deployments/{id}/cancel", (Delegate)HearAsync);
    }

    private async Task<IResult> HearAsync(HttpContext context)
    {
        using var body = new StreamReader(context.Request.Body);
        var said = await body.ReadToEndAsync();
        lock (Asked) Asked.Add($"{context.Request.Method} {context.Request.Path} {said}".TrimEnd());
        return Refusal is null ? Results.Json(new { id = 16 }, statusCode: 202) : Results.Json(Refusal, statusCode: 409, contentType: "application/problem+json");
    }
}
