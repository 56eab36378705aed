using System.Collections.Immutable;
using Orchestrator.Stacks;

namespace Orchestrator.Docker;

public sealed record VolumeRequest(VolumeSpec Spec, ImmutableSortedDictionary<string, string> Labels);
