using Microsoft.AspNetCore.Http.HttpResults;
using Orchestrator.Access;
using Orchestrator.Agent.Api.Contracts;
using Orchestrator.Agent.Auth;
using Orchestrator.Restores;

namespace Orchestrator.Agent.Api;

/// <summary><c>/stacks/{stack}/restores</c> and <c>/drills</c>: data brought back, and proofs that it can be.</summary>
internal static class RestoresApi
{
    private const int MostListed = 200;

    public static void MapRestores(this RouteGroupBuilder api)
    {
        var stacks = api.MapGroup("/stacks/{stack}").WithTags("Backups");
        stacks.MapGet("/restores", ListAsync).RequireScope(TokenScope.Read).WithName("ListRestores").WithSummary("Restores of a stack, newest first.");
        stacks.MapPost("/restores/preview", PreviewAsync)
            .RequireScope(TokenScope.Deploy)
            .WithName("PreviewRestore")
            .WithSummary("What a restore would change: rows, keys and files that would be lost or won. Changes nothing.")
            .Produces<RestorePreviewResponse>()
            .Problems(400, 409);
        stacks.MapPost("/restores", RestoreAsync)
            .RequireScope(TokenScope.Admin)
            .WithName("RestoreStack")
            .WithSummary("Brings a stack's data back to a moment.")
            .WithDescription("Into new volumes, started and checked beside the running stack; then a deployment puts them in the place of the present ones, which are kept for the undo.")
            .Produces<OperationResponse>(StatusCodes.Status202Accepted)
            .Problems(400, 409);
        stacks.MapGet("/drills", DrillsAsync).RequireScope(TokenScope.Read).WithName("ListDrills").WithSummary("Drills of a stack, newest first.");
        stacks.MapPost("/exports", ExportAsync)
            .RequireScope(TokenScope.Admin)
            .WithName("ExportData")
            .WithSummary("One person's rows (JSON), or an anonymised copy (pg_restore's custom format), out of a logical dump.")
            .WithDescription("The dump is loaded into a throw-away server for it; production is not asked. Answers when there is something to send, and cuts the connection if it fails after that.")
            .Produces<Stream>(StatusCodes.Status200OK, "application/octet-stream", "application/json")
            .Problems(400, 409);
        api.MapPost("/recover", RecoverAsync)
            .WithTags("Backups")
            .RequireScopeEverywhere(TokenScope.Admin)
            .WithName("Recover")
            .WithSummary("Brings stacks up from the stores, on a machine that knows nothing of them.")
            .Produces<OperationResponse[]>(StatusCodes.Status202Accepted)
            .Problems(400, 409);
        api.MapPost("/restores/{id:long}/undo", UndoAsync)
            .WithTags("Backups")
            .RequireScope(TokenScope.Admin)
            .WithName("UndoRestore")
            .WithSummary("Puts the volumes that a restore replaced in their place again.")
            .Produces<OperationResponse>(StatusCodes.Status202Accepted)
            .Problems(404, 409);
    }

    private static Task<IResult> RecoverAsync(RecoverRequest request, HttpContext context, RecoverEndpoint recovery, AuditTrail audit, CancellationToken cancellationToken) =>
        recovery.BeginAsync(context, request, audit, cancellationToken);

    private static Task<IResult> ExportAsync(string stack, ExportRequest request, HttpContext context, ExportEndpoint exports, AuditTrail audit, CancellationToken cancellationToken) =>
        exports.RunAsync(context, stack, request, audit, cancellationToken);

    private static async Task<Ok<RestoreResponse[]>> ListAsync(string stack, RestoreLedger ledger, CancellationToken cancellationToken, int limit = 20) =>
        TypedResults.Ok((await ledger.ListAsync(stack, Math.Clamp(limit, 1, MostListed), cancellationToken)).Select(BackupResponses.From).ToArray());

    private static async Task<Ok<DrillResponse[]>> DrillsAsync(string stack, DrillLedger ledger, CancellationToken cancellationToken, int limit = 20) =>
        TypedResults.Ok((await ledger.ListAsync(stack, Math.Clamp(limit, 1, MostListed), cancellationToken)).Select(BackupResponses.From).ToArray());

    private static Task<IResult> PreviewAsync(string stack, RestoreRequest request, RestoreEndpoint restores, CancellationToken cancellationToken) =>
        restores.PreviewAsync(stack, request, cancellationToken);

    private static Task<IResult> RestoreAsync(string stack, RestoreRequest request, HttpContext context, RestoreEndpoint restores, AuditTrail audit, CancellationToken cancellationToken) =>
        restores.BeginAsync(context, stack, request, audit, cancellationToken);

    private static Task<IResult> UndoAsync(long id, HttpContext context, RestoreEndpoint restores, AuditTrail audit, CancellationToken cancellationToken) =>
        restores.UndoAsync(context, id, audit, cancellationToken);
}
