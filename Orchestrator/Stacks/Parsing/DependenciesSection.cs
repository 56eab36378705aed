using System.Collections.Immutable;

namespace Orchestrator.Stacks.Parsing;

/// <summary><c>depends_on</c>, in both forms.</summary>
internal static class DependenciesSection
{
    public static ImmutableArray<Sited<Dependency>> Read(Field? field)
    {
        var dependencies = ImmutableArray.CreateBuilder<Sited<Dependency>>();
        if (field is { IsMap: true } map)
        {
            foreach (var (service, value) in map.Members("services"))
            {
                if (value.IsNull) value.Error("expected a mapping with 'condition', found nothing", "condition: service_started");
                else if (value.Section("a mapping with 'condition'") is { } section) dependencies.Add(new(Long(service, section), value.Path));
            }
        }
        else if (field is { } list)
        {
            foreach (var item in list.Items("a list of services, or a mapping"))
            {
                if (item.NonEmpty("the name of a service") is not { } service) continue;
                if (dependencies.Any(known => known.Value.Service == service)) item.Error($"'{service}' is named twice");
                else dependencies.Add(new(new Dependency(service, DependencyCondition.Started, Required: true, Restart: false), item.Path));
            }
        }

        return dependencies.ToImmutable();
    }

    private static Dependency Long(string service, Section section)
    {
        var condition = section.Take("condition")?.OneOf("a condition", "service_started", "service_healthy", "service_completed_successfully");
        if (!section.Has("condition")) section.Error("'condition' is missing", "service_started, service_healthy or service_completed_successfully");

        var required = section.Take("required")?.Flag() ?? true;
        var restart = section.Take("restart")?.Flag() ?? false;
        section.Finish();
        return new Dependency(service, condition switch
        {
            "service_healthy" => DependencyCondition.Healthy,
            "service_completed_successfully" => DependencyCondition.CompletedSuccessfully,
            _ => DependencyCondition.Started,
        }, required, restart);
    }
}
