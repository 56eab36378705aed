using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Orchestrator.Benchmarks.Load;

namespace Orchestrator.Benchmarks.Deploy;

/// <summary>The open-loop load, in a process of its own so that it does not share the daemon's heap and threads.</summary>
internal sealed class BackgroundLoad : IAsyncDisposable
{
    private readonly Process _process;
    private readonly string _report;

    private BackgroundLoad(Process process, string report) => (_process, _report) = (process, report);

    public static BackgroundLoad Start(Uri address, string host, int rate)
    {
        var report = Path.GetTempFileName();
        var program = Environment.ProcessPath ?? throw new InvalidOperationException("This process has no path.");
        string[] arguments = ["load", "--url", address.ToString(), "--host", host, "--rate", rate.ToString(CultureInfo.InvariantCulture), "--seconds", "3600", "--report", report];
        var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })
            ?? throw new InvalidOperationException($"{program} cannot be started.");
        return new BackgroundLoad(process, report);
    }

    /// <summary>Lets the requests under way end.</summary>
    public async Task<LoadSummary> StopAsync(CancellationToken cancellationToken)
    {
        await Measuring.ExternalProgram.RunAsync("kill", ["-TERM", _process.Id.ToString(CultureInfo.InvariantCulture)], cancellationToken);
        await _process.WaitForExitAsync(cancellationToken);
        return JsonSerializer.Deserialize<LoadSummary>(await File.ReadAllTextAsync(_report, cancellationToken), JsonSerializerOptions.Web)
            ?? throw new InvalidOperationException("The load left no report.");
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
            _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
        File.Delete(_report);
    }
}
