using Docker.DotNet;
using Docker.DotNet.Models;

namespace Orchestrator.Docker;

/// <summary>The images of the host, and those that registries have.</summary>
internal sealed class ImageStore(EngineConnection engine, RegistryCredentials credentials)
{
    public async Task<ImageIdentity> PullAsync(string reference, string? platform, IProgress<string>? progress, CancellationToken cancellationToken)
    {
        var what = $"pull {reference}";
        if (ImageReference.TryParse(reference) is not { } parsed)
            throw new EngineException(EngineFault.BadRequest, $"Could not {what}: that is no image reference that a registry could know", null);

        var (auth, problem) = await credentials.FindAsync(parsed.Registry, cancellationToken);
        var digest = await engine.PullAsync(
            new EngineCall(what),
            (client, token) => PullOnceAsync(client, what, new Wanted(parsed, platform, auth, problem), progress, token),
            cancellationToken);
        // The name with the digest is what the tag meant; another pull may have moved the tag since.
        var pinned = digest is null ? reference : $"{parsed.Repository}@{digest}";
        return await FindAsync(pinned, cancellationToken) is { } found
            ? found with { Reference = reference }
            : throw new EngineException(EngineFault.ImageNotFound, $"Could not {what}: the engine pulled it and does not have it", null);
    }

    public async Task<ImageIdentity?> FindAsync(string reference, CancellationToken cancellationToken)
    {
        try
        {
            var seen = await engine.CallAsync(
                new EngineCall($"inspect image {reference}"), (client, token) => client.Images.InspectImageAsync(reference, token), cancellationToken);
            var digest = ImageReference.TryParse(reference) is { Digest: { } pinned, Repository: var repository } ? $"{repository}@{pinned}" : null;
            return Observation.Image(reference, seen, digest);
        }
        catch (EngineException missing) when (missing.Fault is EngineFault.ImageNotFound or EngineFault.NotFound)
        {
            return null;
        }
    }

    public async Task<bool> RemoveAsync(string reference, CancellationToken cancellationToken)
    {
        try
        {
            await engine.CallAsync(
                new EngineCall($"remove image {reference}") { Timeout = engine.Options.SlowCallTimeout },
                (client, token) => client.Images.DeleteImageAsync(reference, new ImageDeleteParameters(), token),
                cancellationToken);
            return true;
        }
        catch (EngineException stays) when (stays.Fault is EngineFault.ImageNotFound or EngineFault.NotFound or EngineFault.Conflict)
        {
            return false;
        }
    }

    private async Task<string?> PullOnceAsync(DockerClient client, string what, Wanted wanted, IProgress<string>? progress, CancellationToken cancellationToken)
    {
        using var silence = new CancellationTokenSource(engine.Options.PullSilence, engine.Time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(silence.Token, cancellationToken);
        var messages = new PullProgress(progress, engine.Time, () => silence.CancelAfter(engine.Options.PullSilence));
        string[] secrets = [wanted.Auth?.Password ?? "", wanted.Auth?.IdentityToken ?? "", wanted.Auth?.RegistryToken ?? ""];
        try
        {
            await client.Images.CreateImageAsync(
                new ImagesCreateParameters { FromImage = wanted.Reference.Repository, Tag = wanted.Reference.Version, Platform = wanted.Platform },
                wanted.Auth,
                messages,
                both.Token);
        }
        catch (DockerApiException refused) when ((int)refused.StatusCode is >= 400 and not 503)
        {
            throw Explain(EngineFaults.FromRegistry(what, EngineFaults.Answer(refused), secrets), wanted);
        }
        catch (Exception exception) when (silence.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new EngineException(EngineFault.RegistryUnreachable, $"Could not {what}: nothing was heard of it for {engine.Options.PullSilence.TotalMinutes:0.#} min", exception) { IsTransient = true };
        }

        return messages.Error is { } error ? throw Explain(EngineFaults.FromRegistry(what, error, secrets), wanted) : messages.Digest;
    }

    private static EngineException Explain(EngineException exception, Wanted wanted) => exception.Fault != EngineFault.RegistryDenied
        ? exception
        : new EngineException(
            exception.Fault,
            $"{exception.Message} ({wanted.Problem ?? (wanted.Auth is null ? $"no credentials for {wanted.Reference.Registry} were found; 'docker login' makes them" : $"as {wanted.Auth.Username ?? "the holder of a token"}")})",
            exception);

    private sealed record Wanted(ImageReference Reference, string? Platform, AuthConfig? Auth, string? Problem);
}
