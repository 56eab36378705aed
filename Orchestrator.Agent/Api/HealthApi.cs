using Orchestrator.Agent.Auth;
using Orchestrator.Agent.Hosting;

namespace Orchestrator.Agent.Api;

/// <summary><c>/healthz</c> and <c>/readyz</c>: for probes; they say nothing that a stranger may not know.</summary>
internal static class HealthApi
{
    public static void MapHealth(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/healthz", () => TypedResults.Text("ok\n"))
            .OpenToAll()
            .WithTags("Daemon")
            .WithName("GetHealth")
            .WithSummary("200 while the process works.");
        routes.MapGet("/readyz", (DaemonState state) => state.Ready
                ? Results.Text("ready\n")
                : Results.Text("not ready\n", statusCode: StatusCodes.Status503ServiceUnavailable))
            .OpenToAll()
            .WithTags("Daemon")
            .WithName("GetReadiness")
            .WithSummary("200 while routes are laid and all listeners are open; 503 before, and while it stops.")
            .Produces<string>(StatusCodes.Status200OK, "text/plain")
            .Produces<string>(StatusCodes.Status503ServiceUnavailable, "text/plain");
    }
}
