using System.Net;
using System.Net.Sockets;
using Orchestrator.Agent.Api.Contracts;
using Orchestrator.Agent.Cli;
using Orchestrator.Benchmarks.Start;

namespace Orchestrator.Benchmarks.Chaos;

/// <summary>The daemon that is killed and started again, and what is asked of it: a question waits until somebody is there to answer.</summary>
internal sealed class ChaosDaemon(string program, DaemonPlace place, TimeProvider time) : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);
    private static readonly TimeSpan Beat = TimeSpan.FromMilliseconds(100);

    private readonly AgentClient _client = AgentClient.Create(null, null, place.Socket, namedSocket: true, TimeSpan.FromSeconds(10));
    private readonly SemaphoreSlim _turn = new(1);
    private DaemonProcess? _process;

    public Uri Edge { get; } = new($"http://127.0.0.1:{place.Edge}/");

    public string Log => place.Output ?? throw new InvalidOperationException("Its output goes nowhere.");

    public string Journal => Path.Combine(place.Directory, "data", "journal.db");

    public DaemonProcess Process => _process ?? throw new InvalidOperationException("The daemon was not started.");

    /// <summary>What has become of it.</summary>
    public string Fate => _process is null ? "is being started" : _process.HasExited ? $"has ended by itself with {_process.ExitCode}" : "runs";

    /// <summary>Until its edge listens.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        _process = await DaemonProcess.LaunchAsync(program, place, time, cancellationToken);
        var since = time.GetTimestamp();
        while (!await ListensAsync(cancellationToken))
        {
            if (_process.HasExited) throw new InvalidOperationException($"The daemon did not start:\n{LogTail.Of(Log)}");
            if (time.GetElapsedTime(since) > Patience) throw new TimeoutException($"The edge does not listen:\n{LogTail.Of(Log)}");
            await Task.Delay(TimeSpan.FromMilliseconds(5), time, cancellationToken);
        }
    }

    /// <summary>Ends it, and starts another one at once, as systemd does.</summary>
    /// <param name="hard">SIGKILL, or else SIGTERM.</param>
    public async Task RestartAsync(bool hard, Action ending, Action back, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            ending();
            var before = Process;
            var code = hard ? 0 : await before.StopAsync(cancellationToken);
            _process = null;
            await before.DisposeAsync();
            await StartAsync(cancellationToken);
            back();
            if (code != 0) throw new InvalidOperationException($"The daemon was told to end, and did so with {code}.");
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Asks again while nobody is there, or the engine does not answer it.</summary>
    public async Task<T> AskAsync<T>(Func<AgentClient, CancellationToken, Task<T>> question, CancellationToken cancellationToken)
    {
        var since = time.GetTimestamp();
        while (true)
        {
            try
            {
                return await question(_client, cancellationToken);
            }
            catch (CliFailure failure) when (failure.Problem is null or { Status: >= 500 } && time.GetElapsedTime(since) < Patience)
            {
                await Task.Delay(Beat, time, cancellationToken);
            }
            catch (IOException) when (time.GetElapsedTime(since) < Patience)
            {
                await Task.Delay(Beat, time, cancellationToken);       // it died over its answer
            }
        }
    }

    public Task<StackResponse> StatusAsync(string stack, CancellationToken cancellationToken) =>
        AskAsync((client, token) => client.GetAsync($"stacks/{stack}", ApiJson.Default.StackResponse, token), cancellationToken);

    public Task<DeploymentResponse> DeploymentAsync(long id, CancellationToken cancellationToken) =>
        AskAsync((client, token) => client.GetAsync($"deployments/{id}", ApiJson.Default.DeploymentResponse, token), cancellationToken);

    /// <summary>Asks for a deployment under a key of its own: however often it is asked, it is one.</summary>
    public Task<DeploymentResponse> SubmitAsync(string path, Func<HttpContent> content, CancellationToken cancellationToken)
    {
        var key = Guid.CreateVersion7().ToString();
        return AskAsync(
            (client, token) =>
            {
                var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = content() };
                request.Headers.Add("Idempotency-Key", key);
                return client.SendAsync(request, ApiJson.Default.DeploymentResponse, token);
            },
            cancellationToken);
    }

    public async Task<DeploymentResponse> EndedAsync(long id, CancellationToken cancellationToken)
    {
        while (true)
        {
            var deployment = await DeploymentAsync(id, cancellationToken);
            if (deployment.State is not ("queued" or "running")) return deployment;
            await Task.Delay(Beat, time, cancellationToken);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is { } process) await process.DisposeAsync();
        _client.Dispose();
        _turn.Dispose();
    }

    private async Task<bool> ListensAsync(CancellationToken cancellationToken)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(IPAddress.Loopback, place.Edge, cancellationToken);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
