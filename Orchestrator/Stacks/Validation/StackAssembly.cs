using System.Collections.Immutable;
using Orchestrator.Stacks.Parsing;

namespace Orchestrator.Stacks.Validation;

/// <summary>Holds the parts of a file against each other and makes a stack of them.</summary>
internal static class StackAssembly
{
    public static Stack Build(ComposeDraft draft, Reading reading)
    {
        var active = ActiveServices.Of(draft, reading);
        if (active.IsEmpty && !draft.Services.IsEmpty)
            reading.Error("services", "every service belongs to a profile that is not asked for", "ask for a profile");

        active = DependencyOrder.Sort(active, draft, reading);
        HostPorts.Check(active, reading);
        ContainerNames(active, reading);
        var routes = new Routes(reading);
        var names = active.Select(service => service.Name).ToHashSet(StringComparer.Ordinal);
        foreach (var service in draft.Services.Where(service => names.Contains(service.Name))) routes.CheckConflicts(service);


        var references = new References(active, draft.Services, reading);
        var volumes = references.Volumes(draft);
        foreach (var service in active) routes.CheckStatic(service, volumes);
        return new Stack
        {
            Name = draft.Name,
            Directory = reading.Source.Directory,
            Services = [.. active.Select(service => Service(draft, service, routes, reading))],
            Networks = references.Networks(draft),
            Volumes = volumes,
            Secrets = references.Secrets(draft),
            Configs = references.Configs(draft),
        };
    }

    private static ServiceSpec Service(ComposeDraft draft, ServiceDraft service, Routes routes, Reading reading)
    {
        var replacement = new Replacement(service, reading);
        replacement.Check();

        // A port that the engine would choose is none for the proxy; peers still find it.
        var served = service.Ports.Where(port => replacement.Role != ServiceRole.Routed || port.Value.HostPort != 0);
        var unserved = service.Ports.Select(port => port.Value).Where(port => replacement.Role == ServiceRole.Routed && port.HostPort == 0);
        return new ServiceSpec
        {
            Name = service.Name,
            Role = replacement.Role,
            Coloured = replacement.Coloured,
            Replicas = service.Replicas,
            Image = service.Image ?? $"{draft.Name}-{service.Name}".ToLowerInvariant(),
            Build = service.Build,
            Pull = service.Pull,
            Platform = service.Platform,
            Container = service.Container,
            Ports = [.. served.Select(port => port.Value)],
            Expose = [.. service.Expose.Concat(unserved.Select(port => port.ContainerPort)).Distinct().Order()],
            Networks = [.. service.Networks.Select(network => network.Value)],
            DependsOn = [.. service.DependsOn.Select(dependency => dependency.Value)],
            BasMalin = routes.WithPorts(service),
        };
    }

    private static void ContainerNames(ImmutableArray<ServiceDraft> services, Reading reading)
    {
        var taken = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var service in services)
        {
            if (service.Container.ContainerName is not { } name || taken.TryAdd(name, service.Name)) continue;

            reading.Error(service.Key("container_name"), $"'{taken[name]}' has the container name '{name}' already", "names of containers are unique on an engine");
        }
    }
}
