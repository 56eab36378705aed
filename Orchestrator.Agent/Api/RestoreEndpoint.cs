using Orchestrator.Agent.Api.Contracts;
using Orchestrator.Agent.Auth;
using Orchestrator.Backups;
using Orchestrator.Restores;

namespace Orchestrator.Agent.Api;

/// <summary>Previews and begins restores; what cannot be is answered with its reason.</summary>
internal sealed class RestoreEndpoint(RestoreDesk desk)
{
    public RestoreLedger Ledger => desk.Ledger;

    public async Task<IResult> PreviewAsync(string stack, RestoreRequest request, CancellationToken cancellationToken)
    {
        if (Refusal(request) is { } refusal) return refusal;

        try
        {
            var preview = request.LastDeployment ? await desk.PreviewRollbackAsync(stack, cancellationToken) : await desk.PreviewAsync(stack, request.To ?? "", cancellationToken);
            return TypedResults.Ok(BackupResponses.From(preview));
        }
        catch (BackupFailedException failure)
        {
            return Problems.CannotRestore(failure.Message, failure.Hint);
        }
    }

    public async Task<IResult> BeginAsync(HttpContext context, string stack, RestoreRequest request, AuditTrail audit, CancellationToken cancellationToken)
    {
        if (Refusal(request) is { } refusal) return refusal;

        try
        {
            var origin = Caller.Of(context).Name;
            var operation = request.LastDeployment ? await desk.RollBackAsync(stack, origin, cancellationToken) : await desk.RestoreAsync(stack, request.To ?? "", origin, cancellationToken);
            await audit.WriteAsync(context, request.LastDeployment ? "restore: before the last deployment, with its data" : $"restore: to {request.To}", stack, cancellationToken);
            return OperationsApi.Accepted(operation);
        }
        catch (BackupFailedException failure)
        {
            return Problems.CannotRestore(failure.Message, failure.Hint);
        }
    }

    public async Task<IResult> UndoAsync(HttpContext context, long id, AuditTrail audit, CancellationToken cancellationToken)
    {
        if (await desk.Ledger.FindAsync(id, cancellationToken) is not { } record || !Caller.Of(context).MayTouch(record.Stack)) return Problems.NoSuch("restore", $"{id}");
        if (record.State != RestoreState.Done) return Problems.CannotRestore($"Restore {id} is {Words.Of(record.State)}, so there is nothing to undo", "GET /stacks/{stack}/restores shows those that can be undone.");

        await audit.WriteAsync(context, $"restore: undo of {id}", record.Stack, cancellationToken);
        return OperationsApi.Accepted(desk.Undo(record));
    }

    private static ProblemResult? Refusal(RestoreRequest request) => request switch
    {
        { To: null or "", LastDeployment: false } => Problems.Invalid("'to' is missing", $"expected {RestoreChoice.Expected}"),
        { To: not null, LastDeployment: true } => Problems.Invalid("'to' and 'lastDeployment' exclude each other", "leave one out"),
        { To.Length: > 200 } => Problems.Invalid("'to' has more than 200 characters", $"expected {RestoreChoice.Expected}"),
        _ => null,
    };
}
