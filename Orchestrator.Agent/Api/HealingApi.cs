using Microsoft.AspNetCore.Http.HttpResults;
using Orchestrator.Access;
using Orchestrator.Agent.Api.Contracts;
using Orchestrator.Agent.Auth;
using Orchestrator.Deployments;
using Orchestrator.Healing;
using Orchestrator.Scheduling;

namespace Orchestrator.Agent.Api;

/// <summary><c>/stacks/{stack}/heal</c>.</summary>
internal static class HealingApi
{
    public static void MapHealing(this RouteGroupBuilder api) => api.MapGroup("/stacks/{stack}").WithTags("Stacks").MapPost("/heal", HealAsync)
        .RequireScope(TokenScope.Deploy)
        .WithName("HealStack")
        .WithSummary("Tries again what healing has given up, and holds the stack against its release now.")
        .WithDescription("What differs is in the stack's drift. With healing.mode report nothing is put right.")
        .Problems(404);

    private static async Task<Results<Ok<StackResponse>, ProblemResult>> HealAsync(
        string stack, HttpContext context, DeploymentService deployments, Healer healer, BackupWarnings warnings, AuditTrail audit, CancellationToken cancellationToken)
    {
        if (await deployments.StatusAsync(stack, cancellationToken) is not { } status) return Api.Problems.NoSuchStack(stack);

        healer.TryAgain(stack);
        await audit.WriteAsync(context, "heal", stack, cancellationToken);
        return TypedResults.Ok(StackResponses.From(status, await warnings.OfAsync(stack, cancellationToken)));
    }
}
