using System.Collections.Immutable;
using Orchestrator.Stacks.Parsing;

namespace Orchestrator.Stacks.Validation;

/// <summary>Profiles: a service that has some runs only when one of them is asked for.</summary>
internal static class ActiveServices
{
    public static ImmutableArray<ServiceDraft> Of(ComposeDraft draft, Reading reading)
    {
        var asked = reading.Source.Profiles;
        if (asked.IsEmpty && reading.Variable("COMPOSE_PROFILES") is { Length: > 0 } variable)
            asked = [.. variable.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)];

        var known = draft.Services.SelectMany(service => service.Profiles).ToHashSet(StringComparer.Ordinal);
        foreach (var profile in asked.Where(profile => profile != "*" && !known.Contains(profile)).Order(StringComparer.Ordinal))
        {
            reading.Note("services", $"no service has the profile '{profile}'", Values.Nearest.To(profile, known) is { } near ? $"did you mean '{near}'?" : null);
        }

        return [.. draft.Services.Where(service => service.Profiles.IsEmpty || asked.Contains("*") || service.Profiles.Any(asked.Contains))];
    }
}
