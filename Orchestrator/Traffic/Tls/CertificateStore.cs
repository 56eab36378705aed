using System.Collections.Immutable;

namespace Orchestrator.Traffic.Tls;

/// <summary>All certificates that are served. They are read from a snapshot that is swapped whole, so that a handshake waits for nobody.</summary>
public sealed class CertificateStore(CertificateMetrics metrics)
{
    /// <summary>What ends within this time is warned of.</summary>
    public static readonly TimeSpan Soon = TimeSpan.FromDays(14);

    private readonly Lock _changing = new();
    private ImmutableArray<EdgeCertificate> _files = [];
    private ImmutableSortedDictionary<string, EdgeCertificate> _issued = ImmutableSortedDictionary<string, EdgeCertificate>.Empty;
    private CertificateTable _table = new([]);

    /// <summary>Each name with what is served for it now.</summary>
    public IReadOnlyDictionary<string, EdgeCertificate> ByName => Volatile.Read(ref _table).ByName;

    /// <summary>What a handshake for the name gets; null: nothing.</summary>
    /// <param name="name">A host name or an address, without port.</param>
    public EdgeCertificate? Find(ReadOnlySpan<char> name) => Volatile.Read(ref _table).Find(name);

    /// <summary>Replaces all that came from files.</summary>
    public void SetFiles(ImmutableArray<EdgeCertificate> certificates)
    {
        lock (_changing)
        {
            _files = certificates;
            Swap();
        }
    }

    /// <summary>Serves a certificate that was issued for one host.</summary>
    public void SetIssued(string host, EdgeCertificate certificate)
    {
        lock (_changing)
        {
            _issued = _issued.SetItem(host, certificate);
            Swap();
        }
    }

    /// <summary>Serves what was issued for the host no longer.</summary>
    public void RemoveIssued(string host)
    {
        lock (_changing)
        {
            if (!_issued.ContainsKey(host)) return;

            _issued = _issued.Remove(host);
            Swap();
        }
    }

    private void Swap()
    {
        var table = new CertificateTable([.. _files, .. _issued.Values]);
        Volatile.Write(ref _table, table);
        metrics.Show(table.ByName);
    }
}
