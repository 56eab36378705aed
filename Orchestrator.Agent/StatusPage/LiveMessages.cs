using System.Collections.Immutable;
using System.Text.Json.Serialization;

namespace Orchestrator.Agent.StatusPage;

/// <summary>First event of a stream, <c>hello</c>.</summary>
/// <param name="Bundle">Another one than the page's: it reloads.</param>
/// <param name="Now">The server's clock, milliseconds since 1970: what the page counts from.</param>
internal sealed record HelloMessage(string Bundle, long Now);

/// <summary>Event <c>patch</c>: elements that have changed.</summary>
/// <param name="Pieces">Element id → its new markup.</param>
internal sealed record PatchMessage(long Now, ImmutableSortedDictionary<string, string> Pieces);

/// <summary>Event <c>pulse</c>: points that are new, oldest first. <c>[at in ms, requests/s, failed/s, p95 in ms or null]</c> each.</summary>
internal sealed record PulseMessage(long Now, ImmutableSortedDictionary<string, double?[][]> Stacks);

[JsonSerializable(typeof(HelloMessage))]
[JsonSerializable(typeof(PatchMessage))]
[JsonSerializable(typeof(PulseMessage))]
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
internal sealed partial class LiveJson : JsonSerializerContext;
