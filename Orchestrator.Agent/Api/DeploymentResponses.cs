using Orchestrator.Agent.Api.Contracts;
using Orchestrator.Deployments;

namespace Orchestrator.Agent.Api;

/// <summary>Deployments in the words of the contract.</summary>
internal static class DeploymentResponses
{
    public static DeploymentResponse From(Deployment deployment) => new()
    {
        Id = deployment.Id.Value,
        Stack = deployment.Request.Stack,
        Kind = Words.Of(deployment.Request.Kind),
        State = Words.Of(deployment.State),
        NothingToDo = deployment is { State: DeploymentState.Succeeded, Plan.NothingToDo: true },
        Origin = deployment.Request.Origin,
        Version = deployment.Request.Version,
        Commit = deployment.Request.Commit,
        Release = deployment.Release,
        Images = deployment.Request.Images,
        CreatedAt = deployment.CreatedAt,
        StartedAt = deployment.StartedAt,
        EndedAt = deployment.EndedAt,
        Steps = [.. deployment.Steps.Select(From)],
        Requests = new RequestCountResponse(deployment.Requests.Total, deployment.Requests.Failed),
        Failure = deployment.Failure is { } failure ? new FailureResponse(Words.Of(failure.Reason), failure.Detail, failure.Hint, failure.Step is { } step ? Words.Of(step) : null) : null,
        Plan = deployment.Plan is { } plan ? PlanResponses.From(plan) : null,
    };

    public static DeploymentEventResponse From(DeploymentEvent happened) => new(
        From(happened.Deployment),
        happened.Step is { } step ? Words.Of(step) : null,
        happened.Message,
        happened.At);

    private static StepResponse From(StepRecord step) => new(Words.Of(step.Name), Words.Of(step.State), step.StartedAt, step.EndedAt, step.Detail);
}
