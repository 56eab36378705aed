using System.Diagnostics;
using System.Globalization;
using Orchestrator.Tests.Engine;

namespace Orchestrator.Tests.Faults;

/// <summary>
/// A Docker engine of the test's own beside that of this host, which may be killed and started again: with its own data, containerd and bridge, and without
/// rules of the packet filter, which are the other one's. Everything of it is gone when it is disposed. Needs root.
/// </summary>
internal sealed class SecondEngine : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly string _directory;
    private readonly string _arguments;
    private readonly string _bridge;
    private readonly string _bridgeAddress;
    private Process? _process;

    private SecondEngine(string directory, bool liveRestore)
    {
        _directory = directory;
        var pool = Random.Shared.Next(0, 256);

        // A bridge of its own, and no address pool: an engine that is told to have no bridge takes away the first engine's (docker0), and so does one with a pool each time
        // that it is started again without live-restore. It takes its networks from the usual pools, where no route of this host leads yet.
        _bridge = $"bmtest{pool}";
        _bridgeAddress = $"10.218.{pool}.1/24";
        _arguments = $"--data-root {directory}/data --exec-root {directory}/run -p {directory}/pid -H unix://{Socket} --bridge {_bridge} --iptables=false --ip6tables=false --ip-masq=false "
            + $"--live-restore={(liveRestore ? "true" : "false")} --storage-driver overlay2";
    }

    public string Socket => Path.Combine(_directory, "docker.sock");

    /// <summary>What the engine's own client is told before its verb.</summary>
    public string Client => $"-H unix://{Socket} ";

    /// <param name="images">Images of this host that it has, too.</param>
    public static async Task<SecondEngine> StartAsync(bool liveRestore, params string[] images)
    {
        var engine = new SecondEngine(Directory.CreateTempSubdirectory("basmalin-engine-").FullName, liveRestore);
        await IpAsync($"link add {engine._bridge} type bridge");
        await IpAsync($"addr add {engine._bridgeAddress} dev {engine._bridge}");
        await IpAsync($"link set {engine._bridge} up");
        await engine.ReturnAsync();
        using var copy = Process.Start("/bin/sh", ["-c", $"docker save {string.Join(' ', images)} | docker {engine.Client} load >>{engine._directory}/log 2>&1"]);
        await copy.WaitForExitAsync();
        if (copy.ExitCode != 0) throw new InvalidOperationException($"The images could not be brought to the second engine:\n{engine.Tail()}");
        return engine;
    }

    /// <summary>SIGKILL, as of a machine that has no memory left.</summary>
    public async Task KillAsync()
    {
        if (_process is not { HasExited: false } running) return;

        running.Kill();
        await running.WaitForExitAsync();
        await ContainerdGoneAsync();
    }

    /// <summary>SIGTERM, as of an upgrade of its package: without live-restore it stops all containers first.</summary>
    public async Task StopAsync()
    {
        if (_process is not { HasExited: false } running) return;

        using (var asked = Process.Start("kill", $"-TERM {running.Id.ToString(CultureInfo.InvariantCulture)}")) await asked.WaitForExitAsync();
        await running.WaitForExitAsync();
    }

    /// <summary>Starts it (again), and waits until it answers.</summary>
    public async Task ReturnAsync()
    {
        _process?.Dispose();
        _process = Process.Start("/bin/sh", ["-c", $"exec dockerd {_arguments} >>{_directory}/log 2>&1"]);
        var since = TimeProvider.System.GetTimestamp();
        while ((await TestDaemon.DockerAsync($"{Client}version --format {{{{.Server.Version}}}}")).Trim().Length == 0)
        {
            if (_process.HasExited || TimeProvider.System.GetElapsedTime(since) > Patience) throw new InvalidOperationException($"The second engine does not answer:\n{Tail()}");
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, CancellationToken.None);
        }
    }

    public async ValueTask DisposeAsync()
    {
        // Containers that a killed engine has left are its own only while it runs.
        if (_process is null or { HasExited: true }) await ReturnAsync();
        var left = (await TestDaemon.DockerAsync($"{Client}ps -aq")).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        if (left.Length > 0) await TestDaemon.DockerAsync($"{Client}rm -fv {string.Join(' ', left)}");
        var networks = (await TestDaemon.DockerAsync($"{Client}network ls -q --filter type=custom")).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        if (networks.Length > 0) await TestDaemon.DockerAsync($"{Client}network rm {string.Join(' ', networks)}");
        await StopAsync();
        _process?.Dispose();
        await IpAsync($"link delete {_bridge}");
        await UnmountAsync();
        Directory.Delete(_directory, recursive: true);
    }

    private static async Task IpAsync(string arguments)
    {
        using var ip = Process.Start("ip", arguments);
        await ip.WaitForExitAsync();
        if (ip.ExitCode != 0) throw new InvalidOperationException($"'ip {arguments}' ended with {ip.ExitCode}.");
    }

    /// <summary>A killed engine leaves its data mounted upon itself.</summary>
    private async Task UnmountAsync()
    {
        foreach (var place in (await File.ReadAllLinesAsync("/proc/self/mounts")).Select(line => line.Split(' ')[1]).Where(place => place.StartsWith(_directory, StringComparison.Ordinal)).Reverse())
        {
            using var unmount = Process.Start("umount", $"-l {place}");
            await unmount.WaitForExitAsync();
        }
    }

    /// <summary>The kernel kills it with its parent, a moment later; an engine that starts in that moment takes it for alive and waits for it in vain.</summary>
    private async Task ContainerdGoneAsync()
    {
        var file = Path.Combine(_directory, "run/containerd/containerd.pid");
        if (!File.Exists(file)) return;

        var process = Path.Combine("/proc", (await File.ReadAllTextAsync(file)).Trim());
        var since = TimeProvider.System.GetTimestamp();
        while (Directory.Exists(process) && TimeProvider.System.GetElapsedTime(since) < Patience) await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, CancellationToken.None);
    }

    private string Tail() => string.Join('\n', File.ReadLines(Path.Combine(_directory, "log")).TakeLast(30));
}
