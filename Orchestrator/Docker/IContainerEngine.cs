using System.Collections.Immutable;

namespace Orchestrator.Docker;

/// <summary>
/// The container engine in the words of this project. Every verb may be said twice: what is already so is success.
/// Failures of the engine are <see cref="EngineException"/>s that say what was asked and what the engine answered.
/// </summary>
public interface IContainerEngine
{
    Task<EngineInfo> InfoAsync(CancellationToken cancellationToken);

    /// <summary>Containers of ours, running or not; of one stack, or of all when <paramref name="stack"/> is null.</summary>
    Task<ImmutableArray<ObservedContainer>> ListAsync(string? stack, CancellationToken cancellationToken);

    /// <returns>Null when there is no such container.</returns>
    Task<ObservedContainer?> InspectAsync(ContainerId id, CancellationToken cancellationToken);

    /// <summary>Creates a container, or finds the one of that name that has the same labels and configuration. Networks beyond the first are attached before it starts.</summary>
    Task<ContainerId> CreateAsync(ContainerRequest request, CancellationToken cancellationToken);

    Task StartAsync(ContainerId id, CancellationToken cancellationToken);

    /// <summary>Sends the container's stop signal, waits up to <paramref name="grace"/>, then kills. Already stopped or gone is success.</summary>
    Task StopAsync(ContainerId id, TimeSpan grace, CancellationToken cancellationToken);

    Task RestartAsync(ContainerId id, TimeSpan grace, CancellationToken cancellationToken);

    /// <summary>Stops and removes a container and its anonymous volumes. Already gone is success.</summary>
    Task RemoveAsync(ContainerId id, TimeSpan grace, CancellationToken cancellationToken);

    /// <returns>The exit code, when the container has stopped.</returns>
    Task<long> WaitAsync(ContainerId id, CancellationToken cancellationToken);

    /// <summary>The last <paramref name="lines"/> lines of both streams, oldest first.</summary>
    Task<ImmutableArray<LogLine>> TailAsync(ContainerId id, int lines, CancellationToken cancellationToken);

    /// <summary>The last <paramref name="lines"/> lines, then what follows, until the container stops.</summary>
    IAsyncEnumerable<LogLine> FollowAsync(ContainerId id, int lines, CancellationToken cancellationToken);

    /// <summary>Bytes of memory that a container's programs hold now, without what the kernel would give back at once (file pages that were not used lately).</summary>
    /// <returns>Null when it does not run.</returns>
    Task<long?> MemoryAsync(ContainerId id, CancellationToken cancellationToken);

    /// <param name="output">Where standard output goes as it comes; null: kept in the result, the first 64 KiB.</param>
    Task<ExecResult> ExecAsync(ContainerId id, ImmutableArray<string> command, Stream? output, CancellationToken cancellationToken);

    /// <summary>Fetches an image; returns what the tag means now.</summary>
    Task<ImageIdentity> PullAsync(string reference, string? platform, IProgress<string>? progress, CancellationToken cancellationToken);

    Task<ImageIdentity> BuildAsync(BuildRequest request, IProgress<string>? progress, CancellationToken cancellationToken);

    /// <returns>Null when the image is not on this host.</returns>
    Task<ImageIdentity?> FindImageAsync(string reference, CancellationToken cancellationToken);

    /// <summary>Removes an image; in use or already gone is not an error.</summary>
    /// <returns>True when it was removed.</returns>
    Task<bool> RemoveImageAsync(string reference, CancellationToken cancellationToken);

    /// <summary>Creates the network unless one of that name is there. For an external one: fails when it is not.</summary>
    Task EnsureNetworkAsync(NetworkRequest request, CancellationToken cancellationToken);

    /// <summary>Whether there is a network of that name, whoever made it.</summary>
    Task<bool> HasNetworkAsync(string name, CancellationToken cancellationToken);

    /// <summary>Names of the networks that were made for the stack, in their order.</summary>
    Task<ImmutableArray<string>> ListNetworksAsync(string stack, CancellationToken cancellationToken);

    Task RemoveNetworkAsync(string name, CancellationToken cancellationToken);

    /// <summary>Joins a running container to a network under these names. Already joined under them is success.</summary>
    Task AttachAsync(ContainerId id, string network, ImmutableArray<string> aliases, CancellationToken cancellationToken);

    /// <summary>Takes a container off a network. Not on it, or gone, is success.</summary>
    Task DetachAsync(ContainerId id, string network, CancellationToken cancellationToken);

    Task EnsureVolumeAsync(VolumeRequest request, CancellationToken cancellationToken);

    /// <summary>Removes a volume of ours. What has no label of ours stays; already gone is success.</summary>
    /// <returns>False when a container still uses it.</returns>
    Task<bool> RemoveVolumeAsync(string name, CancellationToken cancellationToken);

    /// <summary>Names of volumes of ours that belong to a stack.</summary>
    Task<ImmutableArray<string>> VolumesOfAsync(string stack, CancellationToken cancellationToken);

    /// <summary>Names of networks of ours that belong to a stack.</summary>
    Task<ImmutableArray<string>> NetworksOfAsync(string stack, CancellationToken cancellationToken);

    /// <summary>The directory of the engine's host that holds the volume's files; null: there is no such volume.</summary>
    Task<string?> FindVolumeDirectoryAsync(string name, CancellationToken cancellationToken);

    /// <summary>
    /// What happens to containers of ours, and which containers leave a network (<see cref="EngineEvent.OffNetwork"/>; also of others, since that is not told
    /// with labels). Ends when the connection to the engine does.
    /// </summary>
    /// <param name="listening">Called once it hears: what happened before has to be asked for. Null: nobody asks.</param>
    IAsyncEnumerable<EngineEvent> EventsAsync(Action? listening, CancellationToken cancellationToken);
}
