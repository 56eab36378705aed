using System.Diagnostics;
using System.Globalization;
using Orchestrator.Benchmarks.Measuring;

namespace Orchestrator.Benchmarks.Chaos;

/// <summary>
/// A second Docker engine on this machine, to be killed and frozen at will: root, state, socket and bridge are its own, and it writes no rules of the
/// firewall, because those of the first engine are the same. It needs root, as every engine does.
/// </summary>
internal sealed class SpareEngine : IAsyncDisposable
{
    // A default bridge of its own, and no address pool: an engine that is told to have none takes away the first engine's, and so does one with a pool each time that
    // it is started again without live-restore. It takes its networks from the usual pools, where no route of this machine leads yet.
    private const string Bridge = "bmchaos0";
    private const string BridgeAddress = "10.230.0.1/24";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly string _directory;
    private readonly TimeProvider _time;
    private readonly SemaphoreSlim _turn = new(1);
    private Process? _process;

    private SpareEngine(string directory, TimeProvider time) => (_directory, _time) = (directory, time);

    public string Endpoint => $"unix://{Path.Combine(_directory, "docker.sock")}";

    public string Log => Path.Combine(_directory, "dockerd.log");

    private string PidFile => Path.Combine(_directory, "pid");

    public static async Task<SpareEngine> StartAsync(string directory, TimeProvider time, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(directory);
        await ExternalProgram.RunAsync("ip", ["link", "add", Bridge, "type", "bridge"], cancellationToken);
        await ExternalProgram.RunAsync("ip", ["addr", "add", BridgeAddress, "dev", Bridge], cancellationToken);
        await ExternalProgram.RunAsync("ip", ["link", "set", Bridge, "up"], cancellationToken);
        var engine = new SpareEngine(directory, time);
        engine.Write(liveRestore: false);
        await engine.LaunchAsync(cancellationToken);
        return engine;
    }

    /// <returns>What <c>docker</c> says on this engine.</returns>
    /// <exception cref="InvalidOperationException">It refused, or the engine is not there.</exception>
    public Task<string> RunAsync(IEnumerable<string> arguments, CancellationToken cancellationToken) => ExternalProgram.RunAsync("docker", ["-H", Endpoint, .. arguments], cancellationToken);

    public async Task<string[]> ListAsync(IEnumerable<string> arguments, CancellationToken cancellationToken) => (await RunAsync(arguments, cancellationToken)).Split('\n', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>Ends the engine and starts it again; until it answers.</summary>
    /// <param name="hard">SIGKILL, or else SIGTERM.</param>
    /// <param name="liveRestore">Containers run on meanwhile.</param>
    public Task RestartAsync(bool hard, bool liveRestore, CancellationToken cancellationToken) => InTurnAsync(
        async () =>
        {
            Write(liveRestore);
            await SignalAsync("HUP", cancellationToken);
            var wanted = liveRestore ? "true" : "false";
            await UntilAsync("the engine has read its settings", async () => (await RunAsync(["info", "--format", "{{.LiveRestoreEnabled}}"], cancellationToken)).Trim() == wanted, cancellationToken);
            await SignalAsync(hard ? "KILL" : "TERM", cancellationToken);
            await LaunchAsync(cancellationToken);
        },
        cancellationToken);

    /// <summary>It answers nothing for so long; what runs on it runs on.</summary>
    public Task FreezeAsync(TimeSpan span, CancellationToken cancellationToken) => InTurnAsync(
        async () =>
        {
            await SignalAsync("STOP", cancellationToken);
            await Task.Delay(span, _time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await SignalAsync("CONT", CancellationToken.None);
        },
        cancellationToken);

    public async ValueTask DisposeAsync()
    {
        if (_process is null or { HasExited: true }) await LaunchAsync(CancellationToken.None);
        await SignalAsync("CONT", CancellationToken.None);
        var containers = await ListAsync(["ps", "-aq"], CancellationToken.None);
        if (containers.Length > 0) await RunAsync(["rm", "-fv", .. containers], CancellationToken.None);
        var networks = await ListAsync(["network", "ls", "-q", "--filter", "type=custom"], CancellationToken.None);
        if (networks.Length > 0) await RunAsync(["network", "rm", .. networks], CancellationToken.None);
        await SignalAsync("TERM", CancellationToken.None);
        if (_process is { } process)
        {
            await process.WaitForExitAsync();
            process.Dispose();
        }

        await ExternalProgram.RunAsync("ip", ["link", "del", Bridge], CancellationToken.None);
        foreach (var mount in (await File.ReadAllLinesAsync("/proc/self/mounts")).Select(line => line.Split(' ')[1]).Where(path => path.StartsWith(_directory, StringComparison.Ordinal)).Reverse())
            await ExternalProgram.RunAsync("umount", [mount], CancellationToken.None);
        Directory.Delete(_directory, recursive: true);
        _turn.Dispose();
    }

    private async Task InTurnAsync(Func<Task> act, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            await act();
        }
        finally
        {
            _turn.Release();
        }
    }

    private void Write(bool liveRestore) => File.WriteAllText(Path.Combine(_directory, "daemon.json"), $$"""{ "live-restore": {{(liveRestore ? "true" : "false")}} }""");

    private async Task LaunchAsync(CancellationToken cancellationToken)
    {
        if (_process is { } before)
        {
            await before.WaitForExitAsync(cancellationToken);
            before.Dispose();
            File.Delete(PidFile);
            await ContainerdGoneAsync(Path.Combine(_directory, "run", "containerd", "containerd.pid"), cancellationToken);
        }

        string[] arguments =
        [
            "--config-file", Path.Combine(_directory, "daemon.json"), "--data-root", Path.Combine(_directory, "data"), "--exec-root", Path.Combine(_directory, "run"), "--pidfile", PidFile,
            "--host", Endpoint, "--bridge", Bridge, "--iptables=false", "--ip6tables=false", "--ip-masq=false", "--userland-proxy=false",
        ];
        _process = ExternalProgram.Start("dockerd", arguments, Log);
        await UntilAsync("the engine answers", AnswersAsync, cancellationToken);

        async Task<bool> AnswersAsync()
        {
            if (_process.HasExited) throw new InvalidOperationException($"dockerd ended with {_process.ExitCode}:\n{LogTail.Of(Log)}");
            try
            {
                await RunAsync(["version"], cancellationToken);
                return true;
            }
            catch (InvalidOperationException)
            {
                return false;           // not yet
            }
        }
    }

    /// <summary>
    /// The kernel kills it with its parent, a moment later. An engine that starts in that moment takes it for alive and waits for it in vain; so it does with one that
    /// is dead and was not reaped.
    /// </summary>
    private async Task ContainerdGoneAsync(string pidFile, CancellationToken cancellationToken)
    {
        if (!File.Exists(pidFile)) return;

        var status = $"/proc/{(await File.ReadAllTextAsync(pidFile, cancellationToken)).Trim()}/status";
        await UntilAsync("containerd has ended with its engine", () => Task.FromResult(IsDead(status)), cancellationToken);
        File.Delete(pidFile);
    }

    private static bool IsDead(string status)
    {
        try
        {
            return File.ReadLines(status).Any(line => line.StartsWith("State:", StringComparison.Ordinal) && line.Contains('Z', StringComparison.Ordinal));
        }
        catch (IOException)
        {
            return true;                // the process is gone
        }
    }

    private Task SignalAsync(string signal, CancellationToken cancellationToken) =>
        ExternalProgram.RunAsync("kill", [$"-{signal}", (_process?.Id ?? throw new InvalidOperationException("The engine was not started.")).ToString(CultureInfo.InvariantCulture)], cancellationToken);

    private async Task UntilAsync(string what, Func<Task<bool>> so, CancellationToken cancellationToken)
    {
        var since = _time.GetTimestamp();
        while (!await so())
        {
            if (_time.GetElapsedTime(since) > Patience) throw new TimeoutException($"It did not come to pass that {what}:\n{LogTail.Of(Log)}");
            await Task.Delay(TimeSpan.FromMilliseconds(50), _time, cancellationToken);
        }
    }
}
