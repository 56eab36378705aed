using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Orchestrator.Tests.Engine;
using Orchestrator.Tests.GardenApp;

namespace Orchestrator.Tests.Systemd;

/// <summary>A machine with a systemd of its own, in a container on the host's network: what its daemon drives is this machine's engine.</summary>
internal sealed class SystemdMachine : IAsyncDisposable
{
    /// <summary>Where <see cref="Share"/> is in the machine.</summary>
    public const string Shared = "/programs";

    public const string Compose = $"{Shared}/compose.yml";

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    private readonly string _name = $"basmalin-systemd-{TestDaemon.NewName()}";
    private readonly TimeProvider _time = TimeProvider.System;

    private SystemdMachine(string share) => Share = share;

    /// <summary>A directory of the host that the machine sees.</summary>
    public string Share { get; }

    public int EdgePort { get; } = FreePort();

    public int AdminPort { get; } = FreePort();

    public int PublishedPort { get; } = FreePort();

    public Uri Edge => new($"http://127.0.0.1:{EdgePort}");

    public string Stack { get; } = TestDaemon.NewName();

    public string Host => $"{Stack}.example";

    public static async Task<SystemdMachine> StartAsync()
    {
        await DockerCli.RequireImageAsync("systemd:12");
        var machine = new SystemdMachine(Directory.CreateTempSubdirectory("basmalin-systemd-").FullName);
        try
        {
            System.IO.File.SetUnixFileMode(machine.Share, (UnixFileMode)Convert.ToInt32("755", 8));
            System.IO.File.Copy(PublishedProgram.Path, machine.File("basmalin"));
            await machine.BootAsync();
            return machine;
        }
        catch
        {
            await machine.DisposeAsync();
            throw;
        }
    }

    /// <summary>A file in <see cref="Share"/>.</summary>
    public string File(string name) => Path.Combine(Share, name);

    /// <summary>Installs the daemon with ports of its own, and a quick stop and watchdog.</summary>
    public async Task InstallAsync()
    {
        await System.IO.File.WriteAllTextAsync(File("agent.yml"), $$"""
            edge: { http: ["127.0.0.1:{{EdgePort}}"] }
            admin: { listen: "127.0.0.1:{{AdminPort}}" }
            preflight: { disk_floor: 1MiB }
            limits: { stop: 10s }
            """);
        await RunAsync($"mkdir -p /etc/basmalin && cp {Shared}/agent.yml /etc/basmalin/agent.yml && {Shared}/basmalin install");
        await RunAsync("mkdir -p /etc/systemd/system/basmalin.service.d && printf '[Service]\\nWatchdogSec=15s\\n' >/etc/systemd/system/basmalin.service.d/test.conf && systemctl daemon-reload && systemctl restart basmalin");
    }

    /// <summary>Deploys the application, which answers at <see cref="Host"/> and on a port of its own.</summary>
    public async Task ApplyAsync()
    {
        await System.IO.File.WriteAllTextAsync(File("compose.yml"), Garden.Light(Stack, "1.0.0", Host, $"ports: [\"127.0.0.1:{PublishedPort}:3000\"]"));
        await RunAsync($"basmalin apply {Compose}");
    }

    /// <returns>Standard output; what fails fails the test, with all that it said and the daemon's last lines.</returns>
    public async Task<string> RunAsync(string script)
    {
        var (exitCode, output, error) = await TryAsync(script);
        if (exitCode == 0) return output.Trim();

        var log = await TryAsync("journalctl -u basmalin -u basmalin.socket -o cat -n 40 --no-pager");
        throw new InvalidOperationException($"{script}\nexited with {exitCode}: {error}{output}\n{log.Output}");
    }

    public Task<(int ExitCode, string Output, string Error)> TryAsync(string script) => DockerCli.TryAsync("exec", _name, "sh", "-c", script);

    /// <summary>A property of the service, as systemd says it.</summary>
    public Task<string> ShowAsync(string property) => RunAsync($"systemctl show --property={property} --value basmalin.service");

    /// <summary>The main process in the machine.</summary>
    public Task<string> MainProcessAsync() => ShowAsync("MainPID");

    /// <summary>Waits until another process than this runs, and is ready.</summary>
    public async Task<string> OtherProcessAsync(string before)
    {
        using var limit = new CancellationTokenSource(Patience);
        while (true)
        {
            var now = (await TryAsync("systemctl show --property=MainPID --property=ActiveState --value basmalin.service")).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
            if (now is [var process, "active"] && process != before && process != "0") return process;
            await Task.Delay(TimeSpan.FromMilliseconds(100), _time, limit.Token);
        }
    }

    public async Task<JsonNode> VersionAsync() => JsonNode.Parse(await RunAsync("basmalin version --json"))!;

    /// <summary>Off and on again.</summary>
    public async Task RebootAsync()
    {
        await DockerCli.RunAsync("restart", "-t", "30", _name);
        await RunningAsync();
    }

    /// <summary>A request through the edge.</summary>
    public async Task<HttpStatusCode> GetAsync(int port)
    {
        using var client = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Get, $"http://127.0.0.1:{port}/version") { Headers = { Host = Host } };
        using var answer = await client.SendAsync(request);
        return answer.StatusCode;
    }

    public async ValueTask DisposeAsync()
    {
        await DockerCli.TryAsync("rm", "-f", "-v", _name);
        await TestDaemon.RemoveStackAsync(Stack);

        Directory.Delete(Share, recursive: true);
    }

    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    // Not --privileged, which a machine that lacks a capability itself refuses.
    private async Task BootAsync()
    {
        await DockerCli.RunAsync(
            "run", "--detach", "--name", _name, "--network", "host", "--cap-add", "ALL", "--cap-drop", "SYS_RESOURCE", "--security-opt", "seccomp=unconfined", "--security-opt", "apparmor=unconfined",
            "--cgroupns", "private", "--tmpfs", "/run:exec", "--tmpfs", "/run/lock", "--tmpfs", "/tmp:exec", "--env", "container=docker",
            "--volume", "/var/run/docker.sock:/run/docker.sock", "--volume", $"{Share}:{Shared}", $"{Garden.Registry}/systemd:12");
        await RunningAsync();
    }

    private async Task RunningAsync()
    {
        using var limit = new CancellationTokenSource(Patience);
        while (true)
        {
            var (_, output, error) = await TryAsync("systemctl is-system-running");
            if (output.Trim() == "running") return;
            if (output.Trim() == "degraded") throw new InvalidOperationException(await RunAsync("systemctl --failed --no-pager"));
            if (limit.IsCancellationRequested) throw new InvalidOperationException($"systemd does not come up: {output} {error}");
            await Task.Delay(TimeSpan.FromMilliseconds(200), _time);
        }
    }
}
