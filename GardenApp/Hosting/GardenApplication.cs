using GardenApp.Faults;
using GardenApp.Health;
using GardenApp.Playground;
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
        AddServices(builder.Services, settings);

        var application = builder.Build();
        application.UseMiddleware<EveryRequest>();
        application.UseExceptionHandler();
        application.UseStatusCodePages();
        application.UseMiddleware<FaultMiddleware>();
        application.UseWebSockets();
        application.MapHealth();
        application.MapPlayground();
        return application;
    }

    private static void AddServices(IServiceCollection services, GardenSettings settings)
    {
        services.Configure<HostOptions>(host => host.ShutdownTimeout = settings.ShutdownTimeout);
        services.AddProblemDetails();
        services.ConfigureHttpJsonOptions(json => json.SerializerOptions.TypeInfoResolverChain.Insert(0, GardenJson.Default));
        services.AddSingleton(TimeProvider.System);
        services.AddSingleton(settings);
        services.AddSingleton(settings.Faults);
        services.AddSingleton<FaultClock>();
        if (settings.Faults.LeakMegabytesPerSecond > 0) services.AddHostedService<MemoryLeak>();
        services.AddSingleton<RequestsInFlight>();
        services.Replace(ServiceDescriptor.Singleton<IHostLifetime, SignalLifetime>());
        services.AddSingleton<HealthChecks>();
    }
}
