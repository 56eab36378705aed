using GardenApp.Hosting;
using GardenApp.Migrations;
using GardenApp.Transfer;

namespace GardenApp;

/// <summary>The verbs that need settings.</summary>
internal static class Verbs
{
    internal static async Task<int> RunAsync(string[] arguments)
    {
        if (GardenSettings.FromEnvironment(Console.Error) is not { } settings) return Usage.ExitCode;
        return arguments switch
        {
            [] => await ServeVerb.RunAsync(settings),
            ["migrate"] => await MigrateVerb.RunAsync(settings, Console.Out, CancellationToken.None),
            ["export", .. var rest] when ExportArguments.Parse(rest) is { } export => await ExportVerb.RunAsync(settings, export, CancellationToken.None),
            ["import", .. var rest] when ImportArguments.Parse(rest) is { } import => await ImportVerb.RunAsync(settings, import, CancellationToken.None),
            _ => Usage.Print(Console.Error, Usage.ExitCode),
        };
    }
}
