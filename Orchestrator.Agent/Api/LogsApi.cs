using Orchestrator.Access;
using Orchestrator.Agent.Api.Contracts;
using Orchestrator.Agent.Auth;
using Orchestrator.Docker;

namespace Orchestrator.Agent.Api;

/// <summary><c>/stacks/{stack}/logs</c>: what containers have written.</summary>
internal static class LogsApi
{
    private const int MostLines = 10_000;

    public static void MapLogs(this RouteGroupBuilder api) => api
        .MapGet("/stacks/{stack}/logs", ReadAsync)
        .RequireScope(TokenScope.Read)
        .WithTags("Stacks")
        .WithName("ReadLogs")
        .WithSummary("What a stack's containers have written: the last lines of each, by time; with follow=true as events, and what is written from now on.")
        .Produces<LogLineResponse[]>()
        .Produces<LogLineResponse>(StatusCodes.Status200OK, "text/event-stream")
        .Problems(404, 503);

    private static async Task<IResult> ReadAsync(
        string stack,
        IContainerEngine engine,
        ContainerLogs logs,
        IHostApplicationLifetime lifetime,
        CancellationToken cancellationToken,
        string? service = null,
        string? q = null,
        int lines = 100,
        bool follow = false)
    {
        var asked = new LogQuery(stack, service, q, Math.Clamp(lines, 0, MostLines));
        var containers = (await engine.ListAsync(stack, cancellationToken)).Where(asked.Wants).ToList();
        if (containers.Count == 0) return service is null ? Api.Problems.NoSuchStack(stack) : Api.Problems.NoSuch("service with containers", $"{stack}/{service}");

        return follow
            ? TypedResults.ServerSentEvents(logs.FollowAsync(asked, containers, lifetime.ApplicationStopping, cancellationToken), "line")
            : TypedResults.Ok(await logs.TailAsync(asked, containers, cancellationToken));
    }
}
