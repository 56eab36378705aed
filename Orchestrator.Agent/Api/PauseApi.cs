using Microsoft.AspNetCore.Http.HttpResults;
using Orchestrator.Access;
using Orchestrator.Agent.Api.Contracts;
using Orchestrator.Agent.Auth;
using Orchestrator.Agent.Hosting.Settings;

namespace Orchestrator.Agent.Api;

/// <summary><c>/stacks/{stack}/services/{service}/pause</c> and <c>resume</c>: requests wait at the edge meanwhile.</summary>
internal static class PauseApi
{
    private const string Expected = "a duration from 1s to 10m, e.g. 30s";

    private static readonly TimeSpan Usual = TimeSpan.FromSeconds(30);
    private static readonly SettingParser<TimeSpan> Duration = SettingValues.Duration(TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(10));

    public static void MapPauses(this RouteGroupBuilder api)
    {
        var services = api.MapGroup("/stacks/{stack}/services/{service}").WithTags("Stacks");
        services.MapPost("/pause", PauseAsync)
            .RequireScope(TokenScope.Deploy)
            .WithName("PauseService")
            .WithSummary("Holds the requests of a routed service at the edge, for a while.")
            .WithDescription("They wait as long and as many as limits.hold_for and limits.hold_requests say. The path of the HTTP gate is answered with 200. It ends by itself, and with the daemon.")
            .Problems(400, 404);
        services.MapPost("/resume", ResumeAsync)
            .RequireScope(TokenScope.Deploy)
            .WithName("ResumeService")
            .WithSummary("Ends a pause; what was held goes a few at a time. Without a pause it is done already.")
            .Problems(404);
    }

    private static async Task<Results<Ok<StackResponse>, ProblemResult>> PauseAsync(
        string stack, string service, PauseRequest? request, HttpContext context, StackPauses pauses, CancellationToken cancellationToken)
    {
        var limit = Usual;
        if (request?.For is { } text && !Duration(text, out limit)) return Api.Problems.Invalid($"for: found '{text}', expected {Expected}");

        return await pauses.PauseAsync(context, stack, service, limit, cancellationToken);
    }

    private static Task<Results<Ok<StackResponse>, ProblemResult>> ResumeAsync(
        string stack, string service, HttpContext context, StackPauses pauses, CancellationToken cancellationToken) =>
        pauses.ResumeAsync(context, stack, service, cancellationToken);
}
