using System.Collections.Frozen;

namespace Orchestrator.Traffic.Tls;

/// <summary>An immutable snapshot: which certificate a name gets. The exact name goes before the one-level wildcard.</summary>
internal sealed class CertificateTable
{
    private const string Wildcard = "*.";

    private readonly FrozenDictionary<string, EdgeCertificate> _byName;
    private readonly FrozenDictionary<string, EdgeCertificate>.AlternateLookup<ReadOnlySpan<char>> _exact;
    private readonly FrozenDictionary<string, EdgeCertificate>.AlternateLookup<ReadOnlySpan<char>> _wildcards;

    /// <param name="certificates">Where two have the same name, the one that is good for longer is served; of equals the first.</param>
    public CertificateTable(IEnumerable<EdgeCertificate> certificates)
    {
        var best = new Dictionary<string, EdgeCertificate>(StringComparer.OrdinalIgnoreCase);
        foreach (var certificate in certificates)
        {
            foreach (var name in certificate.Names)
            {
                if (!best.TryGetValue(name, out var other) || other.NotAfter < certificate.NotAfter) best[name] = certificate;
            }
        }

        _byName = best.ToFrozenDictionary(StringComparer.OrdinalIgnoreCase);
        _exact = _byName.GetAlternateLookup<ReadOnlySpan<char>>();
        _wildcards = best.Where(pair => pair.Key.StartsWith(Wildcard, StringComparison.Ordinal))
            .ToFrozenDictionary(pair => pair.Key[Wildcard.Length..], pair => pair.Value, StringComparer.OrdinalIgnoreCase)
            .GetAlternateLookup<ReadOnlySpan<char>>();
    }

    /// <summary>Each name with what is served for it.</summary>
    public IReadOnlyDictionary<string, EdgeCertificate> ByName => _byName;

    /// <param name="name">A host name or an address, without port.</param>
    public EdgeCertificate? Find(ReadOnlySpan<char> name)
    {
        if (_exact.TryGetValue(name, out var exact)) return exact;

        var dot = name.IndexOf('.');
        return dot > 0 && _wildcards.TryGetValue(name[(dot + 1)..], out var wildcard) ? wildcard : null;
    }
}
