using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Orchestrator.Docker;

namespace Orchestrator.Deployments;

/// <summary>
/// Takes a replica out of the rotation that was taken off the network on which requests reach it: its address is nobody's any more, or somebody else's. It
/// comes back when it has an address again.
/// </summary>
public sealed partial class NetworkWatch : IAsyncDisposable
{
    private const int MostWaiting = 1024;

    private readonly StackContainers _containers;
    private readonly StackTraffic _traffic;
    private readonly StackRoutesKeeper _keeper;
    private readonly ILogger<NetworkWatch> _logger;
    private readonly CancellationTokenSource _stopping = new();

    // What has no room is found by the comparison of routes with the engine.
    private readonly Channel<Suspect> _left = Channel.CreateBounded<Suspect>(new BoundedChannelOptions(MostWaiting) { FullMode = BoundedChannelFullMode.DropWrite });
    private Task _loop = Task.CompletedTask;

    public NetworkWatch(StackContainers containers, StackTraffic traffic, StackRoutesKeeper keeper, ILogger<NetworkWatch> logger)
    {
        (_containers, _traffic, _keeper, _logger) = (containers, traffic, keeper, logger);
        _keeper.Happened += OnHappened;
        _keeper.Listening += OnListening;
    }

    /// <summary>A container of ours runs and has left a network; must not throw.</summary>
    public event Action? Left;

    public void Start() => _loop = Task.Run(() => LoopAsync(_stopping.Token));

    public async ValueTask DisposeAsync()
    {
        if (_stopping.IsCancellationRequested) return;

        _keeper.Happened -= OnHappened;
        _keeper.Listening -= OnListening;
        await _stopping.CancelAsync();
        await _loop;
    }

    private void OnHappened(EngineEvent happened)
    {
        if (happened.Action == EngineEvent.OffNetwork) _left.Writer.TryWrite(new(happened.Container, true));
    }

    /// <summary>What was taken off its network while the engine was not heard was told to nobody: at a start, for instance, after the routes were laid.</summary>
    private void OnListening()
    {
        foreach (var replica in _traffic.Live.SelectMany(upstream => upstream.Replicas)) _left.Writer.TryWrite(new(new(replica.Key), false));
    }

    private async Task LoopAsync(CancellationToken cancellationToken)
    {
        try
        {
            await foreach (var suspect in _left.Reader.ReadAllAsync(cancellationToken)) await LookAsync(suspect, cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return;
        }
    }

    private async Task LookAsync(Suspect suspect, CancellationToken cancellationToken)
    {
        var container = suspect.Container;
        try
        {
            // One that ends leaves its networks too; its end is told by itself. And not every container is ours.
            if (await _containers.Engine.InspectAsync(container, cancellationToken) is not { State: ContainerState.Running } seen || !seen.Labels.ContainsKey(Labels.Stack)) return;

            var off = _traffic.Live.Where(upstream => upstream.Replicas.Any(replica => replica.Key == container.Value && !seen.Addresses.ContainsValue(replica.Host))).ToList();
            foreach (var upstream in off)
            {
                upstream.SetAvailable(container.Value, false);
                LogOut(upstream.Identity.Stack, upstream.Identity.Service, container);
            }

            if (suspect.Told || off.Count > 0) Left?.Invoke();
        }
        catch (EngineException unheard)
        {
            LogNotSeen(container, unheard.Message);
        }
    }

    /// <param name="Told">The engine said that it has left a network; else it is only looked at in case it has.</param>
    private readonly record struct Suspect(ContainerId Container, bool Told);

    [LoggerMessage(EventId = 2591, Level = LogLevel.Warning, Message = "Stack {Stack}: {Container} of {Service} is out of the rotation: it was taken off the network on which it is reached")]
    private partial void LogOut(string stack, string service, ContainerId container);

    [LoggerMessage(EventId = 2592, Level = LogLevel.Debug, Message = "{Container} has left a network, and could not be looked at: {Problem}")]
    private partial void LogNotSeen(ContainerId container, string problem);
}
