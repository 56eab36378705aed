using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Http.HttpResults;
using Orchestrator.Access;
using Orchestrator.Agent.Api.Contracts;
using Orchestrator.Agent.Auth;
using Orchestrator.Backups.Sets;

namespace Orchestrator.Agent.Api;

/// <summary><c>/operations</c>: backups, drills and restores while they go on.</summary>
internal static class OperationsApi
{
    public static void MapOperations(this RouteGroupBuilder api)
    {
        var operations = api.MapGroup("/operations").WithTags("Backups");
        operations.MapGet("/", List).RequireScope(TokenScope.Read).WithName("ListOperations").WithSummary("Backups, drills and restores that go on or have ended lately, newest first.");
        operations.MapGet("/{id:long}", Get).RequireScope(TokenScope.Read).WithName("GetOperation").WithSummary("How far one is.").Problems(404);
        operations.MapGet("/{id:long}/events", Watch)
            .RequireScope(TokenScope.Read)
            .WithName("WatchOperation")
            .WithSummary("How far one is, as it goes, until it has ended.")
            .Produces<OperationResponse>(StatusCodes.Status200OK, "text/event-stream")
            .Problems(404);
    }

    public static IResult Accepted(BackupOperation operation) => TypedResults.AcceptedAtRoute(BackupResponses.From(operation), "GetOperation", new { id = operation.Id });

    private static Ok<OperationResponse[]> List(HttpContext context, OperationBoard board)
    {
        var caller = Caller.Of(context);
        return TypedResults.Ok(board.List().Where(operation => caller.MayTouch(operation.Stack)).Select(BackupResponses.From).ToArray());
    }

    private static Results<Ok<OperationResponse>, ProblemResult> Get(long id, HttpContext context, OperationBoard board) =>
        Find(id, context, board) is { } operation ? TypedResults.Ok(BackupResponses.From(operation)) : Api.Problems.NoSuch("operation", $"{id}");

    private static IResult Watch(long id, HttpContext context, OperationBoard board, IHostApplicationLifetime lifetime, CancellationToken cancellationToken) =>
        Find(id, context, board) is null
            ? Api.Problems.NoSuch("operation", $"{id}")
            : TypedResults.ServerSentEvents(EventsAsync(board, id, lifetime.ApplicationStopping, cancellationToken), "operation");

    private static BackupOperation? Find(long id, HttpContext context, OperationBoard board) =>
        board.Find(id) is { } operation && Caller.Of(context).MayTouch(operation.Stack) ? operation : null;

    /// <summary>Ends when the daemon stops: a stream must not hold it up.</summary>
    private static async IAsyncEnumerable<OperationResponse> EventsAsync(OperationBoard board, long id, CancellationToken stopping, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stopping, cancellationToken);
        await using var events = board.WatchAsync(id, either.Token).GetAsyncEnumerator(either.Token);
        while (await MoveNextAsync(events, stopping)) yield return BackupResponses.From(events.Current);
    }

    private static async Task<bool> MoveNextAsync(IAsyncEnumerator<BackupOperation> events, CancellationToken stopping)
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
