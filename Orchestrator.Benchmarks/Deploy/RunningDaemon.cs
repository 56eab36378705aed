using System.Collections.Immutable;
using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Orchestrator.Agent.Hosting;
using Orchestrator.Benchmarks.Measuring;
using Orchestrator.Deployments;
using Orchestrator.Docker;
using Orchestrator.Journal;
using Orchestrator.Stacks;

namespace Orchestrator.Benchmarks.Deploy;

/// <summary>The daemon itself, whole, in this process: a journal of its own, an edge on a free port. Takes away all that it made when it is disposed.</summary>
internal sealed class RunningDaemon : IAsyncDisposable
{
    private readonly string _directory;
    private readonly Daemon _daemon;
    private readonly HashSet<string> _stacks = [];

    private RunningDaemon(string directory, Daemon daemon) => (_directory, _daemon) = (directory, daemon);

    public Uri Edge => new($"http://{_daemon.Edge[0]}");

    public IContainerEngine Engine => _daemon.Services.GetRequiredService<IContainerEngine>();

    public IJournal Journal => _daemon.Services.GetRequiredService<IJournal>();

    public static async Task<RunningDaemon> StartAsync(CancellationToken cancellationToken)
    {
        var directory = Directory.CreateTempSubdirectory("basmalin-bench-").FullName;
        var options = new AgentOptions
        {
            Data = Path.Combine(directory, "data"),
            Edge = new EdgeOptions { Http = [new ListenAddress(IPAddress.Loopback.ToString(), 0)] },
            Admin = new AdminOptions { Listen = null, Socket = Path.Combine(directory, "admin.sock") },
            Log = new LogOptions { Level = LogLevel.Error, Format = LogFormat.Text },
            Preflight = new PreflightOptions { DiskFloor = new DiskFloor(0, 1 << 20) },
        };
        return new RunningDaemon(directory, await Daemon.StartAsync(options, terminal: false, TimeProvider.System, cancellationToken));
    }

    public Task<Deployment> ApplyAsync(string compose, string directory, CancellationToken cancellationToken)
    {
        var result = ComposeReader.Read(new ComposeSource { FileName = "compose.yml", Content = compose, Directory = directory, Environment = ImmutableDictionary<string, string>.Empty });
        var stack = result.Stack ?? throw new InvalidOperationException(string.Join(Environment.NewLine, result.Findings));
        return RunAsync(new DeploymentRequest { Stack = stack.Name, Kind = DeploymentKind.Apply, File = stack }, cancellationToken);
    }

    /// <summary>Hands the request in and waits for its end.</summary>
    /// <exception cref="InvalidOperationException">It did not succeed; the message says why.</exception>
    public async Task<Deployment> RunAsync(DeploymentRequest request, CancellationToken cancellationToken)
    {
        _stacks.Add(request.Stack);
        var service = _daemon.Services.GetRequiredService<DeploymentService>();
        var admission = await service.SubmitAsync(request, idempotencyKey: null, cancellationToken);
        var deployment = admission.Deployment;
        await foreach (var happened in service.WatchAsync(deployment.Id, cancellationToken))
            deployment = happened.Deployment;

        return deployment.State == DeploymentState.Succeeded ? deployment : throw new InvalidOperationException($"The {request.Kind} of {request.Stack} ended as {deployment.State}: {deployment.Failure}");
    }

    public async ValueTask DisposeAsync()
    {
        await _daemon.DisposeAsync();
        foreach (var stack in _stacks)
        {
            await RemoveAsync(["ps", "-aq", "--filter", $"label={Labels.Stack}={stack}"], ["rm", "-fv"]);
            await RemoveAsync(["network", "ls", "-q", "--filter", $"label={Labels.Stack}={stack}"], ["network", "rm"]);
            await RemoveAsync(["volume", "ls", "-q", "--filter", $"label={Labels.Stack}={stack}"], ["volume", "rm", "-f"]);
        }

        Directory.Delete(_directory, recursive: true);
    }

    private static async Task RemoveAsync(string[] list, string[] remove)
    {
        var found = (await ExternalProgram.RunAsync("docker", list, CancellationToken.None)).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        if (found.Length > 0)
            await ExternalProgram.RunAsync("docker", [.. remove, .. found], CancellationToken.None);
    }
}
