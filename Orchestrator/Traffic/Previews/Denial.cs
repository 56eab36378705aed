using Orchestrator.Traffic.Requests;
using Orchestrator.Traffic.Tls;

namespace Orchestrator.Traffic.Previews;

/// <summary>Why a request that chose a colour does not get it.</summary>
/// <param name="Tls">The redirects of its route: a key is asked for where it is not heard, if that can be had.</param>
internal sealed record Denial(OwnAnswer Answer, RouteTls? Tls)
{
    /// <summary>The same for whoever may not and for whoever asks where nobody may: it tells nothing.</summary>
    public static Denial NotHere { get; } = new(
        new(403, "Forbidden", "The version that answers cannot be chosen here, or not by you."), null);
}
