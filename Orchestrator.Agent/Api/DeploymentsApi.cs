using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Http.HttpResults;
using Orchestrator.Access;
using Orchestrator.Agent.Api.Contracts;
using Orchestrator.Agent.Auth;
using Orchestrator.Deployments;
using Orchestrator.Journal;

namespace Orchestrator.Agent.Api;

/// <summary><c>/deployments</c>: what is under way and what was.</summary>
internal static class DeploymentsApi
{
    private const int MostListed = 200;

    public static void MapDeployments(this RouteGroupBuilder api)
    {
        var deployments = api.MapGroup("/deployments").WithTags("Deployments");
        deployments.MapGet("/", ListAsync)
            .RequireScope(TokenScope.Read)
            .WithName("ListDeployments")
            .WithSummary("Deployments of one stack or of all, newest first.");
        deployments.MapGet("/{id:long}", GetAsync).RequireScope(TokenScope.Read).WithName("GetDeployment").WithSummary("A deployment with its steps.").Problems(404);
        deployments.MapGet("/{id:long}/events", WatchAsync)
            .RequireScope(TokenScope.Read)
            .WithName("WatchDeployment")
            .WithSummary("A deployment as it goes: its present state first, then everything that happens, until it has ended.")
            .Produces<DeploymentEventResponse>(StatusCodes.Status200OK, "text/event-stream")
            .Problems(404);
        deployments.MapPost("/{id:long}/cancel", CancelAsync)
            .RequireScope(TokenScope.Deploy)
            .WithName("CancelDeployment")
            .WithSummary("Cancels a deployment that has not been committed; what it did is undone.")
            .Produces<DeploymentResponse>(StatusCodes.Status202Accepted)
            .Problems(404, 409);
    }

    private static async Task<Ok<DeploymentResponse[]>> ListAsync(HttpContext context, IJournal journal, CancellationToken cancellationToken, string? stack = null, int limit = 20)
    {
        var caller = Caller.Of(context);
        var deployments = await journal.ListDeploymentsAsync(stack, Math.Clamp(limit, 1, MostListed), cancellationToken);
        return TypedResults.Ok(deployments.Where(deployment => caller.MayTouch(deployment.Request.Stack)).Select(DeploymentResponses.From).ToArray());
    }

    private static async Task<Results<Ok<DeploymentResponse>, ProblemResult>> GetAsync(long id, HttpContext context, IJournal journal, CancellationToken cancellationToken) =>
        await FindAsync(id, context, journal, cancellationToken) is { } deployment
            ? TypedResults.Ok(DeploymentResponses.From(deployment))
            : Api.Problems.NoSuchDeployment(id);

    private static async Task<IResult> WatchAsync(
        long id,
        HttpContext context,
        IJournal journal,
        DeploymentService deployments,
        IHostApplicationLifetime lifetime,
        CancellationToken cancellationToken)
    {
        if (await FindAsync(id, context, journal, cancellationToken) is null) return Api.Problems.NoSuchDeployment(id);

        return TypedResults.ServerSentEvents(EventsAsync(deployments, new DeploymentId(id), lifetime.ApplicationStopping, cancellationToken), "deployment");
    }

    private static async Task<IResult> CancelAsync(
        long id,
        HttpContext context,
        IJournal journal,
        DeploymentService deployments,
        AuditTrail audit,
        CancellationToken cancellationToken)
    {
        if (await FindAsync(id, context, journal, cancellationToken) is not { } deployment) return Api.Problems.NoSuchDeployment(id);

        switch (await deployments.CancelAsync(deployment.Id, cancellationToken))
        {
            case CancelOutcome.Accepted:
                await audit.WriteAsync(context, $"cancel: deployment {id}", deployment.Request.Stack, cancellationToken);
                return TypedResults.AcceptedAtRoute(DeploymentResponses.From(deployment), "GetDeployment", new { id });
            case CancelOutcome.AlreadyEnded:
                return Api.Problems.AlreadyEnded(await journal.FindDeploymentAsync(deployment.Id, cancellationToken) ?? deployment);
            case CancelOutcome.PastCommit:
                return Api.Problems.PastCommit(deployment);
            default:
                return Api.Problems.NoSuchDeployment(id);
        }
    }

    /// <summary>Null also when it is of a stack that is none of the caller's business.</summary>
    private static async Task<Deployment?> FindAsync(long id, HttpContext context, IJournal journal, CancellationToken cancellationToken) =>
        await journal.FindDeploymentAsync(new DeploymentId(id), cancellationToken) is { } deployment && Caller.Of(context).MayTouch(deployment.Request.Stack) ? deployment : null;

    /// <summary>Ends when the daemon stops: a stream must not hold it up, and whoever reads comes back.</summary>
    private static async IAsyncEnumerable<DeploymentEventResponse> EventsAsync(
        DeploymentService deployments,
        DeploymentId id,
        CancellationToken stopping,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stopping, cancellationToken);
        await using var events = deployments.WatchAsync(id, either.Token).GetAsyncEnumerator(either.Token);
        while (await MoveNextAsync(events, stopping)) yield return DeploymentResponses.From(events.Current);
    }

    private static async Task<bool> MoveNextAsync(IAsyncEnumerator<DeploymentEvent> events, CancellationToken stopping)
    {
        try
        {
            return await events.MoveNextAsync();
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            return false;
        }
    }
}
