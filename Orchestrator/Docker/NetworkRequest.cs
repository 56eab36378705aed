using System.Collections.Immutable;
using Orchestrator.Stacks;

namespace Orchestrator.Docker;

public sealed record NetworkRequest(NetworkSpec Spec, ImmutableSortedDictionary<string, string> Labels);
