using GardenApp.Database;
using GardenApp.Faults;
using GardenApp.Gardens;
using GardenApp.Health;
using GardenApp.HotReads;
using GardenApp.Insights;
using GardenApp.Plants;
using GardenApp.Playground;
using GardenApp.Redis;
using GardenApp.Sensors;
using GardenApp.Sessions;
using GardenApp.Telemetry;
using GardenApp.Uploads;
using GardenApp.Validation;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace GardenApp.Hosting;

/// <summary>Puts the application together; tests start it the same way on a free port.</summary>
internal static class GardenApplication
{
    internal static WebApplication Build(GardenSettings settings)
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { ApplicationName = "GardenApp", ContentRootPath = AppContext.BaseDirectory });
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.ListenAnyIP(settings.Port);
        });
        builder.Services.AddGardenLogging(settings);
        AddHosting(builder.Services, settings);
        AddFeatures(builder.Services);

        var application = builder.Build();
        application.UseMiddleware<EveryRequest>();
        application.UseMiddleware<RequestDurations>();
        application.UseExceptionHandler();
        application.UseStatusCodePages();
        application.UseMiddleware<FaultMiddleware>();
        application.UseMiddleware<SessionMiddleware>();
        application.UseWebSockets();
        MapFeatures(application);
        return application;
    }

    private static void AddHosting(IServiceCollection services, GardenSettings settings)
    {
        services.Configure<HostOptions>(host => host.ShutdownTimeout = settings.ShutdownTimeout);
        services.Replace(ServiceDescriptor.Singleton<IHostLifetime, SignalLifetime>());
        services.AddProblemDetails();
        services.AddExceptionHandler<DatabaseExceptionHandler>();
        services.AddExceptionHandler<BadRequestHandler>();
        services.Configure<RouteHandlerOptions>(routes => routes.ThrowOnBadRequest = true);
        services.ConfigureHttpJsonOptions(json => json.SerializerOptions.TypeInfoResolverChain.Insert(0, GardenJson.Default));
        services.AddSingleton(TimeProvider.System);
        services.AddSingleton(settings);
        services.AddSingleton(settings.Faults);
        services.AddSingleton<FaultClock>();
        if (settings.Faults.LeakMegabytesPerSecond > 0) services.AddHostedService<MemoryLeak>();
        services.AddSingleton<RequestsInFlight>();
        services.AddHostedService<StartupNotes>();
    }

    private static void AddFeatures(IServiceCollection services)
    {
        services.AddSingleton<GardenMetrics>();
        services.AddSingleton<GardenDatabase>();
        services.AddSingleton<GardenRedis>();
        services.AddSingleton<ReadCache>();
        services.AddSingleton<GardenStore>();
        services.AddSingleton<PlantStore>();
        services.AddSingleton<SensorStore>();
        services.AddSingleton<SessionStore>();
        services.AddSingleton<ModelClient>();
        services.AddSingleton<SnapshotReader>();
        services.AddSingleton<Adviser>();
        services.AddSingleton<InsightStore>();
        services.AddSingleton<UploadFiles>();
        services.AddSingleton<UploadStore>();
        services.AddSingleton<UploadDesk>();
        services.AddSingleton<DatabaseCheck>();
        services.AddSingleton<RedisCheck>();
        services.AddSingleton<ExternalApisCheck>();
        services.AddSingleton<MachineChecks>();
        services.AddSingleton<Dependencies>();
        services.AddSingleton<HealthChecks>();
    }

    private static void MapFeatures(WebApplication application)
    {
        application.MapHealth();
        application.MapGardenMetrics();
        application.MapGardens();
        application.MapPlants();
        application.MapSensors();
        application.MapInsights();
        application.MapSessions();
        application.MapUploads();
        application.MapPlayground();
    }
}
