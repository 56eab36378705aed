using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using Orchestrator.Resilience;

namespace Orchestrator.Docker;

/// <summary>
/// The Docker engine, API 1.41 (20.10) and newer. Safe for use by many at once. Reads and verbs that may be said twice are repeated when the engine
/// does not answer; those that may not are left to the caller, to whom a repetition is safe because every verb finds its own work.
/// </summary>
public sealed partial class DockerEngine : IContainerEngine, IAsyncDisposable
{
    private readonly EngineConnection _connection;
    private readonly ContainerLifecycle _containers;
    private readonly ContainerOutput _output;
    private readonly ImageStore _images;
    private readonly ImageBuilder _builder;
    private readonly NetworksAndVolumes _networks;
    private readonly EventStream _events;
    private readonly ILogger<DockerEngine> _logger;

    public DockerEngine(DockerEngineOptions options, Pipelines pipelines, TimeProvider time, ILogger<DockerEngine> logger)
    {
        ArgumentNullException.ThrowIfNull(options);
        var credentials = new RegistryCredentials(options, new CredentialHelper(options.CredentialHelperTimeout, time));
        _logger = logger;
        _connection = new EngineConnection(options, pipelines, time);
        _containers = new ContainerLifecycle(_connection);
        _output = new ContainerOutput(_connection);
        _images = new ImageStore(_connection, credentials);
        _builder = new ImageBuilder(_connection, credentials);
        _networks = new NetworksAndVolumes(_connection);
        _events = new EventStream(_connection);
    }

    public async Task<EngineInfo> InfoAsync(CancellationToken cancellationToken)
    {
        var call = new EngineCall("ask what it is");
        var info = await _connection.CallAsync(call, (client, token) => client.System.GetSystemInfoAsync(token), cancellationToken);
        var version = await _connection.CallAsync(call, (client, token) => client.System.GetVersionAsync(token), cancellationToken);
        return new EngineInfo
        {
            Version = version.Version,
            ApiVersion = version.APIVersion,
            OperatingSystem = info.OperatingSystem,
            Architecture = info.Architecture,
            Cpus = (int)info.NCPU,
            Memory = info.MemTotal,
            RootDirectory = info.DockerRootDir,
            LiveRestore = info.LiveRestoreEnabled,
        };
    }

    public Task<ImmutableArray<ObservedContainer>> ListAsync(string? stack, CancellationToken cancellationToken) => _containers.ListAsync(stack, cancellationToken);

    public Task<ObservedContainer?> InspectAsync(ContainerId id, CancellationToken cancellationToken) => _containers.InspectAsync(id, cancellationToken);

    public async Task<ContainerId> CreateAsync(ContainerRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        var id = await _containers.CreateAsync(request, cancellationToken);
        LogCreated(request.Name, id, request.Image);
        return id;
    }

    public Task StartAsync(ContainerId id, CancellationToken cancellationToken) => _containers.StartAsync(id, cancellationToken);

    public Task StopAsync(ContainerId id, TimeSpan grace, CancellationToken cancellationToken) => _containers.StopAsync(id, grace, cancellationToken);

    public Task RestartAsync(ContainerId id, TimeSpan grace, CancellationToken cancellationToken) => _containers.RestartAsync(id, grace, cancellationToken);

    public async Task RemoveAsync(ContainerId id, TimeSpan grace, CancellationToken cancellationToken)
    {
        await _containers.RemoveAsync(id, grace, cancellationToken);
        LogRemoved(id);
    }

    public Task<long> WaitAsync(ContainerId id, CancellationToken cancellationToken) => _containers.WaitAsync(id, cancellationToken);

    public Task<long?> MemoryAsync(ContainerId id, CancellationToken cancellationToken) => _containers.MemoryAsync(id, cancellationToken);

    public Task<ImmutableArray<LogLine>> TailAsync(ContainerId id, int lines, CancellationToken cancellationToken) => _output.TailAsync(id, lines, cancellationToken);

    public IAsyncEnumerable<LogLine> FollowAsync(ContainerId id, int lines, CancellationToken cancellationToken) => _output.FollowAsync(id, lines, cancellationToken);

    public Task<ExecResult> ExecAsync(ContainerId id, ImmutableArray<string> command, Stream? output, CancellationToken cancellationToken) =>
        _output.ExecAsync(id, command, output, cancellationToken);

    public Task<ImageIdentity> PullAsync(string reference, string? platform, IProgress<string>? progress, CancellationToken cancellationToken) =>
        _images.PullAsync(reference, platform, progress, cancellationToken);

    public async Task<ImageIdentity> BuildAsync(BuildRequest request, IProgress<string>? progress, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        var built = await _builder.BuildAsync(request, progress, cancellationToken);
        return await _images.FindAsync(built, cancellationToken) is { } image
            // What was built here is named by its identifier: a digest that its content may have elsewhere is not where it came from.
            ? image with { Reference = request.Reference, Digest = null }
            : throw new EngineException(EngineFault.BuildFailed, $"Could not build {request.Reference}: the engine built it and does not have it", null);
    }

    public Task<ImageIdentity?> FindImageAsync(string reference, CancellationToken cancellationToken) => _images.FindAsync(reference, cancellationToken);

    public Task<bool> RemoveImageAsync(string reference, CancellationToken cancellationToken) => _images.RemoveAsync(reference, cancellationToken);

    public Task EnsureNetworkAsync(NetworkRequest request, CancellationToken cancellationToken) => _networks.EnsureNetworkAsync(request, cancellationToken);

    /// <summary>Removes our networks of that name; already gone, or somebody else's, is success. One that containers are on is a <see cref="EngineFault.Conflict"/>.</summary>
    public Task<bool> HasNetworkAsync(string name, CancellationToken cancellationToken) => _networks.HasNetworkAsync(name, cancellationToken);

    public Task<ImmutableArray<string>> ListNetworksAsync(string stack, CancellationToken cancellationToken) => _networks.ListNetworksAsync(stack, cancellationToken);

    public Task RemoveNetworkAsync(string name, CancellationToken cancellationToken) => _networks.RemoveNetworkAsync(name, cancellationToken);

    /// <summary>Already attached under other names is a <see cref="EngineFault.Conflict"/>: the engine cannot change the names of an attachment.</summary>
    public Task AttachAsync(ContainerId id, string network, ImmutableArray<string> aliases, CancellationToken cancellationToken) =>
        _containers.JoinAsync(id, new NetworkJoin(network, aliases), cancellationToken);

    public Task DetachAsync(ContainerId id, string network, CancellationToken cancellationToken) => _containers.LeaveAsync(id, network, cancellationToken);

    public Task<bool> RemoveVolumeAsync(string name, CancellationToken cancellationToken) => _networks.RemoveVolumeAsync(name, cancellationToken);

    public Task<ImmutableArray<string>> VolumesOfAsync(string stack, CancellationToken cancellationToken) => _networks.VolumesOfAsync(stack, cancellationToken);

    public Task<ImmutableArray<string>> NetworksOfAsync(string stack, CancellationToken cancellationToken) => _networks.NetworksOfAsync(stack, cancellationToken);

    public Task<string?> FindVolumeDirectoryAsync(string name, CancellationToken cancellationToken) => _networks.FindVolumeDirectoryAsync(name, cancellationToken);

    public Task EnsureVolumeAsync(VolumeRequest request, CancellationToken cancellationToken) => _networks.EnsureVolumeAsync(request, cancellationToken);

    public IAsyncEnumerable<EngineEvent> EventsAsync(Action? listening, CancellationToken cancellationToken) => _events.ReadAsync(listening, cancellationToken);

    public async ValueTask DisposeAsync()
    {
        _networks.Dispose();
        await _connection.DisposeAsync();
    }

    [LoggerMessage(EventId = 1100, Level = LogLevel.Debug, Message = "Container {Name} is {Container}, made from {Image}")]
    private partial void LogCreated(string name, ContainerId container, string image);

    [LoggerMessage(EventId = 1101, Level = LogLevel.Debug, Message = "Container {Container} is gone")]
    private partial void LogRemoved(ContainerId container);
}
