using System.Runtime.InteropServices;
using Microsoft.AspNetCore.Connections;

namespace GardenApp.Hosting;

/// <summary>The web application itself.</summary>
internal static class ServeVerb
{
    internal static async Task<int> RunAsync(GardenSettings settings)
    {
        if (settings.Faults.ExitAtStart is { } code)
        {
            await Console.Error.WriteLineAsync($"GardenApp: exiting with code {code} instead of serving, because GARDEN_FAULT_EXIT_AT_START is set");
            return code;
        }
        if (settings.Faults.SlowStart > TimeSpan.Zero && !await WaitAsync(settings.Faults.SlowStart)) return 0;

        await using var application = GardenApplication.Build(settings);
        try
        {
            await application.RunAsync();
            return 0;
        }
        catch (IOException exception) when (exception.InnerException is AddressInUseException)
        {
            await Console.Error.WriteLineAsync($"GardenApp: {exception.Message}");
            return 1;
        }
    }

    // A slow start may be stopped like any other.
    private static async Task<bool> WaitAsync(TimeSpan time)
    {
        Console.WriteLine($"GARDEN_FAULT_SLOW_START_SECONDS is set: listening in {time.TotalSeconds:0.###} s");
        using var stop = new CancellationTokenSource();
        using var registration = PosixSignalRegistration.Create(PosixSignal.SIGTERM, signal =>
        {
            signal.Cancel = true;
            stop.Cancel();
        });
        await Task.Delay(time, TimeProvider.System, stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return !stop.IsCancellationRequested;
    }
}
