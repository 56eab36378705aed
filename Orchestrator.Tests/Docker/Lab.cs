using System.Collections.Immutable;
using Microsoft.Extensions.Logging.Abstractions;
using Orchestrator.Docker;
using Orchestrator.Resilience;
using Orchestrator.Stacks;
using Prometheus;

namespace Orchestrator.Tests.Docker;

/// <summary>An engine client with a stack name that nobody else has; takes away all that has its label at the end.</summary>
internal sealed class Lab : IAsyncDisposable
{
    private readonly List<string> _networks = [];
    private readonly List<string> _volumes = [];

    public Lab(DockerEngineOptions? options = null, PipelineOptions? pipelines = null)
    {
        Registry = Metrics.NewCustomRegistry();
        Engine = new DockerEngine(
            options ?? new DockerEngineOptions { Endpoint = new Uri("unix:///var/run/docker.sock") },
            new Pipelines(
                pipelines ?? new PipelineOptions(), EngineFaults.Classify, TimeProvider.System, Metrics.WithCustomRegistry(Registry), NullLogger<Pipelines>.Instance),
            TimeProvider.System,
            NullLogger<DockerEngine>.Instance);
    }

    /// <summary>True where the engine is none: there is nothing to take away.</summary>
    public bool OwnsNothing { get; init; }

    public CollectorRegistry Registry { get; }

    public DockerEngine Engine { get; }

    public string Stack { get; } = $"t{Guid.NewGuid():n}"[..12];

    public ImmutableSortedDictionary<string, string> Labels => ImmutableSortedDictionary<string, string>.Empty.Add(Orchestrator.Docker.Labels.Stack, Stack);

    public ContainerRequest Request(string name, ContainerSettings? settings = null, params ReadOnlySpan<string> command) => new()
    {
        Name = $"{Stack}-{name}",
        Image = DockerSetUp.Image,
        // Nobody needs a busybox to end politely: it ignores SIGTERM as process 1.
        Settings = (settings ?? new ContainerSettings()) with { Command = command.IsEmpty ? settings?.Command : [.. command] },
        Labels = Labels.Add(Orchestrator.Docker.Labels.Service, name),
    };

    public async Task<ContainerId> RunAsync(ContainerRequest request)
    {
        var id = await Engine.CreateAsync(request, CancellationToken.None);
        await Engine.StartAsync(id, CancellationToken.None);
        return id;
    }

    public Task<ContainerId> RunAsync(string name, params ReadOnlySpan<string> command) => RunAsync(Request(name, null, command));

    public async Task<string> NetworkAsync(string key)
    {
        var name = $"{Stack}_{key}";
        _networks.Add(name);
        await Engine.EnsureNetworkAsync(new NetworkRequest(new NetworkSpec { Key = key, Name = name }, Labels), CancellationToken.None);
        return name;
    }

    public async Task<string> VolumeAsync(string key)
    {
        var name = $"{Stack}_{key}";
        _volumes.Add(name);
        await Engine.EnsureVolumeAsync(new VolumeRequest(new VolumeSpec { Key = key, Name = name }, Labels), CancellationToken.None);
        return name;
    }

    /// <summary>The engine's own view, by its own client.</summary>
    public static Task<string> InspectAsync(ContainerId id, string format) => Command.RunAsync("docker", "inspect", "--format", format, id.Value);

    public async Task UntilItSaysAsync(ContainerId id, string text)
    {
        await foreach (var line in Engine.FollowAsync(id, 100, CancellationToken.None))
        {
            if (line.Text == text) return;
        }

        Assert.Fail($"{id} ended without saying '{text}'");
    }

    public static async Task<EngineException> FailureAsync(Func<Task> act) => (await Assert.ThrowsAsync<EngineException>(() => act()))!;

    public async Task<double> MetricAsync(string name, params string[] labels)
    {
        using var text = new MemoryStream();
        await Registry.CollectAndExportAsTextAsync(text);
        var line = System.Text.Encoding.UTF8.GetString(text.ToArray()).Split('\n')
            .First(line => line.StartsWith(name + "{", StringComparison.Ordinal) && labels.All(label => line.Contains($"\"{label}\"", StringComparison.Ordinal)));
        return double.Parse(line.Split(' ')[^1], System.Globalization.CultureInfo.InvariantCulture);
    }

    public async ValueTask DisposeAsync()
    {
        if (!OwnsNothing) await TakeAwayAsync();
        await Engine.DisposeAsync();
    }

    private async Task TakeAwayAsync()
    {
        foreach (var container in await Engine.ListAsync(Stack, CancellationToken.None)) await Engine.RemoveAsync(container.Id, TimeSpan.Zero, CancellationToken.None);
        foreach (var network in _networks) await Engine.RemoveNetworkAsync(network, CancellationToken.None);
        foreach (var volume in _volumes) await Command.RunAsync("docker", "volume", "rm", "--force", volume);
    }
}
