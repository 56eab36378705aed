using System.Collections.Immutable;
using GardenApp.Gardens;
using GardenApp.Plants;
using GardenApp.Sensors;

namespace GardenApp.Insights;

/// <summary>All that a provider is told: the garden, its plants, and the newest reading of each sensor.</summary>
internal sealed record GardenSnapshot(Garden Garden, ImmutableArray<Plant> Plants, ImmutableArray<SensorReading> Latest, DateTimeOffset Now);
