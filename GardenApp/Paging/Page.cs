using System.Collections.Immutable;

namespace GardenApp.Paging;

/// <summary>A part of a list.</summary>
/// <param name="Items">At most <paramref name="Limit"/> entries.</param>
/// <param name="Total">How many there are in all.</param>
/// <param name="Offset">How many were skipped.</param>
/// <param name="Limit">How many were asked for.</param>
public sealed record Page<T>(ImmutableArray<T> Items, long Total, int Offset, int Limit);
