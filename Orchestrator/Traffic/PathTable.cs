using System.Collections.Immutable;

namespace Orchestrator.Traffic;

/// <summary>The routes of one host or published port, the longest prefix first.</summary>
internal sealed class PathTable
{
    private readonly ImmutableArray<(string Prefix, RouteTarget Target)> _entries;

    public PathTable(IEnumerable<(string Path, RouteTarget Target)> entries) =>
        _entries = [.. entries.Select(entry => (Normalize(entry.Path), entry.Target)).OrderByDescending(entry => entry.Item1.Length)];

    /// <summary>Without a slash at the end; the root is empty.</summary>
    public static string Normalize(string path) => path.TrimEnd('/');

    public RouteTarget? Match(string path)
    {
        foreach (var (prefix, target) in _entries)
        {
            if (path.StartsWith(prefix, StringComparison.Ordinal) && (path.Length == prefix.Length || prefix.Length == 0 || path[prefix.Length] == '/'))
                return target;
        }

        return null;
    }
}
