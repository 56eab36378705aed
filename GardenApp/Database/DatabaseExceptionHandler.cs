using Microsoft.AspNetCore.Diagnostics;
using Npgsql;

namespace GardenApp.Database;

/// <summary>A database that is away, full of other people's work or not migrated is 503 with a hint, not 500 with a stack trace.</summary>
internal sealed class DatabaseExceptionHandler : IExceptionHandler
{
    public async ValueTask<bool> TryHandleAsync(HttpContext httpContext, Exception exception, CancellationToken cancellationToken)
    {
        if (Explain(exception) is not var (title, hint)) return false;
        httpContext.Response.Headers.RetryAfter = "5";
        await TypedResults.Problem(title: title, detail: hint, statusCode: StatusCodes.Status503ServiceUnavailable).ExecuteAsync(httpContext);
        return true;
    }

    private static (string Title, string Hint)? Explain(Exception exception) => exception switch
    {
        DatabaseNotConfiguredException => ("No database", "Set DATABASE_URL to keep data; without it there is only a sample garden to read."),
        PostgresException { SqlState: PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.UndefinedColumn } => ("The database is not migrated", "Run 'GardenApp migrate'."),
        PostgresException { IsTransient: true } => ("The database is busy", "Try again."),
        PostgresException => null,
        NpgsqlException => ("The database cannot be reached", "Try again; /api/health says more."),
        _ => null,
    };
}
