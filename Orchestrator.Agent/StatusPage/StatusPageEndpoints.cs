using System.Reflection;
using Orchestrator.Agent.StatusPage.Views;
using Orchestrator.Deployments;
using Orchestrator.Journal;

namespace Orchestrator.Agent.StatusPage;

/// <summary>
/// The status page. It only reads: its buttons call the API under <c>/api/v1</c> with the visitor's session, so that what a button does
/// is checked, recorded and refused in one place. The session's cookie is SameSite=Strict, the origin of what is not a GET is compared, and the bodies are JSON,
/// which another site's form cannot send: so no token against forgery is needed in the page.
/// </summary>
internal static class StatusPageEndpoints
{
    private static string Version => typeof(StatusPageEndpoints).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";

    public static void AddStatusPage(this IServiceCollection services)
    {
        services.AddSingleton(provider => StatusFeed.Of(provider.GetRequiredService<DeploymentService>(), provider.GetRequiredService<IJournal>()));
        services.AddSingleton<Assets>();
        services.AddSingleton(provider => new PageFrame(provider.GetRequiredService<Assets>().Bundle, Version, Environment.MachineName));
        services.AddSingleton<StatusBoard>();
        services.AddSingleton<TrafficPulse>();
        services.AddSingleton<LiveStream>();
        services.AddHostedService<TrafficSamplerService>();
    }

    /// <param name="visitor">Who looks: the caller that was let in.</param>
    /// <returns>What needs the scope read, and what is open to all.</returns>
    public static (IEndpointConventionBuilder Pages, IEndpointConventionBuilder Open) Map(IEndpointRouteBuilder routes, Func<HttpContext, Visitor> visitor)
    {
        var pages = routes.MapGroup("").ExcludeFromDescription();
        pages.MapGet("/", (HttpContext context, PageFrame frame, StatusBoard board, TrafficPulse pulse, TimeProvider time, CancellationToken cancellationToken) =>
            ShowAsync(visitor(context), frame, board, pulse, time, cancellationToken));
        pages.MapGet("/live", (HttpContext context, LiveStream live, IHostApplicationLifetime lifetime) => Listen(visitor(context), live, lifetime));

        // The form of the login needs them before anybody is known; they hold nothing that is not published anyway.
        var open = routes.MapGet("/assets/{bundle}/{name}", (HttpContext context, string bundle, string name, Assets assets) => assets.Serve(context, bundle, name)).ExcludeFromDescription();
        return (pages, open);
    }

    public static IResult Page(Html page, int status = StatusCodes.Status200OK) => Results.Text(page.ToString(), "text/html; charset=utf-8", statusCode: status);

    private static async Task<IResult> ShowAsync(Visitor visitor, PageFrame frame, StatusBoard board, TrafficPulse pulse, TimeProvider time, CancellationToken cancellationToken)
    {
        var seen = await board.ReadAsync(time.GetUtcNow() - TimeSpan.FromSeconds(1), cancellationToken);
        return Page(PageView.Status(frame, visitor, new LiveView(visitor, pulse).Render(seen)));
    }

    private static IResult Listen(Visitor visitor, LiveStream live, IHostApplicationLifetime lifetime) =>
        TypedResults.ServerSentEvents(live.RunAsync(visitor, lifetime.ApplicationStopping));
}
