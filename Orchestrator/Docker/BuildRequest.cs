using System.Collections.Immutable;
using Orchestrator.Stacks;

namespace Orchestrator.Docker;

/// <param name="Reference">The name that the built image gets.</param>
public sealed record BuildRequest(string Reference, BuildSpec Spec, string? Platform, ImmutableSortedDictionary<string, string> Labels);
