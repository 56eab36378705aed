using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Orchestrator.Benchmarks.Measuring;

namespace Orchestrator.Benchmarks.Start;

/// <summary>What a daemon of which nothing is asked takes all the same.</summary>
internal sealed record IdleCost(double CpuMilliseconds, double MemoryMegabytes);

/// <summary>Where a daemon that is started again finds what it had.</summary>
/// <param name="Stacks">Directory of Compose files that it applies when it starts; empty: none.</param>
internal sealed record DaemonPlace(string Directory, int Admin, int Edge, string Stacks)
{
    /// <summary>Further lines of its settings.</summary>
    public string Settings { get; init; } = "log: { level: error }";

    /// <summary>A file that everything it says is added to; null: nobody reads it.</summary>
    public string? Output { get; init; }

    public string Socket => Path.Combine(Directory, "admin.sock");

    public static DaemonPlace New(string directory, string stacks = "") => new(directory, FreePort(), FreePort(), stacks);

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}

/// <summary>The published daemon as a process of its own.</summary>
internal sealed class DaemonProcess : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly Process _process;
    private readonly TimeProvider _time;

    private DaemonProcess(Process process, TimeProvider time) => (_process, _time) = (process, time);

    /// <summary>From the start of the process to the first <c>200</c> on <c>/readyz</c>.</summary>
    public TimeSpan ReadyAfter { get; private init; }

    /// <summary>Started, and ready.</summary>
    public static async Task<DaemonProcess> StartAsync(string program, DaemonPlace place, TimeProvider time, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        var process = (await LaunchAsync(program, place, time, cancellationToken))._process;
        using var client = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{place.Admin}/") };
        while (!await IsReadyAsync(client, cancellationToken))
        {
            if (process.HasExited) throw new InvalidOperationException($"The daemon exited with {process.ExitCode}: {await process.StandardError.ReadToEndAsync(cancellationToken)}");
            if (time.GetElapsedTime(started) > Patience) throw new InvalidOperationException("The daemon is not ready after 30 s.");
            await Task.Delay(TimeSpan.FromMilliseconds(2), time, cancellationToken);
        }

        return new(process, time) { ReadyAfter = time.GetElapsedTime(started) };
    }

    /// <summary>Started; how far it comes is for the caller to see.</summary>
    public static async Task<DaemonProcess> LaunchAsync(string program, DaemonPlace place, TimeProvider time, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(place.Directory);
        var file = Path.Combine(place.Directory, "agent.yml");
        await File.WriteAllTextAsync(
            file,
            $$"""
            data: {{place.Directory}}/data
            edge: { http: ["127.0.0.1:{{place.Edge}}"] }
            admin: { listen: "127.0.0.1:{{place.Admin}}", socket: {{place.Socket}} }
            stacks: {{place.Stacks}}
            preflight: { disk_floor: 1MiB }
            {{place.Settings}}
            """,
            cancellationToken);
        string[] arguments = ["agent", "--config", file];
        if (place.Output is { } output) return new(ExternalProgram.Start(program, arguments, output), time);
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        return new(Process.Start(start) ?? throw new InvalidOperationException($"{program} cannot be started."), time);
    }

    /// <summary>It has ended by itself.</summary>
    public bool HasExited => _process.HasExited;

    /// <summary>Of one that has exited.</summary>
    public int ExitCode => _process.ExitCode;

    /// <summary>SIGTERM, and then its end.</summary>
    /// <returns>Its exit code.</returns>
    public async Task<int> StopAsync(CancellationToken cancellationToken)
    {
        if (!_process.HasExited) await ExternalProgram.RunAsync("kill", ["-TERM", _process.Id.ToString(CultureInfo.InvariantCulture)], cancellationToken);
        await _process.WaitForExitAsync(cancellationToken);
        return _process.ExitCode;
    }

    /// <summary>Now: resident memory in bytes, open files, threads.</summary>
    public (long Memory, int Files, int Threads) Holds() => ProcessTree.HoldsOf(_process);

    public async Task<IdleCost> IdleAsync(TimeSpan span, CancellationToken cancellationToken)
    {
        _process.Refresh();
        var before = _process.TotalProcessorTime;
        await Task.Delay(span, _time, cancellationToken);
        _process.Refresh();
        return new((_process.TotalProcessorTime - before).TotalMilliseconds, _process.WorkingSet64 / 1e6);
    }

    /// <summary>SIGKILL.</summary>
    public async ValueTask DisposeAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    private static async Task<bool> IsReadyAsync(HttpClient client, CancellationToken cancellationToken)
    {
        try
        {
            using var answer = await client.GetAsync("readyz", cancellationToken);
            return answer.StatusCode == HttpStatusCode.OK;
        }
        catch (HttpRequestException)
        {
            return false;           // not listening yet
        }
    }
}
