using Orchestrator.Agent.Api.Contracts;

namespace Orchestrator.Agent.Api;

/// <summary>What endpoints say about themselves in the OpenAPI document.</summary>
internal static class ApiConventions
{
    private const string ProblemType = "application/problem+json";

    public static RouteHandlerBuilder Problems(this RouteHandlerBuilder endpoint, params ReadOnlySpan<int> statuses)
    {
        foreach (var status in statuses) endpoint.Produces<ProblemResponse>(status, ProblemType);
        return endpoint;
    }

    /// <summary>What every endpoint of the API can answer.</summary>
    public static RouteGroupBuilder Problems(this RouteGroupBuilder group)
    {
        foreach (var status in (ReadOnlySpan<int>)[StatusCodes.Status401Unauthorized, StatusCodes.Status403Forbidden])
            group.WithMetadata(new ProducesResponseTypeMetadata(status, typeof(ProblemResponse), [ProblemType]));
        return group;
    }

    /// <summary>202 with the deployment; 200 when the idempotency key was known.</summary>
    public static RouteHandlerBuilder Deploys(this RouteHandlerBuilder endpoint) => endpoint
        .Produces<DeploymentResponse>(StatusCodes.Status202Accepted)
        .Produces<DeploymentResponse>()
        .WithMetadata(IdempotencyKeyHeader.Instance);
}

/// <summary>Marks an endpoint that takes <c>Idempotency-Key</c>.</summary>
internal sealed class IdempotencyKeyHeader
{
    public const string Name = "Idempotency-Key";

    public static readonly IdempotencyKeyHeader Instance = new();
}
