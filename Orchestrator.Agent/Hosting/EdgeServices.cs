using Orchestrator.Agent.Webhooks;
using Orchestrator.Certificates;
using Orchestrator.Scheduling;
using Orchestrator.Traffic;
using Orchestrator.Traffic.Handover;
using Orchestrator.Traffic.Requests;
using Orchestrator.Traffic.Tls;
using Prometheus;
using Quartz;

namespace Orchestrator.Agent.Hosting;

/// <summary>Puts the edge together as the settings ask.</summary>
internal static class EdgeServices
{
    public static IServiceCollection AddEdge(this IServiceCollection services, AgentOptions options)
    {
        services.AddSingleton(new EdgeMetrics(Metrics.DefaultRegistry));
        services.AddSingleton<TrafficRouter>();
        services.AddSingleton<CertificateAlarm>();
        if (!options.Edge.Https.IsEmpty) AddTls(services, options);
        services.AddSingleton(provider => Translate(options, provider.GetService<EdgeTls>()));
        services.AddSingleton(provider => new EdgeServer(
            provider.GetRequiredService<Traffic.EdgeOptions>(),
            provider.GetRequiredService<TrafficRouter>(),
            provider.GetRequiredService<EdgeMetrics>(),
            provider.GetRequiredService<ILoggerFactory>(),
            provider.GetRequiredService<TimeProvider>())
        {
            Inherited = provider.GetRequiredService<InheritedSockets>(),
            Keeping = SocketKeeping.OfProcess(),

            // Looked up with each webhook: it leads to deployments, and those to the edge.
            Intercept = context => provider.GetRequiredService<WebhookEndpoint>().InterceptAsync(context),
        });
        return services;
    }

    private static Traffic.EdgeOptions Translate(AgentOptions options, EdgeTls? tls) => new()
    {
        Http = [.. options.Edge.Http.Select(address => address.ToEndPoint())],
        Https = [.. options.Edge.Https.Select(address => address.ToEndPoint())],
        PublicHttpsPort = options.Edge.HttpsPort,
        Tls = tls,
        HoldLimit = options.Limits.HoldRequests,
        HoldBytes = options.Limits.HoldBytes,
        HoldFor = options.Limits.HoldFor,
        TrustedProxies = options.Edge.TrustedProxies.IsEmpty ? null : new AddressSet(options.Edge.TrustedProxies),
        Limits = options.Edge.Limits,
        AccessLog = options.Edge.AccessLog is { File: not null } log ? log : null,
        ActivityTimeout = options.Edge.Idle,
    };

    /// <summary>What the timetable does for certificates.</summary>
    public static void Plan(IQuartzBuilder quartz, EdgeOptions edge)
    {
        if (!edge.Https.IsEmpty) Timetable.PlanExpiry(quartz);
        if (edge.Acme is not null) Timetable.PlanRenewals(quartz);
    }

    private static void AddTls(IServiceCollection services, AgentOptions options)
    {
        services.AddSingleton(new CertificateMetrics(Metrics.DefaultRegistry));
        services.AddSingleton<CertificateStore>();
        services.AddSingleton<EdgeTls>();
        if (options.Edge.Certificates is { } directory) AddFiles(services, directory);
        if (options.Edge.Acme is not { } acme) return;

        services.AddSingleton(provider =>
        {
            var issuance = new CertificateIssuance(
                AcmeSettingsReader.Translate(acme),
                options.Data,
                provider.GetRequiredService<TrafficRouter>(),
                provider.GetRequiredService<Traffic.EdgeOptions>(),
                provider.GetRequiredService<TimeProvider>(),
                provider.GetRequiredService<ILogger<CertificateIssuance>>());
            issuance.Failed += provider.GetRequiredService<CertificateAlarm>().NotIssued;
            return issuance;
        });
        services.AddHostedService<IssuanceWatch>();
    }

    private static void AddFiles(IServiceCollection services, string directory)
    {
        services.AddSingleton(provider => new CertificateFiles(
            directory,
            provider.GetRequiredService<CertificateStore>(),
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<CertificateFiles>>()));
        services.AddHostedService<CertificateWatch>();
    }
}
