using Orchestrator.Agent.Api.Contracts;

namespace Orchestrator.Agent.Cli.Output;

/// <summary>Steps as lines, for pipes and logs of CI.</summary>
internal sealed class PlainProgress(TextWriter output)
{
    private readonly Dictionary<string, string> _shown = new(StringComparer.Ordinal);
    private string _state = "";

    public void Show(DeploymentEventResponse item)
    {
        if (item.Deployment.State == "queued" && _state != "queued") output.WriteLine("  queued behind another deployment of the stack");
        _state = item.Deployment.State;
        foreach (var step in item.Deployment.Steps) ShowStep(step);

        // What a step says at its end stands in its line already.
        if (item.Message is { Length: > 0 } message && item.Deployment.Steps.All(step => step.Detail != message)) output.WriteLine($"    {message}");
    }

    private void ShowStep(StepResponse step)
    {
        if (_shown.GetValueOrDefault(step.Name) == step.State) return;

        _shown[step.Name] = step.State;
        if (step.State == "running") return;

        var detail = step.Detail?.TrimEnd().ReplaceLineEndings("\n      ");
        output.WriteLine($"  {step.Name,-10} {step.State,-9} {Words.Took(step.StartedAt, step.EndedAt),8}{(string.IsNullOrEmpty(detail) ? "" : $"  {detail}")}");
    }
}
