using System.IO.Pipelines;
using System.Text.Json;
using Docker.DotNet.Models;

namespace Orchestrator.Docker;

/// <summary>Builds images with the engine's classic builder, which every engine has.</summary>
internal sealed class ImageBuilder(EngineConnection engine, RegistryCredentials credentials)
{
    /// <returns>The engine's identifier of what was built.</returns>
    public async Task<string> BuildAsync(BuildRequest request, IProgress<string>? progress, CancellationToken cancellationToken)
    {
        var what = $"build {request.Reference} from {request.Spec.Context}";
        var context = Open(request, what);
        var output = new BuildOutput(progress);
        var secrets = request.Spec.Args.Values.ToArray();
        var (known, problem) = await credentials.AllAsync(cancellationToken);
        var headers = known.Count == 0 ? null : new Dictionary<string, string>(StringComparer.Ordinal)
        {
            // Said here and not left to the client: the engine reads the alphabet that is safe in addresses, with padding.
            ["X-Registry-Config"] = Convert.ToBase64String(JsonSerializer.SerializeToUtf8Bytes(known)).Replace('+', '-').Replace('/', '_'),
        };

        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        // A pipe holds 64 KiB at most: the reader's pace is the writer's.
        var pipe = new Pipe();
        var writing = WriteAsync(context, pipe.Writer, stop.Token);
        EngineException? failure = null;
        try
        {
            await engine.CallAsync(
                new EngineCall(what) { Once = true, Timeout = Timeout.InfiniteTimeSpan, Secrets = secrets },
                (client, token) => client.Images.BuildImageFromDockerfileAsync(Parameters(request, context), pipe.Reader.AsStream(), [], headers, output, token),
                cancellationToken);
        }
        catch (EngineException exception)
        {
            failure = exception;
        }
        finally
        {
            // When the engine went away there is nobody left to read what is written.
            await stop.CancelAsync();
            await pipe.Reader.CompleteAsync();
        }

        if (await writing is { } unreadable) throw Failed(what, unreadable.Message, output, problem, unreadable);
        if (failure is { Fault: EngineFault.BadRequest or EngineFault.Other or EngineFault.ImageNotFound or EngineFault.NotFound })
            throw Failed(what, failure.Message, output, problem, failure);
        if (failure is not null) throw failure;
        if (output.Error is { } error) throw Failed(what, error, output, problem, null);
        return output.ImageId ?? request.Reference;
    }

    private static BuildContext Open(BuildRequest request, string what)
    {
        try
        {
            return BuildContext.Open(request.Spec);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new EngineException(EngineFault.BuildFailed, $"Could not {what}: {exception.Message}", exception);
        }
    }

    /// <returns>Why the context could not be read; null when it could, or when nobody wanted it any more.</returns>
    private static async Task<Exception?> WriteAsync(BuildContext context, PipeWriter writer, CancellationToken cancellationToken)
    {
        // Off the caller's thread: reading directories does not wait for anything.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        Exception? unreadable = null;
        try
        {
            await context.WriteToAsync(writer.AsStream(leaveOpen: true), cancellationToken);
        }
        catch (OperationCanceledException)
        {
            // The build ended first, and says why.
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException)
        {
            unreadable = exception;
        }

        // With the error the engine's upload breaks off: half a context must not become an image.
        await writer.CompleteAsync(unreadable ?? (cancellationToken.IsCancellationRequested ? new OperationCanceledException(cancellationToken) : null));
        return unreadable;
    }

    private static EngineException Failed(string what, string why, BuildOutput output, string? problem, Exception? inner)
    {
        var hint = problem is null ? "" : $" ({problem})";
        var last = output.LastLines is { Length: > 0 } lines ? $"\n{string.Join('\n', lines)}" : "";
        return new EngineException(EngineFault.BuildFailed, $"Could not {what}: {why}{hint}{last}", inner);
    }

    private static ImageBuildParameters Parameters(BuildRequest request, BuildContext context) => new()
    {
        Version = "1",
        Tags = [request.Reference],
        Dockerfile = context.Dockerfile,
        Target = request.Spec.Target,
        BuildArgs = request.Spec.Args,
        Labels = request.Spec.Labels.SetItems(request.Labels),
        NetworkMode = request.Spec.Network,
        NoCache = request.Spec.NoCache,
        Pull = request.Spec.PullBases ? "1" : null,
        Platform = request.Platform,
        Remove = true,
        ForceRemove = true,
    };
}
