using System.Collections.Immutable;
using System.Globalization;
using Orchestrator.Agent.Api.Contracts;
using Orchestrator.Certificates;
using Orchestrator.Traffic;
using Orchestrator.Traffic.Tls;

namespace Orchestrator.Agent.Api;

/// <summary>What the doctor says of certificates: those that end soon, those that cannot be used, and one line for all others.</summary>
internal sealed class CertificateChecks(IServiceProvider services, TrafficRouter router, TimeProvider time)
{
    private const string Name = "certificates";

    public IEnumerable<DoctorCheckResponse> Examine()
    {
        var issuance = services.GetService<CertificateIssuance>();
        if (issuance is null && Waiting() is > 0 and var waiting)
            yield return Warning($"{waiting} hosts want automatic certificates, and nobody orders them", "set edge.https and edge.acme in agent.yml");
        if (services.GetService<CertificateStore>() is not { } store) yield break;

        var now = time.GetUtcNow();
        var served = store.ByName.OrderBy(pair => pair.Value.NotAfter).ThenBy(pair => pair.Key, StringComparer.Ordinal).ToList();
        var ending = served.Where(pair => pair.Value.NotAfter - now < CertificateStore.Soon).ToList();
        foreach (var (host, certificate) in ending)
        {
            yield return certificate.NotAfter <= now
                ? Failed($"{host}: ended at {Day(certificate)}; clients refuse it", "put a new one into edge.certificates")
                : Warning($"{host}: ends at {Day(certificate)}", "renew it, or see the log for why it is not renewed");
        }

        foreach (var problem in services.GetService<CertificateFiles>()?.Problems ?? [])
            yield return Failed(problem, "it concerns its own hosts only; put the pair right, it is looked at every two seconds");

        foreach (var (host, problem) in issuance?.Problems ?? ImmutableSortedDictionary<string, string>.Empty)
            yield return Warning($"{host}: not issued: {problem}", "the log says when it is tried again");

        if (served.Count == 0)
            yield return Warning("there is none: every handshake is refused", "put one into edge.certificates, or set edge.acme and 'tls: auto' on a route");
        else if (served.Count > ending.Count)
            yield return new(Name, "ok", $"{served.Count - ending.Count} hosts, the next ends at {Day(served[ending.Count].Value)}", null);
    }

    private int Waiting() => router.Published.SelectMany(stack => stack.Routes).Where(route => route.Tls is { Automatic: true })
        .Select(route => route.Host).Distinct().Count();

    private static DoctorCheckResponse Warning(string detail, string hint) => new(Name, "warning", detail, hint);

    private static DoctorCheckResponse Failed(string detail, string hint) => new(Name, "failed", detail, hint);

    private static string Day(EdgeCertificate certificate) => certificate.NotAfter.ToString("yyyy-MM-dd HH:mm'Z'", CultureInfo.InvariantCulture);
}
