using System.Collections.Immutable;
using Orchestrator.Docker;
using Orchestrator.Journal;
using Orchestrator.Planning;
using Orchestrator.Stacks;

namespace Orchestrator.Deployments;

/// <summary>Journal and engine, put together for people.</summary>
public sealed class StackStatusReader(IJournal journal, StackContainers containers, StackTraffic traffic, DriftBoard drift)
{
    /// <summary>How far back a stack is looked for whose first deployment runs, waits, or has failed: it has no state yet.</summary>
    private const int LookBack = 100;

    public async Task<ImmutableArray<StackStatus>> AllAsync(CancellationToken cancellationToken)
    {
        var states = await journal.ListStacksAsync(cancellationToken);
        var damaged = await journal.DamagedStacksAsync(cancellationToken);
        var beginning = (await journal.ListDeploymentsAsync(null, LookBack, cancellationToken))
            .Select(deployment => deployment.Request.Stack)
            .Distinct()
            .Except(states.Select(state => state.Stack))
            .Except(damaged.Select(one => one.Stack))
            .Select(stack => new StackState { Stack = stack });

        var all = ImmutableArray.CreateBuilder<StackStatus>();
        foreach (var state in states.Concat(beginning)) all.Add(await OfAsync(state, cancellationToken));

        // An old release that is damaged does no harm to a stack that is served; the doctor names it.
        foreach (var (stack, problem) in damaged.Where(one => states.All(state => state.Stack != one.Stack))) all.Add(Quarantined(stack, problem));
        return [.. all.OrderBy(status => status.Stack, StringComparer.Ordinal)];
    }

    public async Task<StackStatus?> OneAsync(string stack, CancellationToken cancellationToken)
    {
        if (await journal.FindStackAsync(stack, cancellationToken) is { } state) return await OfAsync(state, cancellationToken);
        var first = await journal.ListDeploymentsAsync(stack, 1, cancellationToken);
        return first.IsEmpty ? null : await OfAsync(new() { Stack = stack }, cancellationToken);
    }

    private string? JournalProblem => journal.Health.Damage is { } damage
        ? $"The journal is damaged: {damage.Problem}. The stack is served from {damage.ServedFrom}; nothing is deployed until 'basmalin doctor --repair'."
        : null;

    private static StackStatus Quarantined(string stack, string problem) => new(stack, 0, null, [], null, false, null, null, problem);

    // One stack whose release cannot be read must not hide the others.
    private async Task<StackStatus> OfAsync(StackState state, CancellationToken cancellationToken)
    {
        try
        {
            return await ReadAsync(state, cancellationToken);
        }
        catch (JournalException damaged)
        {
            return Quarantined(state.Stack, damaged.Message) with { CurrentRelease = state.CurrentRelease, Maintenance = state.Maintenance };
        }
    }

    private async Task<StackStatus> ReadAsync(StackState state, CancellationToken cancellationToken)
    {
        var release = state.CurrentRelease > 0 ? await journal.FindReleaseAsync(state.Stack, state.CurrentRelease, cancellationToken) : null;
        var observed = await containers.ListAsync(state.Stack, cancellationToken);
        var deployments = await journal.ListDeploymentsAsync(state.Stack, 10, cancellationToken);
        var services = release?.Stack.Services.Select(spec => ServiceOf(spec, release, state, [.. observed.Where(seen => seen.Service == spec.Name && !seen.IsOneShot)])) ?? [];
        return new(
            state.Stack, state.CurrentRelease, release?.Version, [.. services], state.Warm, state.Maintenance,
            deployments.LastOrDefault(deployment => !deployment.Ended), deployments.FirstOrDefault(deployment => deployment.Ended), traffic.ProblemOf(state.Stack) ?? JournalProblem)
        {
            Drift = drift.Of(state.Stack),
        };
    }

    private ServiceStatus ServiceOf(ServiceSpec spec, Release release, StackState state, ImmutableArray<ObservedContainer> observed)
    {
        var live = state.Live.GetValueOrDefault(spec.Name);
        var all = observed.Select(seen => ContainerOf(seen, seen.Colour is null || new Generation(seen.Colour.Value, seen.Release) == live)).ToImmutableArray();
        var serving = all.Where(container => container.Live).ToList();
        return new(
            spec.Name, spec.Role, live?.Colour, live?.Release ?? serving.Select(container => container.Release).DefaultIfEmpty(release.Number).Max(),
            release.Images.GetValueOrDefault(spec.Name)?.Reference ?? spec.Image, spec.Replicas, serving.Count(container => container.State == "running"),
            Worst(serving, spec), all, RoutesOf(spec))
        {
            PausedUntil = traffic.PausedUntil(state.Stack, spec.Name),
        };
    }

    private static ContainerStatus ContainerOf(ObservedContainer seen, bool live) => new(
        seen.Id.Short, seen.Name, seen.Colour, seen.Release, seen.State.ToString().ToLowerInvariant(), HealthOf(seen), seen.Addresses.Values.FirstOrDefault(), seen.StartedAt, live);

    private static string HealthOf(ObservedContainer seen) => (seen.State, seen.Health) switch
    {
        (ContainerState.Exited, _) when seen.ExitCode == 0 => "completed",
        (not ContainerState.Running, _) => "stopped",
        (_, DockerHealth.Healthy) => "healthy",
        (_, DockerHealth.Unhealthy) => "unhealthy",
        (_, DockerHealth.Starting) => "starting",
        _ => "running",
    };

    private static string Worst(List<ContainerStatus> serving, ServiceSpec spec)
    {
        if (serving.Count < spec.Replicas) return "stopped";
        string[] order = ["unhealthy", "stopped", "starting", "running", "healthy", "completed"];
        return order.FirstOrDefault(health => serving.Any(container => container.Health == health)) ?? "stopped";
    }

    private static ImmutableArray<string> RoutesOf(ServiceSpec spec)
    {
        if (spec.BasMalin?.Route is not { } route) return [.. spec.Ports.Select(port => $"{port.HostAddress}:{port.HostPort}")];
        return [.. route.Hosts.Select(host => host + route.Path), .. spec.Ports.Select(port => $"{port.HostAddress}:{port.HostPort}")];
    }
}
