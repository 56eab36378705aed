using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

/// <summary>
/// Loaded into the published daemon by <c>DOTNET_STARTUP_HOOKS</c>: adds a service that crashes when a file appears. The name, and its being in no
/// namespace, are the runtime's.
/// </summary>
internal static class StartupHook
{
    public static void Initialize() => DiagnosticListener.AllListeners.Subscribe(new Listeners());

    private sealed class Listeners : IObserver<DiagnosticListener>, IObserver<KeyValuePair<string, object?>>
    {
        public void OnNext(DiagnosticListener value)
        {
            if (value.Name == "Microsoft.Extensions.Hosting") value.Subscribe(this);
        }

        public void OnNext(KeyValuePair<string, object?> value)
        {
            if (value is { Key: "HostBuilding", Value: IHostBuilder builder }) builder.ConfigureServices((_, services) => services.AddHostedService<CrashOnDemand>());
        }

        public void OnCompleted()
        {
        }

        public void OnError(Exception error)
        {
        }
    }

    private sealed class CrashOnDemand : BackgroundService
    {
        protected override async Task ExecuteAsync(CancellationToken stoppingToken)
        {
            var flag = Environment.GetEnvironmentVariable("BASMALIN_TEST_CRASH") ?? "";
            while (!File.Exists(flag)) await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, stoppingToken);
            throw new InvalidOperationException("asked to crash");
        }
    }
}
