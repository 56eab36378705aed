using Orchestrator.Agent.Api.Contracts;

namespace Orchestrator.Agent.Cli.Output;

/// <summary>Steps as lines, for pipes and logs of CI.</summary>
internal sealed class PlainProgress(TextWriter output)
{
    private readonly Dictionary<string, string> _shown = new(StringComparer.Ordinal);
    private bool _queued;

    public void Show(DeploymentEventResponse item)
    {
        if (item.Deployment.State == "queued" && !_queued) output.WriteLine("  queued");
        _queued = item.Deployment.State == "queued";
        foreach (var step in item.Deployment.Steps) ShowStep(step);

        // What a step says at its end stands in its line already.
        if (item.Message is { Length: > 0 } message && item.Deployment.Steps.All(step => step.Detail?.TrimEnd() != message.TrimEnd())) output.WriteLine($"    {message}");
    }

    private void ShowStep(StepResponse step)
    {
        if (_shown.GetValueOrDefault(step.Name) == step.State) return;

        _shown[step.Name] = step.State;
        if (step.State == "running") return;

        if (step.State == "undone")
        {
            output.WriteLine($"  {step.Name,-10} undone");      // what it had done, and how long that took, stands above
            return;
        }

        var detail = step.Detail?.TrimEnd().ReplaceLineEndings("\n      ");
        output.WriteLine($"  {step.Name,-10} {step.State,-9} {Words.Took(step.StartedAt, step.EndedAt),8}{(string.IsNullOrEmpty(detail) ? "" : $"  {detail}")}");
    }
}
