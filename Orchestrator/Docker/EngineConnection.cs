using System.Text.Json;
using Docker.DotNet;
using Docker.DotNet.Unix;
using Orchestrator.Resilience;
using Polly;
using Polly.CircuitBreaker;
using Polly.Timeout;

namespace Orchestrator.Docker;

/// <summary>The way to the engine: finds out which version of its API both sides speak, sends each call through a pipeline, translates what comes back wrong.</summary>
internal sealed class EngineConnection(DockerEngineOptions options, Pipelines pipelines, TimeProvider time) : IAsyncDisposable
{
    /// <summary>The newest API that this client was written against. An engine that no longer speaks it gets its own oldest.</summary>
    private static readonly Version NewestKnown = new(1, 47);

    private readonly SemaphoreSlim _negotiating = new(1, 1);
    private volatile DockerClient? _client;

    public DockerEngineOptions Options => options;

    public TimeProvider Time => time;

    public Task<T> CallAsync<T>(EngineCall call, Func<DockerClient, CancellationToken, Task<T>> send, CancellationToken cancellationToken) =>
        RunAsync(call.Once ? pipelines.EngineOnce : pipelines.Engine, call, send, cancellationToken);

    public Task CallAsync(EngineCall call, Func<DockerClient, CancellationToken, Task> send, CancellationToken cancellationToken) =>
        CallAsync(
            call,
            async (client, token) =>
            {
                await send(client, token);
                return true;
            },
            cancellationToken);

    public Task<T> PullAsync<T>(EngineCall call, Func<DockerClient, CancellationToken, Task<T>> send, CancellationToken cancellationToken) =>
        RunAsync(pipelines.Registry, call, send, cancellationToken);

    public ValueTask DisposeAsync()
    {
        _client?.Dispose();
        _negotiating.Dispose();
        return ValueTask.CompletedTask;
    }

    private async Task<T> RunAsync<T>(
        ResiliencePipeline pipeline, EngineCall call, Func<DockerClient, CancellationToken, Task<T>> send, CancellationToken cancellationToken)
    {
        var context = ResilienceContextPool.Shared.Get(cancellationToken);
        if (call.Timeout is { } timeout) context.Properties.Set(Pipelines.TimeoutKey, timeout);
        try
        {
            return await pipeline.ExecuteAsync(
                static async (context, state) => await state.Connection.AttemptAsync(state.Call, state.Send, context.CancellationToken),
                context,
                (Connection: this, Call: call, Send: send));
        }
        catch (TimeoutRejectedException rejected)
        {
            throw new EngineException(EngineFault.TimedOut, $"Could not {call.What}: the container engine gave no answer within {rejected.Timeout.TotalSeconds:0.##} s", rejected);
        }
        catch (BrokenCircuitException broken)
        {
            throw new EngineException(
                EngineFault.Unreachable, $"Could not {call.What}: the container engine did not answer the last calls; it is asked again in a few seconds", broken);
        }
        finally
        {
            ResilienceContextPool.Shared.Return(context);
        }
    }

    private async Task<T> AttemptAsync<T>(EngineCall call, Func<DockerClient, CancellationToken, Task<T>> send, CancellationToken cancellationToken)
    {
        try
        {
            return await send(await ClientAsync(cancellationToken), cancellationToken);
        }
        catch (Exception exception) when (cancellationToken.IsCancellationRequested)
        {
            // The client wraps a cancelled read in an HttpRequestException; to the pipeline it must look like what it is.
            throw new OperationCanceledException($"Called off: {call.What}", exception, cancellationToken);
        }
        catch (DockerApiException exception) when (SpeaksAnotherVersion(exception))
        {
            // The engine was replaced under us. The next attempt asks it anew.
            _client = null;
            throw new EngineException(EngineFault.Unreachable, $"Could not {call.What}: {EngineFaults.Answer(exception)}", exception);
        }
        catch (Exception exception) when (exception is not EngineException)
        {
            throw EngineFaults.Translate(call.What, exception, call.Secrets);
        }
    }

    private async ValueTask<DockerClient> ClientAsync(CancellationToken cancellationToken)
    {
        if (_client is { } ready) return ready;
        await _negotiating.WaitAsync(cancellationToken);
        try
        {
            if (_client is { } meanwhile) return meanwhile;
            using var plain = Connect(null);
            var spoken = await plain.System.GetVersionAsync(cancellationToken);
            return _client = Connect(Agree(spoken.APIVersion, spoken.MinAPIVersion));
        }
        finally
        {
            _negotiating.Release();
        }
    }

    /// <summary>The newest version that both sides know; the engine's oldest when that is newer than all that we know.</summary>
    internal static Version Agree(string newest, string? oldest)
    {
        if (!Version.TryParse(newest, out var offered)) throw new JsonException($"'{newest}' is no version of an API");
        var least = Version.TryParse(oldest, out var said) ? said : offered;
        var agreed = offered < NewestKnown ? offered : NewestKnown;
        return agreed < least ? least : agreed;
    }

    private DockerClient Connect(Version? version)
    {
        // The pipelines keep the time, with a clock that tests can turn.
        var builder = new DockerClientBuilder().WithEndpoint(options.Endpoint).WithTimeout(System.Threading.Timeout.InfiniteTimeSpan).WithApiVersion(version);
        // HTTP_PROXY is meant for the network, not for a socket in the file system.
        return options.Endpoint.Scheme == "unix"
            ? builder.WithTransportOptions(new UnixSocketTransportOptions { ConfigureHandler = handler => handler.UseProxy = false }).Build()
            : builder.Build();
    }

    private static bool SpeaksAnotherVersion(DockerApiException exception) =>
        exception.StatusCode == System.Net.HttpStatusCode.BadRequest
        && exception.ResponseBody is { } body
        && body.Contains("client version", StringComparison.OrdinalIgnoreCase)
        && (body.Contains("too old", StringComparison.OrdinalIgnoreCase) || body.Contains("too new", StringComparison.OrdinalIgnoreCase));
}
