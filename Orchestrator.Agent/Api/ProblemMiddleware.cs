using System.Diagnostics;
using System.Text.Json;
using Orchestrator.Docker;
using Orchestrator.Journal;

namespace Orchestrator.Agent.Api;

/// <summary>Makes a problem of what the endpoints did not answer themselves: unknown paths, bodies that cannot be read, lost infrastructure, defects.</summary>
internal sealed partial class ProblemMiddleware(RequestDelegate next, ILogger<ProblemMiddleware> logger)
{
    public async Task InvokeAsync(HttpContext context)
    {
        try
        {
            await next(context);
            if (Empty(context.Response) && StatusProblem(context) is { } problem) await problem.ExecuteAsync(context);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // The one who asked has left: there is nobody to answer.
        }
        catch (Exception exception) when (!context.Response.HasStarted)
        {
            context.Response.Clear();
            await SecurityHeadersAgainAsync(context, Of(exception, context));
        }
    }

    private static Task SecurityHeadersAgainAsync(HttpContext context, ProblemResult problem) => Auth.SecurityHeaders.ApplyAsync(context, problem.ExecuteAsync);

    private ProblemResult Of(Exception exception, HttpContext context)
    {
        switch (exception)
        {
            case BadHttpRequestException { StatusCode: StatusCodes.Status413PayloadTooLarge } large:
                return Problems.Invalid(large.Message);
            case BadHttpRequestException { StatusCode: StatusCodes.Status415UnsupportedMediaType }:
                return Problems.UnsupportedMedia("application/json");
            case BadHttpRequestException bad:
                return Problems.Invalid((bad.InnerException as JsonException)?.Message ?? bad.Message);
            case EngineException engine:
                LogEngine(engine, context.Request.Path);
                return Problems.Unavailable("The engine did not do it", engine.Message, "basmalin doctor says more");
            case JournalException journal:
                LogJournal(journal, context.Request.Path);
                return journal.Fault switch
                {
                    JournalFault.Full => Problems.JournalFull(journal.Message),
                    JournalFault.Damaged => Problems.JournalDamaged(journal.Message),
                    _ => Problems.Unavailable("The journal could not be read or written", journal.Message, "basmalin doctor says more"),
                };
            default:
                LogDefect(exception, context.Request.Method, context.Request.Path);
                return Problems.Unexpected(Activity.Current?.TraceId.ToString() ?? context.TraceIdentifier);
        }
    }

    private static bool Empty(HttpResponse response) =>
        !response.HasStarted && response.StatusCode >= StatusCodes.Status400BadRequest && response.ContentType is null && response.ContentLength is null or 0;

    private static ProblemResult? StatusProblem(HttpContext context) => context.Response.StatusCode switch
    {
        StatusCodes.Status404NotFound => Problems.NoSuchPath(context.Request.Path),
        StatusCodes.Status405MethodNotAllowed => Problems.WrongMethod(context.Request.Method, context.Response.Headers.Allow.ToString()),
        StatusCodes.Status415UnsupportedMediaType => Problems.UnsupportedMedia("application/json"),
        StatusCodes.Status400BadRequest => Problems.Invalid("a parameter cannot be read"),
        _ => null,
    };

    [LoggerMessage(EventId = 8011, Level = LogLevel.Warning, Message = "{Path}: the engine did not do it")]
    private partial void LogEngine(EngineException exception, PathString path);

    [LoggerMessage(EventId = 8012, Level = LogLevel.Error, Message = "{Path}: the journal could not be read or written")]
    private partial void LogJournal(JournalException exception, PathString path);

    [LoggerMessage(EventId = 8013, Level = LogLevel.Error, Message = "{Method} {Path} failed")]
    private partial void LogDefect(Exception exception, string method, PathString path);
}
