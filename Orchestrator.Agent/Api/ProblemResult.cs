using Orchestrator.Agent.Api.Contracts;

namespace Orchestrator.Agent.Api;

/// <summary>An answer that says what was wrong, as <c>application/problem+json</c>.</summary>
internal sealed class ProblemResult(ProblemResponse problem) : IResult
{
    public ProblemResponse Problem { get; } = problem;

    public Task ExecuteAsync(HttpContext httpContext)
    {
        httpContext.Response.StatusCode = Problem.Status;
        return httpContext.Response.WriteAsJsonAsync(Problem, ApiJson.Default.ProblemResponse, "application/problem+json", httpContext.RequestAborted);
    }
}
