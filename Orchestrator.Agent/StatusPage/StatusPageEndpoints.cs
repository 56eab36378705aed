using Microsoft.AspNetCore.Http.HttpResults;
using Orchestrator.Access;
using Orchestrator.Agent.Auth;
using Orchestrator.Agent.Cli;
using Orchestrator.Agent.StatusPage.Views;
using Orchestrator.Deployments;
using Orchestrator.Journal;

namespace Orchestrator.Agent.StatusPage;

/// <summary>
/// The status page. It only reads: its buttons call the API under <c>/api/v1</c> with the visitor's session, so that what a button does
/// is checked, recorded and refused in one place. The session's cookie is SameSite=Strict, the origin of what is not a GET is compared,
/// and the bodies are JSON, which another site's form cannot send: so no token against forgery is needed in the page.
/// </summary>
internal static class StatusPageEndpoints
{
    public static void AddStatusPage(this IServiceCollection services)
    {
        services.AddSingleton<BackupFeed>();
        services.AddSingleton(provider => StatusFeed.Of(provider.GetRequiredService<DeploymentService>(), provider.GetRequiredService<IJournal>()) with { Backups = provider.GetRequiredService<BackupFeed>().OfAsync });
        services.AddSingleton<Assets>();
        services.AddSingleton(provider => new PageFrame(provider.GetRequiredService<Assets>().Bundle, Build.Version, Environment.MachineName));
        services.AddSingleton<StatusBoard>();
        services.AddSingleton<TrafficPulse>();
        services.AddSingleton<LiveStream>();
        services.AddHostedService<TrafficSamplerService>();
    }

    public static void MapStatusPage(this IEndpointRouteBuilder routes)
    {
        var pages = routes.MapGroup("").RequireScope(TokenScope.Read).ExcludeFromDescription();
        pages.MapGet("/", ShowAsync);
        pages.MapGet("/live", Listen);

        // The form of the login needs them before anybody is known; they hold nothing that is not published anyway.
        routes
            .MapGet("/assets/{bundle}/{name}", (HttpContext context, string bundle, string name, Assets assets) => assets.Serve(context, bundle, name))
            .OpenToAll()
            .ExcludeFromDescription();
    }

    public static IResult Page(Html page, int status = StatusCodes.Status200OK) =>
        Results.Text(page.ToString(), "text/html; charset=utf-8", statusCode: status);

    private static async Task<IResult> ShowAsync(
        HttpContext context, PageFrame frame, StatusBoard board, TrafficPulse pulse, TimeProvider time, CancellationToken cancellationToken)
    {
        var visitor = Visitor.Of(Caller.Of(context));
        var seen = await board.ReadAsync(time.GetUtcNow() - TimeSpan.FromSeconds(1), cancellationToken);
        return Page(PageView.Status(frame, visitor, new LiveView(visitor, pulse).Render(seen)));
    }

    private static ServerSentEventsResult<string> Listen(HttpContext context, LiveStream live, Authenticator authenticator, IHostApplicationLifetime lifetime)
    {
        return TypedResults.ServerSentEvents(live.RunAsync(Visitor.Of(Caller.Of(context)), MayStayAsync, lifetime.ApplicationStopping));

        async Task<bool> MayStayAsync(CancellationToken cancellationToken) =>
            await authenticator.IdentifyAsync(context, cancellationToken) is Identification.Known;
    }
}
