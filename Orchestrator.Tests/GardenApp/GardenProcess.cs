using System.Diagnostics;

namespace Orchestrator.Tests.GardenApp;

/// <summary>GardenApp as a process of its own, for what only a process can show: signals, exit codes, standard output.</summary>
internal sealed class GardenProcess : IDisposable
{
    private readonly Process _process;
    private readonly Task<string> _output;
    private readonly Task<string> _error;

    private GardenProcess(Process process, int port)
    {
        _process = process;
        _output = process.StandardOutput.ReadToEndAsync();
        _error = process.StandardError.ReadToEndAsync();
        Client = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}"), Timeout = TimeSpan.FromSeconds(30) };
    }

    internal HttpClient Client { get; }

    internal static GardenProcess Start(string[] arguments, params (string Name, string Value)[] environment)
    {
        var port = Backing.FreePort();
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "GardenApp.dll"), .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["PORT"] = port.ToString(System.Globalization.CultureInfo.InvariantCulture);
        foreach (var (name, value) in environment) start.Environment[name] = value;
        return new GardenProcess(Process.Start(start) ?? throw new InvalidOperationException("GardenApp did not start"), port);
    }

    internal static async Task<GardenProcess> ServeAsync(params (string Name, string Value)[] environment)
    {
        var garden = Start([], environment);
        await Eventually.TrueAsync(async () =>
        {
            try
            {
                using var up = await garden.Client.GetAsync("/up");
                return up.IsSuccessStatusCode;
            }
            catch (HttpRequestException)
            {
                return false;
            }
        }, "GardenApp listens");
        return garden;
    }

    internal void Terminate()
    {
        using var kill = Process.Start("kill", ["-TERM", _process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
        Assert.That(kill.ExitCode, Is.Zero);
    }

    internal bool HasExited => _process.HasExited;

    /// <summary>Waits for the end.</summary>
    internal async Task<(int ExitCode, string Output, string Error)> EndAsync()
    {
        await _process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(60));
        return (_process.ExitCode, await _output, await _error);
    }

    public void Dispose()
    {
        Client.Dispose();
        if (!_process.HasExited) _process.Kill();
        _process.Dispose();
    }
}
