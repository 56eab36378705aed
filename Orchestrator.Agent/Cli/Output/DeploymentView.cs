using Orchestrator.Agent.Api.Contracts;

namespace Orchestrator.Agent.Cli.Output;

/// <summary>How a deployment ended, for people.</summary>
internal static class DeploymentView
{
    public static void WriteEnd(Invocation call, DeploymentResponse deployment)
    {
        var took = Words.Took(deployment.StartedAt, deployment.EndedAt);
        if (deployment.State == "succeeded")
        {
            call.Host.Out.WriteLine(deployment.NothingToDo
                ? $"{deployment.Stack}: nothing to do, everything is as wanted"
                : deployment.Kind == "remove"
                ? $"{deployment.Stack}: removed after {took}; {Requests(deployment)}. Its containers stop now; volumes and releases stay: basmalin rollback {deployment.Stack} brings it back"
                : $"{deployment.Stack}: release {deployment.Release} is live after {took}; {Requests(deployment)}");
            return;
        }

        call.Host.Error.WriteLine($"error: deployment {deployment.Id} of {deployment.Stack} {Word(deployment)} after {took}; {Requests(deployment)}");
        if (deployment.Failure is not { } failure) return;

        call.Host.Error.WriteLine($"  why:  {failure.Reason}: {failure.Detail.TrimEnd().ReplaceLineEndings("\n        ")}");
        if (failure.Hint.Length > 0) call.Host.Error.WriteLine($"  hint: {failure.Hint.TrimEnd().ReplaceLineEndings("\n        ")}");
    }

    private static string Word(DeploymentResponse deployment) => deployment.State switch
    {
        "rolledBack" => $"failed at {Where(deployment)} and was rolled back",
        "failed" => $"failed at {Where(deployment)}",
        "superseded" => "was superseded by a newer one",
        var other => $"was {other}",
    };

    private static string Where(DeploymentResponse deployment) => deployment.Failure?.Step is { } step ? $"the step {step}" : "its end";

    private static string Requests(DeploymentResponse deployment) => $"{Words.Count(deployment.Requests.Total, "request")} over the switch, {deployment.Requests.Failed} failed";
}
