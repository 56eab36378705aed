using System.Collections;

namespace GardenApp.Hosting;

/// <summary>The web application itself.</summary>
internal static class ServeVerb
{
    internal static async Task<int> RunAsync()
    {
        var reader = new SettingsReader(Environment.GetEnvironmentVariable);
        var settings = GardenSettings.Read(reader, Environment.GetEnvironmentVariables().Cast<DictionaryEntry>().Select(entry => (string)entry.Key));
        foreach (var problem in reader.Problems) await Console.Error.WriteLineAsync($"GardenApp: {problem}");
        if (reader.Problems.Count > 0) return Usage.ExitCode;

        if (settings.Faults.ExitAtStart is { } code)
        {
            await Console.Error.WriteLineAsync($"GardenApp: exiting with code {code} instead of serving, because GARDEN_FAULT_EXIT_AT_START is set");
            return code;
        }
        if (settings.Faults.SlowStart > TimeSpan.Zero)
        {
            Console.WriteLine($"GARDEN_FAULT_SLOW_START_SECONDS is set: listening in {settings.Faults.SlowStart.TotalSeconds:0.###} s");
            await SlowStartAsync(settings.Faults.SlowStart);
        }

        await using var application = GardenApplication.Build(settings);
        await application.RunAsync();
        return 0;
    }

    // A slow start may be interrupted like any other.
    private static async Task SlowStartAsync(TimeSpan time)
    {
        using var stop = new CancellationTokenSource();
        using var registration = System.Runtime.InteropServices.PosixSignalRegistration.Create(
            System.Runtime.InteropServices.PosixSignal.SIGTERM, _ => stop.Cancel());
        await Task.Delay(time, TimeProvider.System, stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }
}
