using System.Collections.Immutable;
using Orchestrator.Stacks.Parsing;
using Orchestrator.Stacks.Values;

namespace Orchestrator.Stacks.Validation;

/// <summary><c>depends_on</c>: who must exist, who must not wait for himself, and the order that follows.</summary>
internal sealed class DependencyOrder
{
    private readonly Reading _reading;
    private readonly ImmutableArray<ServiceDraft> _active;
    private readonly Dictionary<string, ServiceDraft> _byName;

    private DependencyOrder(ImmutableArray<ServiceDraft> active, ComposeDraft draft, Reading reading)
    {
        _reading = reading;
        var names = active.Select(service => service.Name).ToHashSet(StringComparer.Ordinal);
        _active = [.. active.Select(service => service with { DependsOn = Known(service, names, draft) })];
        _byName = _active.ToDictionary(service => service.Name, StringComparer.Ordinal);
    }

    /// <returns>The services, each after all that it depends on, ties by their place in the file; dependencies on absent services are gone.</returns>
    public static ImmutableArray<ServiceDraft> Sort(ImmutableArray<ServiceDraft> active, ComposeDraft draft, Reading reading)
    {
        var order = new DependencyOrder(active, draft, reading);
        foreach (var service in order._active) order.CheckConditions(service);
        return order.Sorted();
    }

    private ImmutableArray<Sited<Dependency>> Known(ServiceDraft service, HashSet<string> active, ComposeDraft draft)
    {
        var known = ImmutableArray.CreateBuilder<Sited<Dependency>>();
        foreach (var dependency in service.DependsOn)
        {
            var name = dependency.Value.Service;
            if (active.Contains(name))
            {
                known.Add(dependency);
                continue;
            }

            // A service that could not be read has been reported; whoever waits for it is not to blame.
            if (draft.Unreadable.Contains(name)) continue;

            var all = draft.Services;
            var inactive = all.FirstOrDefault(other => other.Name == name);
            var state = inactive is null ? $"there is no service '{name}'" : $"the service '{name}' is left out: its profiles are {string.Join(", ", inactive.Profiles)}";
            if (!dependency.Value.Required)
            {
                _reading.Note(dependency.Path, $"{state}; the dependency is not required and falls away");
                continue;
            }

            var hint = inactive is not null ? $"ask for the profile '{inactive.Profiles[0]}', or write required: false"
                : Nearest.To(name, all.Select(other => other.Name)) is { } near ? $"did you mean '{near}'?"
                : $"services: {string.Join(", ", all.Take(20).Select(other => other.Name))}";
            _reading.Error(dependency.Path, state, hint);
        }

        return known.ToImmutable();
    }

    private void CheckConditions(ServiceDraft service)
    {
        foreach (var (dependency, path) in service.DependsOn.Select(dependency => (dependency.Value, dependency.Path)))
        {
            var other = _byName[dependency.Service].Container;
            if (dependency.Condition == DependencyCondition.Healthy && other.Healthcheck is { Disabled: true })
                _reading.Error(path, $"'{dependency.Service}' never becomes healthy: its health check is switched off", "use condition: service_started");
            if (dependency.Condition == DependencyCondition.CompletedSuccessfully && other.Restart.Name is "always" or "unless-stopped")
                _reading.Error(path, $"'{dependency.Service}' never completes: it has restart: {other.Restart.Name}", "use restart: no or on-failure for a service that ends");
        }
    }

    private ImmutableArray<ServiceDraft> Sorted()
    {
        var sorted = ImmutableArray.CreateBuilder<ServiceDraft>(_active.Length);
        var placed = new HashSet<string>(StringComparer.Ordinal);
        var waiting = _active.ToList();
        while (waiting.Count > 0)
        {
            var next = waiting.FindIndex(service => service.DependsOn.All(dependency => placed.Contains(dependency.Value.Service)));
            if (next < 0)
            {
                Cycles(waiting);
                sorted.AddRange(waiting);
                break;
            }

            sorted.Add(waiting[next]);
            placed.Add(waiting[next].Name);
            waiting.RemoveAt(next);
        }

        return sorted.ToImmutable();
    }

    /// <summary>Each service that is left waits for another one that is left: following that leads round. Every circle is reported once.</summary>
    private void Cycles(List<ServiceDraft> waiting)
    {
        var left = waiting.Select(service => service.Name).ToHashSet(StringComparer.Ordinal);
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var start in waiting)
        {
            var path = new List<string>();
            var current = start.Name;
            while (seen.Add(current))
            {
                path.Add(current);
                current = _byName[current].DependsOn.First(dependency => left.Contains(dependency.Value.Service)).Value.Service;
            }

            var round = path.IndexOf(current);
            if (round < 0) continue;

            var circle = path.Skip(round).Append(current).ToArray();
            var first = _byName[circle[0]];
            var edge = first.DependsOn.First(dependency => dependency.Value.Service == circle[1]);
            _reading.Error(edge.Path, $"services wait for each other: {string.Join(" -> ", circle)}", "remove one of the dependencies");
        }
    }
}
