using System.Collections.Immutable;
using Orchestrator.Stacks;

namespace Orchestrator.Planning;

/// <summary>What one should know before saying yes to a plan.</summary>
internal static class PlanNotes
{
    public static ImmutableArray<string> For(PlanInput input, Plan plan) =>
        [.. plan.Services.SelectMany(action => ForService(input, action)), .. Images(input, plan)];

    private static IEnumerable<string> ForService(PlanInput input, ServiceAction action)
    {
        if (input.Wanted.Find(action.Service) is not { } spec)
        {
            yield return $"{action.Service}: removed; its volumes stay";
            yield break;
        }

        if (action.Kind == ServiceActionKind.Recreate)
            yield return $"{spec.Name}: recreated in place, it is away while it restarts ({Why(spec)})";
        if (action.Kind is ServiceActionKind.Create or ServiceActionKind.Replace && spec.Coloured)
        {
            foreach (var mount in spec.Container.Mounts.Where(mount => mount is { Kind: MountKind.Volume, Source: not null, ReadOnly: false }))
                yield return $"{spec.Name}: volume {mount.Source} at {mount.Target} is shared by both colours while they run beside each other";
            if (spec.Container.ContainerName is { } name)
                yield return $"{spec.Name}: container_name {name} becomes {name}-{(action.To ?? Colour.Blue).Word()}-1, because two colours cannot have one name";
            if (action.Reasons.Contains("becomes blue/green"))
                yield return $"{spec.Name}: its present container is stopped at the switch; its published ports are away for that moment, this once";
        }

        if (!spec.Coloured && spec.BasMalin is null && spec.Role == ServiceRole.Worker)
            yield return spec.Ports.IsEmpty
                ? $"{spec.Name}: replaced in place; an empty 'x-basmalin: {{}}' makes it blue/green"
                : $"{spec.Name}: replaced in place; 'x-basmalin: {{ route: {{ port: {spec.Ports[0].ContainerPort} }} }}' makes it blue/green behind the proxy";
    }

    private static IEnumerable<string> Images(PlanInput input, Plan plan)
    {
        var open = input.Wanted.Services.Where(spec => !input.WantedImages.ContainsKey(spec.Name) && !spec.Image.Contains('@', StringComparison.Ordinal)
            && plan.Find(spec.Name)?.Kind == ServiceActionKind.Keep).Select(spec => spec.Name).ToList();
        if (open.Count > 0) yield return $"what the tags of {string.Join(", ", open)} mean is asked of the registry when it is done; a tag that has moved replaces its service";
    }

    private static string Why(ServiceSpec spec) => spec.Role == ServiceRole.Stateful ? "it owns data, so it is never run twice" : "it has no x-basmalin";
}
