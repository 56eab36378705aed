using System.Collections.Concurrent;
using System.Globalization;
using Orchestrator.Traffic;
using Orchestrator.Traffic.Tls;

namespace Orchestrator.Certificates;

/// <summary>
/// Tells of certificates that end soon and of those that cannot be had, once a day for as long as it is so. One attempt that comes to nothing is no
/// news: the next goes another way.
/// </summary>
public sealed class CertificateAlarm(TrafficRouter router, TimeProvider time)
{
    private const int Worrying = 2;

    // A little less than a day, so that what is looked at each morning is told each morning.
    private static readonly TimeSpan Pause = TimeSpan.FromHours(20);

    // By host and event; as many as there are hosts with certificates.
    private readonly ConcurrentDictionary<(string Host, bool Ends), DateTimeOffset> _told = [];

    public event Action<CertificateNews>? Raised;

    public void Ending(EdgeCertificate certificate)
    {
        var days = (int)Math.Floor((certificate.NotAfter - time.GetUtcNow()).TotalDays);
        var when = string.Create(CultureInfo.InvariantCulture, $"{certificate.NotAfter:yyyy-MM-dd HH:mm}Z");
        foreach (var host in certificate.Names)
        {
            Raise(new(
                host, StackOf(host), certificate.NotAfter,
                days < 0 ? $"The certificate of {host} ended at {when}: clients refuse it." : $"The certificate of {host} ends at {when}, in {days} days.",
                "Put a new one into edge.certificates; one that is ordered automatically should have been renewed by now: 'basmalin doctor' says why it was not."));
        }
    }

    /// <param name="failures">Orders in a row that came to nothing.</param>
    public void NotIssued(string host, string problem, int failures, DateTimeOffset next)
    {
        if (failures < Worrying) return;

        Raise(new(
            host, StackOf(host), null,
            string.Create(CultureInfo.InvariantCulture, $"No certificate for {host} after {failures} attempts, the last: {problem}"),
            string.Create(CultureInfo.InvariantCulture, $"Does {host} lead to this machine, on ports 80 and 443? Tried again at {next:yyyy-MM-dd HH:mm}Z.")));
    }

    private void Raise(CertificateNews news)
    {
        var now = time.GetUtcNow();
        var key = (news.Host, news.Ends is not null);
        if (_told.TryGetValue(key, out var told) && now - told < Pause) return;

        _told[key] = now;
        Raised?.Invoke(news);
    }

    private string? StackOf(string host) => router.Published.SelectMany(stack => stack.Routes)
        .FirstOrDefault(route => route.Host is { } routed && Covers(host, routed))?.Stack;

    private static bool Covers(string name, string host) =>
        string.Equals(name, host, StringComparison.OrdinalIgnoreCase)
        || (name.StartsWith("*.", StringComparison.Ordinal) && host.IndexOf('.', StringComparison.Ordinal) is > 0 and var dot
            && host.AsSpan(dot).Equals(name.AsSpan(1), StringComparison.OrdinalIgnoreCase));
}
