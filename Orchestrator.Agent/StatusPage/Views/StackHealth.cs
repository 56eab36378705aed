using Orchestrator.Deployments;

namespace Orchestrator.Agent.StatusPage.Views;

/// <summary>A stack in one word.</summary>
internal sealed record StackHealth(string Word, Tone Tone)
{
    public static StackHealth Of(StackStatus stack)
    {
        if (stack.Problem is not null) return new("damaged", Tone.Bad);
        if (stack.Maintenance) return new("maintenance", Tone.Warning);

        var tones = stack.Services.Select(service => ToneOf(service.Health)).ToList();
        if (tones.Contains(Tone.Bad)) return new("degraded", Tone.Bad);
        if (stack.Running is { State: DeploymentState.Running }) return new("deploying", Tone.Busy);
        if (tones.Contains(Tone.Warning)) return new("starting", Tone.Warning);
        if (stack.CurrentRelease > 0 && stack.Services.IsEmpty) return new("removed", Tone.Quiet);
        return stack.CurrentRelease == 0 ? new("nothing deployed", Tone.Quiet) : new("serving", Tone.Good);
    }

    public static Tone ToneOf(string health) => health switch
    {
        "healthy" => Tone.Good,
        "running" or "completed" => Tone.Quiet,
        "starting" => Tone.Warning,
        _ => Tone.Bad,
    };
}
