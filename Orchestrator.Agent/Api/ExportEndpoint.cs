using Orchestrator.Agent.Api.Contracts;
using Orchestrator.Backups;
using Orchestrator.Backups.Sets;
using Orchestrator.Restores;

namespace Orchestrator.Agent.Api;

/// <summary>Streams what is taken out of a dump. What fails before the first byte is a problem; after it, the connection is cut, so that nobody takes a part for the whole.</summary>
internal sealed class ExportEndpoint(DataExports exports)
{
    private const int LongestKey = 200;

    public async Task<IResult> RunAsync(HttpContext context, string stack, ExportRequest request, AuditTrail audit, CancellationToken cancellationToken)
    {
        if (Refusal(request) is { } refusal) return refusal;

        // Whose rows they were does not belong into the log.
        await audit.WriteAsync(context, request.Anonymise ? $"export: an anonymised copy of {request.Service}" : $"export: one person's rows of {request.Service}", stack, cancellationToken);
        var over = await exports.RunAsync(stack, request.Service, request.User, request.Set is { } set ? new BackupSetId(set) : null, OpenAsync, cancellationToken);
        if (over.State == OperationState.Succeeded) return TypedResults.Empty;
        if (!context.Response.HasStarted) return Problems.CannotExport(over.Problem ?? "It failed.", over.Hint ?? "See the daemon's log.");

        context.Abort();
        return TypedResults.Empty;

        async Task<Stream> OpenAsync()
        {
            context.Response.ContentType = request.Anonymise ? "application/octet-stream" : "application/json";
            await context.Response.StartAsync(cancellationToken);
            return context.Response.Body;
        }
    }

    private static ProblemResult? Refusal(ExportRequest request) => request switch
    {
        { User: null or "", Anonymise: false } => Problems.Invalid("neither 'user' nor 'anonymise' is given", "the key of one person, or anonymise: true"),
        { User: not null, Anonymise: true } => Problems.Invalid("'user' and 'anonymise' exclude each other", "leave one out"),
        { User.Length: > LongestKey } => Problems.Invalid($"'user' has more than {LongestKey} characters", "it is the key that the application knows the person by"),
        _ => null,
    };
}
