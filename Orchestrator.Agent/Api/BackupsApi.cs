using Microsoft.AspNetCore.Http.HttpResults;
using Orchestrator.Access;
using Orchestrator.Agent.Api.Contracts;
using Orchestrator.Agent.Auth;
using Orchestrator.Backups;
using Orchestrator.Backups.Keeping;
using Orchestrator.Backups.Sets;
using Orchestrator.Deployments;

namespace Orchestrator.Agent.Api;

/// <summary><c>/stacks/{stack}/backups</c> and <c>/backups</c>: recovery points, and proving them.</summary>
internal static class BackupsApi
{
    public static void MapBackups(this RouteGroupBuilder api)
    {
        var stacks = api.MapGroup("/stacks/{stack}/backups").WithTags("Backups");
        stacks.MapGet("/", ListAsync).RequireScope(TokenScope.Read).WithName("ListBackups").WithSummary("The sets of a stack, its schedules, drills and restores.").Problems(404);
        stacks.MapPost("/", RunAsync)
            .RequireScope(TokenScope.Deploy)
            .WithName("MakeBackup")
            .WithSummary("Makes a set, or a logical dump, now. When something else is done with the stack's data, it waits for its turn.")
            .Produces<OperationResponse>(StatusCodes.Status202Accepted)
            .Problems(404);

        stacks.MapGet("/retention", RetentionAsync)
            .RequireScope(TokenScope.Read)
            .WithName("PlanRetention")
            .WithSummary("Which sets retention would remove now, and why it keeps the others. Changes nothing.")
            .Produces<RetentionResponse>()
            .Problems(404, 409);
        stacks.MapPost("/prune", PruneAsync)
            .RequireScope(TokenScope.Admin)
            .WithName("PruneBackups")
            .WithSummary("Removes now what retention no longer wants, as is done after each set.")
            .Produces<OperationResponse>(StatusCodes.Status202Accepted)
            .Problems(404);

        var backups = api.MapGroup("/backups/{id}").WithTags("Backups");
        backups.MapGet("/", GetAsync).RequireScope(TokenScope.Read).WithName("GetBackup").WithSummary("A set with its parts.").Problems(404);
        backups.MapPost("/drill", DrillAsync)
            .RequireScope(TokenScope.Deploy)
            .WithName("DrillBackup")
            .WithSummary("Restores a set into throw-away containers, checks it, and lets the application try it.")
            .WithDescription("Production is not touched. What comes of it is written down, chained to the drill before it.")
            .Produces<OperationResponse>(StatusCodes.Status202Accepted)
            .Problems(404);
        backups.MapPost("/verify", VerifyAsync)
            .RequireScope(TokenScope.Deploy)
            .WithName("VerifyBackup")
            .WithSummary("Reads every object of a set back from every store and compares its hash.")
            .Produces<OperationResponse>(StatusCodes.Status202Accepted)
            .Problems(404);
        backups.MapPost("/restore", RestoreAsync)
            .RequireScope(TokenScope.Admin)
            .WithName("RestoreBackup")
            .WithSummary("Brings a stack's data back to this set; look at the preview first.")
            .Produces<OperationResponse>(StatusCodes.Status202Accepted)
            .Problems(404, 409);
    }

    private static async Task<Results<Ok<BackupsResponse>, ProblemResult>> ListAsync(string stack, BackupBooks books, BackupKeys keys, ContinuousStreams streams, CancellationToken cancellationToken, int limit = 50) =>
        await books.OfAsync(stack, Math.Clamp(limit, 1, 500), cancellationToken) is { } found
            ? TypedResults.Ok(found with
            {
                Warning = keys.Problem is { } problem ? $"{problem.What}. {problem.Hint}" : null,
                Streams = [.. streams.States.Where(stream => stream.Stack == stack).Select(BackupResponses.From)],
            })
            : Api.Problems.NoSuchStack(stack);

    private static async Task<IResult> RunAsync(string stack, MakeBackupRequest? request, HttpContext context, BackupBooks books, AuditTrail audit, CancellationToken cancellationToken)
    {
        if (!await books.IsStackAsync(stack, cancellationToken)) return Api.Problems.NoSuchStack(stack);

        var dump = request is { Dump: true };
        await audit.WriteAsync(context, dump ? "backup: dump" : "backup: set", stack, cancellationToken);
        return OperationsApi.Accepted(dump ? books.Desk.Dump(stack, "manual") : books.Desk.BackUp(stack, "manual"));
    }

    private static async Task<IResult> RetentionAsync(string stack, BackupBooks books, CancellationToken cancellationToken)
    {
        if (!await books.IsStackAsync(stack, cancellationToken)) return Api.Problems.NoSuchStack(stack);

        try
        {
            return TypedResults.Ok(BackupResponses.From(stack, await books.Desk.RetentionAsync(stack, cancellationToken)));
        }
        catch (Exception failure) when (failure is BackupFailedException or BackupStoreException)
        {
            return Api.Problems.NotPrunable(failure.Message, (failure as BackupFailedException)?.Hint ?? "basmalin doctor looks at the stores.");
        }
    }

    private static async Task<IResult> PruneAsync(string stack, HttpContext context, BackupBooks books, AuditTrail audit, CancellationToken cancellationToken)
    {
        if (!await books.IsStackAsync(stack, cancellationToken)) return Api.Problems.NoSuchStack(stack);

        await audit.WriteAsync(context, "backup: prune", stack, cancellationToken);
        return OperationsApi.Accepted(books.Desk.Prune(stack));
    }

    private static async Task<Results<Ok<BackupResponse>, ProblemResult>> GetAsync(string id, HttpContext context, BackupBooks books, CancellationToken cancellationToken) =>
        await books.FindAsync(id, Caller.Of(context), cancellationToken) is { } set ? TypedResults.Ok(BackupResponses.From(set)) : Api.Problems.NoSuch("set", id);

    private static Task<IResult> DrillAsync(string id, HttpContext context, BackupBooks books, AuditTrail audit, CancellationToken cancellationToken) =>
        BeginAsync(id, "drill", context, books, audit, set => books.Desk.Drill(set.Stack, set.Id), cancellationToken);

    private static Task<IResult> VerifyAsync(string id, HttpContext context, BackupBooks books, AuditTrail audit, CancellationToken cancellationToken) =>
        BeginAsync(id, "verify", context, books, audit, set => books.Desk.Verify(set), cancellationToken);

    private static async Task<IResult> RestoreAsync(string id, HttpContext context, BackupBooks books, AuditTrail audit, RestoreEndpoint restores, CancellationToken cancellationToken)
    {
        if (await books.FindAsync(id, Caller.Of(context), cancellationToken) is not { } set) return Api.Problems.NoSuch("set", id);
        return await restores.BeginAsync(context, set.Stack, new() { To = set.Id.Value }, audit, cancellationToken);
    }

    private static async Task<IResult> BeginAsync(
        string id, string what, HttpContext context, BackupBooks books, AuditTrail audit, Func<BackupSetRecord, BackupOperation> begin, CancellationToken cancellationToken)
    {
        if (await books.FindAsync(id, Caller.Of(context), cancellationToken) is not { } set) return Api.Problems.NoSuch("set", id);

        await audit.WriteAsync(context, $"{what}: set {set.Id}", set.Stack, cancellationToken);
        return OperationsApi.Accepted(begin(set));
    }
}
