using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Hosting.Systemd;
using Orchestrator.Access;
using Orchestrator.Agent.Api;
using Orchestrator.Agent.Api.Contracts;
using Orchestrator.Agent.Auth;
using Orchestrator.Agent.StatusPage;
using Orchestrator.Agent.Webhooks;
using Orchestrator.Deployments;
using Orchestrator.Docker;
using Orchestrator.Journal;
using Orchestrator.Journal.Sqlite;
using Orchestrator.Notifications;
using Orchestrator.Scheduling;
using Orchestrator.Secrets;
using Orchestrator.Traffic;
using Orchestrator.Traffic.Handover;
using Quartz;
using DeploymentOptions = Orchestrator.Deployments.DeploymentOptions;

namespace Orchestrator.Agent.Hosting;

/// <summary>The admin listeners: API, status page, metrics, webhooks. Reads no configuration of its own; what it is given is all there is.</summary>
internal static class AdminHost
{
    private const long LargestBody = 8 << 20;

    public static WebApplication Build(AgentOptions options, EngineRoom engines, DaemonLog log, DaemonState state, TimeProvider time, Action<IServiceCollection>? more)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ApplicationName = "basmalin" });
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => Listen(kestrel, options.Admin));
        builder.Services.Configure<SocketTransportOptions>(sockets => sockets.CreateBoundListenSocket = AdminSocket.Bind);
        AddInherited(builder.Services, InheritedSockets.OfProcess());
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = options.Limits.Stop);
        AddLifetime(builder.Services);
        builder.Services.AddSingleton(log.Factory);
        builder.Services.AddSingleton(typeof(ILogger<>), typeof(Logger<>));
        builder.Services.AddSingleton(time);
        builder.Services.AddSingleton(log);
        builder.Services.AddSingleton(state);
        AddEngines(builder.Services, engines, options.Data);
        builder.Services.AddEdge(options);
        builder.Services.AddSingleton(Translate(options));
        builder.Services.AddDeployments(options.Data, engines.Agent);
        var vault = Vault.Of(options, time);
        builder.Services.AddBackups(options.Data, vault, options.File);
        if (vault.Keys is { } keys) builder.Services.AddSingleton(keys);
        builder.Services.AddHealing(options.Healing);
        AddAccess(builder.Services, options.Limits);
        AddApi(builder.Services, options.Limits);
        builder.Services.AddStatusPage();
        AddBackground(builder.Services, options, engines);

        more?.Invoke(builder.Services);
        var app = builder.Build();
        AdminPipeline.Map(app);
        return app;
    }

    private static void Listen(KestrelServerOptions kestrel, AdminOptions admin)
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxRequestBodySize = LargestBody;
        if (admin.Listen is { } address) kestrel.Listen(address.ToEndPoint());
        AdminSocket.Listen(kestrel, admin.Socket);
    }

    /// <summary>The last transport that is added is asked first.</summary>
    private static void AddInherited(IServiceCollection services, InheritedSockets inherited)
    {
        services.AddSingleton(inherited);
        services.AddSingleton(provider => new InheritedTransport(inherited, null, provider.GetRequiredService<ILoggerFactory>(), provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton<IConnectionListenerFactory>(provider => provider.GetRequiredService<InheritedTransport>());
    }

    /// <summary>
    /// Under Type=notify the notifier is registered by hand: the detection looks into /proc, which a hardened unit (ProtectProc=invisible) hides.
    /// </summary>
    private static void AddLifetime(IServiceCollection services)
    {
        if (string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NOTIFY_SOCKET")))
        {
            services.AddSingleton<IHostLifetime, Microsoft.Extensions.Hosting.Internal.ConsoleLifetime>();
            services.Configure<ConsoleLifetimeOptions>(console => console.SuppressStatusMessages = true);
            return;
        }

        services.AddSingleton<ISystemdNotifier, SystemdNotifier>();
        services.AddSingleton<IHostLifetime, SystemdLifetime>();
        if (Watchdog.Interval(Environment.GetEnvironmentVariable) is not { } interval) return;

        services.AddHostedService(provider => new Watchdog(
            interval,
            provider.GetRequiredService<EdgeServer>(),
            provider.GetRequiredService<ISystemdNotifier>(),
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<Watchdog>>()));
    }

    private static void AddEngines(IServiceCollection services, EngineRoom engines, string data)
    {
        services.AddSingleton<IContainerEngine>(engines.Engine);
        services.AddSingleton(engines.Database);
        services.AddSingleton(engines.Keys);
        services.AddSingleton(engines.Pipelines);
        services.AddSingleton<IJournal, SqliteJournal>();
        services.AddSingleton<SecretStore>();
        services.AddSingleton(provider => new SecretFiles(data, provider.GetRequiredService<KeyRing>()));
    }

    private static DeploymentOptions Translate(AgentOptions options) => new()
    {
        DiskFloorRatio = options.Preflight.DiskFloor.Ratio,
        DiskFloorBytes = options.Preflight.DiskFloor.Bytes,
        KeepReleases = options.Retention.Releases,
        KeepDeployments = options.Retention.Deployments,
        AllowedImages = options.Preflight.AllowedImages,
        FreezeWindows = [.. options.Freeze.Select(window => new FreezeWindow(window.Days, window.From, window.To, window.Zone))],
    };

    private static void AddAccess(IServiceCollection services, LimitOptions limits)
    {
        services.AddSingleton<TokenStore>();
        services.AddSingleton<AuditLog>();
        services.AddSingleton<DeliveryLog>();
        services.AddSingleton<WebhookSettingsStore>();
        services.AddSingleton<BrowserSessions>();
        services.AddSingleton<Authenticator>();
        services.AddSingleton(provider => new FailedLogins(limits.FailedLogins, provider.GetRequiredService<TimeProvider>()));
    }

    private static void AddBackground(IServiceCollection services, AgentOptions options, EngineRoom engines)
    {
        services.AddSingleton<HttpClient>();
        services.AddHostedService<JournalCopies>();
        services.AddSingleton<NewsFeed>();
        services.AddHostedService(provider => new NotificationService(
            NotificationChannels.Create(options.Notify, provider.GetRequiredService<HttpClient>(), engines.Pipelines, provider.GetRequiredService<TimeProvider>()),
            provider.GetRequiredService<NewsFeed>(),
            provider.GetRequiredService<ILogger<NotificationService>>()));
        services.AddQuartz(quartz =>
        {
            Timetable.Plan(quartz);
            Timetable.PlanBackups(quartz);
            EdgeServices.Plan(quartz, options.Edge);
        });
        services.AddQuartzHostedService(quartz => quartz.WaitForJobsToComplete = true);
        services.AddSingleton(options);
        services.AddSingleton<StartStacks>();
        services.AddHostedService<MemoryRest>();
    }

    private static void AddApi(IServiceCollection services, LimitOptions limits)
    {
        services.AddRouting();
        services.AddSingleton<AuditTrail>();
        services.AddSingleton<StackPauses>();
        services.AddSingleton<DeploymentDesk>();
        services.AddSingleton<BackupBooks>();
        services.AddSingleton<RestoreEndpoint>();
        services.AddSingleton<RecoverEndpoint>();
        services.AddSingleton<ExportEndpoint>();
        services.AddSingleton<WebhookDesk>();
        services.AddSingleton<WebhookReceiver>();
        services.AddSingleton<ContainerLogs>();
        services.AddSingleton<CertificateChecks>();
        services.AddSingleton<BackupChecks>();
        services.AddSingleton<FurtherChecks>();
        services.AddSingleton<Doctor>();
        services.AddSingleton(provider => new WebhookEndpoint(
            provider.GetRequiredService<WebhookReceiver>(),
            limits.WebhookBody,
            provider.GetRequiredService<ILogger<WebhookEndpoint>>()));
        services.ConfigureHttpJsonOptions(json =>
        {
            ApiRequests.Strict(json.SerializerOptions);
            json.SerializerOptions.TypeInfoResolverChain.Insert(0, ApiJson.Default);
        });
        services.AddApiDocument();
    }
}
