using System.Globalization;

namespace Orchestrator.Traffic;

/// <summary>A port of the host that a service is published on, as Compose's <c>ports</c> says it.</summary>
/// <param name="Address">An IP address of the host; null: all of them.</param>
public sealed record PublishedEndpoint(string? Address, int Port)
{
    /// <summary>Whether both cannot be open at once.</summary>
    public bool Overlaps(PublishedEndpoint other) =>
        Port == other.Port && (Address is null || other.Address is null || Address == other.Address);

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Address ?? "*"}:{Port}");
}
