using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Orchestrator.Tests.Docker;

/// <summary>A registry of this test's own on a loopback port: Debian's <c>docker-registry</c>, with a user where one is asked for.</summary>
internal sealed class LocalRegistry : IAsyncDisposable
{
    private readonly DirectoryInfo _directory;
    private Process _process;

    private LocalRegistry(DirectoryInfo directory, Process process, int port) => (_directory, _process, Port) = (directory, process, port);

    public int Port { get; }

    public string Host => $"localhost:{Port}";

    public static async Task<LocalRegistry> StartAsync(string? htpasswd = null)
    {
        var directory = Directory.CreateTempSubdirectory("basmalin-registry-");
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        var port = ((IPEndPoint)probe.LocalEndpoint).Port;
        probe.Stop();
        var auth = "";
        if (htpasswd is not null)
        {
            await File.WriteAllTextAsync(Path.Combine(directory.FullName, "htpasswd"), htpasswd);
            auth = $"auth: {{ htpasswd: {{ realm: test, path: {directory.FullName}/htpasswd }} }}\n";
        }

        await File.WriteAllTextAsync(
            Path.Combine(directory.FullName, "config.yml"),
            $"version: 0.1\nlog: {{ level: error, accesslog: {{ disabled: true }} }}\nstorage: {{ filesystem: {{ rootdirectory: {directory.FullName}/data }} }}\nhttp: {{ addr: 'localhost:{port}' }}\n{auth}");
        var registry = new LocalRegistry(directory, Serve(directory), port);
        await registry.UntilItAnswersAsync();
        return registry;
    }

    /// <summary>Pushes an image of the engine under a name in this registry; returns that name.</summary>
    public async Task<string> PushAsync(string image, string name)
    {
        var reference = $"{Host}/{name}";
        await Command.RunAsync("docker", "tag", image, reference);
        await Command.RunAsync("docker", "push", reference);
        return reference;
    }

    public async Task StopAsync()
    {
        if (_process.HasExited) return;
        _process.Kill();
        await _process.WaitForExitAsync();
    }

    public async Task StartAgainAsync()
    {
        _process.Dispose();
        _process = Serve(_directory);
        await UntilItAnswersAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _process.Dispose();
        _directory.Delete(recursive: true);
    }

    private static Process Serve(DirectoryInfo directory) =>
        Process.Start(new ProcessStartInfo("docker-registry", ["serve", Path.Combine(directory.FullName, "config.yml")]))!;

    private async Task UntilItAnswersAsync()
    {
        using var client = new HttpClient();
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        using var ticks = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        while (await ticks.WaitForNextTickAsync(patience.Token))
        {
            if (_process.HasExited) Assert.Fail($"docker-registry exited with {_process.ExitCode}");
            try
            {
                using var answer = await client.GetAsync(new Uri($"http://{Host}/v2/"), patience.Token);
                return;
            }
            catch (HttpRequestException)
            {
                // Not yet.
            }
        }
    }
}
