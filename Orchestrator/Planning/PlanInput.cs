using System.Collections.Immutable;
using Orchestrator.Stacks;

namespace Orchestrator.Planning;

/// <summary>Everything that a plan is made from. The planner sees nothing else.</summary>
public sealed record PlanInput
{
    public required Stack Wanted { get; init; }

    /// <summary>Service → pinned image, of those that are known already; before the pull that is none.</summary>
    public ImmutableSortedDictionary<string, string> WantedImages { get; init; } = ImmutableSortedDictionary<string, string>.Empty;

    /// <summary><c>secrets.KEY</c> or <c>configs.KEY</c> → a text that differs when the content does.</summary>
    public ImmutableSortedDictionary<string, string> WantedContents { get; init; } = ImmutableSortedDictionary<string, string>.Empty;

    /// <summary>The stack of the current release; null: nothing was ever committed.</summary>
    public Stack? Current { get; init; }

    /// <summary>Service → pinned image of the current release.</summary>
    public ImmutableSortedDictionary<string, string> CurrentImages { get; init; } = ImmutableSortedDictionary<string, string>.Empty;

    /// <summary>As <see cref="WantedContents"/>, of the current release.</summary>
    public ImmutableSortedDictionary<string, string> CurrentContents { get; init; } = ImmutableSortedDictionary<string, string>.Empty;

    public required StackState State { get; init; }

    public ImmutableArray<ObservedReplica> Observed { get; init; } = [];

    /// <summary>For a rollback: the release that is brought back.</summary>
    public int? TargetRelease { get; init; }

    /// <summary>Replace what could be kept.</summary>
    public bool Force { get; init; }
}

/// <summary>A container of the stack, in the planner's words.</summary>
/// <param name="Colour">Null for a service that is recreated in place.</param>
/// <param name="Spec">Hash of what it was made of.</param>
/// <param name="Done">It has ended with exit code 0, and was meant to end.</param>
public sealed record ObservedReplica(string Service, Colour? Colour, int Release, int Replica, string Spec, bool Running, bool Done);
