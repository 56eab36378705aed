using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;

namespace Orchestrator.Traffic;

/// <summary>
/// An immutable snapshot of all routes. The exact host goes before the one-level wildcard, that before any host; within a host the longest path
/// prefix wins; a host none of whose paths match leaves the request to the next.
/// </summary>
public sealed class RouteTable
{
    private const string AnyHost = "*";
    private const string Wildcard = "*.";

    private readonly FrozenDictionary<string, PathTable>.AlternateLookup<ReadOnlySpan<char>> _exact;
    private readonly FrozenDictionary<string, PathTable>.AlternateLookup<ReadOnlySpan<char>> _wildcards;
    private readonly PathTable? _any;
    private readonly FrozenDictionary<PublishedEndpoint, PathTable> _listeners;
    private readonly FrozenDictionary<UInt128, RouteTarget> _previews;

    internal RouteTable(ImmutableSortedDictionary<string, CompiledStack> stacks)
    {
        Stacks = stacks;
        var exact = new Dictionary<string, List<(string, RouteTarget)>>(StringComparer.OrdinalIgnoreCase);
        var wildcards = new Dictionary<string, List<(string, RouteTarget)>>(StringComparer.OrdinalIgnoreCase);
        var any = new List<(string, RouteTarget)>();
        var listeners = new Dictionary<PublishedEndpoint, List<(string, RouteTarget)>>();
        foreach (var (route, target) in stacks.Values.SelectMany(stack => stack.Routes))
            ListFor(route).Add((route.Path, target));

        _exact = Freeze(exact);
        _wildcards = Freeze(wildcards);
        _any = any.Count > 0 ? new PathTable(any) : null;
        _listeners = listeners.ToFrozenDictionary(pair => pair.Key, pair => new PathTable(pair.Value));
        _previews = stacks.Values.SelectMany(stack => stack.Previews).ToFrozenDictionary(entry => Digest(entry.Preview.Token), entry => entry.Target);

        List<(string, RouteTarget)> ListFor(Route route) => route switch
        {
            { Listener: { } listener } => Under(listeners, listener),
            { Host: AnyHost } => any,
            { Host: { } host } when host.StartsWith(Wildcard, StringComparison.Ordinal) => Under(wildcards, HostKey(host[Wildcard.Length..])),
            { Host: { } host } => Under(exact, HostKey(host)),
            _ => throw new ArgumentException($"A route of {route.Stack}/{route.Service} has neither host nor listener."),
        };
    }

    internal static RouteTable Empty { get; } = new(ImmutableSortedDictionary<string, CompiledStack>.Empty);

    internal ImmutableSortedDictionary<string, CompiledStack> Stacks { get; }

    /// <summary>The route that a request takes.</summary>
    /// <param name="listener">The published port it came in by; null: a main listener.</param>
    /// <param name="host">The Host header as it came, port and all; empty when there was none.</param>
    public Route? Match(PublishedEndpoint? listener, string host, string path) => Find(listener, host, path)?.Route;

    internal static string HostKey(string host) => HostName.Of(host).ToString();

    internal RouteTarget? Find(PublishedEndpoint? listener, string host, string path)
    {
        if (listener is not null)
            return (_listeners.GetValueOrDefault(listener) ?? Successor(listener))?.Match(path);

        var name = HostName.Of(host);
        if (_exact.TryGetValue(name, out var exact) && exact.Match(path) is { } byName)
            return byName;

        var dot = name.IndexOf('.');
        if (dot > 0 && _wildcards.TryGetValue(name[(dot + 1)..], out var wildcard) && wildcard.Match(path) is { } byWildcard)
            return byWildcard;

        return _any?.Match(path);
    }

    internal RouteTarget? FindPreview(string token) => _previews.GetValueOrDefault(Digest(token));

    // A connection that came in before its port moved to other addresses may bring one more request before it is closed.
    private PathTable? Successor(PublishedEndpoint listener)
    {
        foreach (var (endpoint, paths) in _listeners)
        {
            if (endpoint.Overlaps(listener))
                return paths;
        }

        return null;
    }

    // Looked up by digest: how long a comparison of digests takes says nothing about the token.
    private static UInt128 Digest(string token)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(token), hash);
        return new UInt128(BitConverter.ToUInt64(hash), BitConverter.ToUInt64(hash[8..]));
    }

    private static List<(string, RouteTarget)> Under<TKey>(Dictionary<TKey, List<(string, RouteTarget)>> lists, TKey key)
        where TKey : notnull
    {
        if (!lists.TryGetValue(key, out var list))
            lists[key] = list = [];
        return list;
    }

    private static FrozenDictionary<string, PathTable>.AlternateLookup<ReadOnlySpan<char>> Freeze(Dictionary<string, List<(string, RouteTarget)>> lists) =>
        lists.ToFrozenDictionary(pair => pair.Key, pair => new PathTable(pair.Value), StringComparer.OrdinalIgnoreCase)
            .GetAlternateLookup<ReadOnlySpan<char>>();
}
