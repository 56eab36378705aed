using Orchestrator.Docker;
using Orchestrator.Stacks;

namespace Orchestrator.Deployments;

/// <summary>Waits until what a service depends on is started, healthy, or has completed, as <c>depends_on</c> asks.</summary>
public sealed class DependencyWait(StackContainers containers, TimeProvider time)
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(200);

    /// <summary>For one dependency.</summary>
    public static TimeSpan Limit { get; } = TimeSpan.FromMinutes(5);

    public async Task<StepFailure?> WaitAsync(DeploymentWork work, ServiceSpec spec, CancellationToken cancellationToken)
    {
        foreach (var dependency in spec.DependsOn)
        {
            if (work.Wanted.Find(dependency.Service) is not { } needed) continue;
            var failure = await WaitForAsync(work, needed, dependency, cancellationToken);
            if (failure is null) continue;
            if (dependency.Required) return failure with { Detail = $"{spec.Name} waits for {dependency.Service}: {failure.Detail}" };
            work.Report($"{spec.Name}: {failure.Detail}; it is not required, so it is not waited for");
        }

        return null;
    }

    private async Task<StepFailure?> WaitForAsync(DeploymentWork work, ServiceSpec needed, Dependency dependency, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        using var ticks = new PeriodicTimer(Interval, time);
        do
        {
            var replicas = (await containers.ListAsync(work.StackName, cancellationToken)).Where(seen => seen.Service == needed.Name && !seen.IsOneShot && IsNew(work, needed, seen)).ToList();
            if (replicas.Count >= needed.Replicas && replicas.All(seen => Met(dependency.Condition, seen))) return null;
            if (replicas.FirstOrDefault(seen => Hopeless(dependency.Condition, seen)) is { } lost) return await LostAsync(lost, dependency, cancellationToken);
        }
        while (time.GetElapsedTime(started) < Limit && await ticks.WaitForNextTickAsync(cancellationToken));

        return new(FailureReason.DependencyFailed, $"{needed.Name} was not {Word(dependency.Condition)} within {Limit.TotalMinutes:0} minutes.", $"basmalin logs {work.StackName} {needed.Name} shows why.");
    }

    /// <summary>Of a coloured service the colour that is live or coming counts, not a warm one.</summary>
    private static bool IsNew(DeploymentWork work, ServiceSpec needed, ObservedContainer seen)
    {
        if (!needed.Coloured) return seen.Colour is null;
        return work.Plan.Find(needed.Name) is { To: { } to } ? seen.Colour == to : seen.Colour == work.State.Live.GetValueOrDefault(needed.Name)?.Colour;
    }

    private static bool Met(DependencyCondition condition, ObservedContainer seen) => condition switch
    {
        DependencyCondition.Started => seen.State == ContainerState.Running || seen is { State: ContainerState.Exited, ExitCode: 0 },
        DependencyCondition.Healthy => seen is { State: ContainerState.Running, Health: DockerHealth.Healthy or DockerHealth.None },
        _ => seen is { State: ContainerState.Exited, ExitCode: 0 },
    };

    private static bool Hopeless(DependencyCondition condition, ObservedContainer seen) => condition == DependencyCondition.CompletedSuccessfully
        ? seen is { State: ContainerState.Exited, ExitCode: not 0 }
        : seen.State is ContainerState.Dead || seen.State == ContainerState.Exited && seen.ExitCode != 0 || (condition == DependencyCondition.Healthy && seen.Health == DockerHealth.Unhealthy);

    private async Task<StepFailure> LostAsync(ObservedContainer lost, Dependency dependency, CancellationToken cancellationToken) => new(
        FailureReason.DependencyFailed,
        $"{lost.Name} is {lost.State.ToString().ToLowerInvariant()}{(lost.ExitCode is { } code ? $" with exit code {code}" : "")}{(lost.OomKilled ? ", killed for want of memory" : "")}{(lost.HealthDetail is { } health ? $", its health check says: {health}" : "")}, so it cannot become {Word(dependency.Condition)}.\n{await containers.LastWordsAsync(lost.Id, cancellationToken)}",
        $"Look at its logs above; a missing variable or a wrong password is the usual cause.");

    private static string Word(DependencyCondition condition) => condition switch
    {
        DependencyCondition.Started => "started",
        DependencyCondition.Healthy => "healthy",
        _ => "completed",
    };
}
