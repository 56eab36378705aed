using Prometheus;

namespace Orchestrator.Traffic.Tls;

/// <summary>When certificates end, and how many handshakes there was none for. At most <see cref="MostHosts"/> hosts have a series.</summary>
public sealed class CertificateMetrics
{
    /// <summary>Those that end first are shown; beyond that a scrape would be about little else.</summary>
    public const int MostHosts = 1000;

    private readonly Gauge _expiry;
    private readonly Counter _unknown;

    public CertificateMetrics(CollectorRegistry registry)
    {
        var factory = Metrics.WithCustomRegistry(registry);
        _expiry = factory.CreateGauge(
            "basmalin_edge_certificate_expiry_timestamp_seconds", "When the certificate that is served for the host ends.", "host");
        _unknown = factory.CreateCounter(
            "basmalin_edge_tls_unknown_names_total", "Handshakes for a name that has no certificate.");
    }

    internal void CountUnknown() => _unknown.Inc();

    internal void Show(IReadOnlyDictionary<string, EdgeCertificate> served)
    {
        var shown = served.OrderBy(pair => pair.Value.NotAfter).Take(MostHosts).ToDictionary();
        foreach (var labels in _expiry.GetAllLabelValues().Where(labels => !shown.ContainsKey(labels[0]))) _expiry.RemoveLabelled(labels);
        foreach (var (host, certificate) in shown) _expiry.WithLabels(host).Set(certificate.NotAfter.ToUnixTimeSeconds());
    }
}
