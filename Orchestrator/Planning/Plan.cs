using System.Collections.Immutable;
using Orchestrator.Stacks;

namespace Orchestrator.Planning;

/// <summary>What will be done with a service.</summary>
public enum ServiceActionKind
{
    /// <summary>Nothing has changed and all of it runs.</summary>
    Keep,

    /// <summary>Is started for the first time.</summary>
    Create,

    /// <summary>A new colour beside the live one, then the switch: no request is lost.</summary>
    Replace,

    /// <summary>Stopped and made anew: it is away for a moment, and the plan says so.</summary>
    Recreate,

    /// <summary>Is no longer in the file: unrouted, drained, stopped, removed. Its volumes stay.</summary>
    Remove,
}

/// <param name="Reasons">Why, for people; never a secret's value.</param>
/// <param name="From">The live generation; null when there is none.</param>
/// <param name="To">The colour of the candidate; null for services that are not coloured.</param>
/// <param name="AfterShift">In place, and depends on a coloured service: done after the switch.</param>
public sealed record ServiceAction(
    string Service,
    ServiceActionKind Kind,
    ImmutableArray<string> Reasons,
    ImmutableArray<Change> Changes,
    Generation? From,
    Colour? To,
    bool AfterShift);

/// <summary>A difference between two releases. Values of environment variables are not shown, only their names.</summary>
/// <param name="Path">Dotted, e.g. <c>container.environment.DATABASE_URL</c>.</param>
/// <param name="Old">Null: was not there.</param>
/// <param name="New">Null: is no longer there.</param>
public sealed record Change(string Path, string? Old, string? New);

/// <summary>What a deployment will do, before it does it.</summary>
public sealed record Plan
{
    public required string Stack { get; init; }

    /// <summary>In dependency order; removals last.</summary>
    public required ImmutableArray<ServiceAction> Services { get; init; }

    /// <summary>Networks and volumes that will be made, by their names on the engine.</summary>
    public ImmutableArray<string> NewNetworks { get; init; } = [];

    public ImmutableArray<string> NewVolumes { get; init; } = [];

    /// <summary>Routes, gates and the like that change without a container being touched.</summary>
    public ImmutableArray<Change> Settings { get; init; } = [];

    /// <summary>What one should know before saying yes.</summary>
    public ImmutableArray<string> Notes { get; init; } = [];

    /// <summary>A warm generation is there: the way back is a swap.</summary>
    public bool WarmSwap { get; init; }

    public bool NothingToDo => Settings.IsEmpty && Services.All(action => action.Kind == ServiceActionKind.Keep);

    public IEnumerable<ServiceAction> Of(params ServiceActionKind[] kinds) => Services.Where(action => kinds.Contains(action.Kind));

    public ServiceAction? Find(string service) => Services.FirstOrDefault(action => action.Service == service);
}
