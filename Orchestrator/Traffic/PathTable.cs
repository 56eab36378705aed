using System.Collections.Immutable;

namespace Orchestrator.Traffic;

/// <summary>The routes of one host or published port. What a look-up costs grows with the different lengths of the prefixes, not with how many there are.</summary>
internal sealed class PathTable
{
    /// <summary>Of each length, the longest first. Not frozen: a table is made anew for every host at every swap.</summary>
    private readonly ImmutableArray<(int Length, Dictionary<string, RouteTarget>.AlternateLookup<ReadOnlySpan<char>> Targets)> _byLength;

    public PathTable(IEnumerable<(string Path, RouteTarget Target)> entries) =>
        _byLength =
        [
            .. entries.Select(entry => (Prefix: Normalize(entry.Path), entry.Target)).GroupBy(entry => entry.Prefix.Length).OrderByDescending(group => group.Key).Select(group =>
                (group.Key, group.DistinctBy(entry => entry.Prefix).ToDictionary(entry => entry.Prefix, entry => entry.Target, StringComparer.Ordinal).GetAlternateLookup<ReadOnlySpan<char>>())),
        ];

    /// <summary>Without a slash at the end; the root is empty.</summary>
    public static string Normalize(string path) => path.TrimEnd('/');

    /// <returns>The one with the longest prefix that ends where a segment of the path ends, or <see langword="null"/>.</returns>
    public RouteTarget? Match(string path)
    {
        foreach (var (length, targets) in _byLength)
        {
            if (length > path.Length || (length > 0 && length < path.Length && path[length] != '/')) continue;
            if (targets.TryGetValue(path.AsSpan(0, length), out var target)) return target;
        }

        return null;
    }
}
