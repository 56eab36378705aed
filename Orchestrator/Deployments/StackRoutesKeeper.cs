using System.Collections.Concurrent;
using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using Orchestrator.Docker;
using Orchestrator.Journal;
using Orchestrator.Planning;
using Orchestrator.Stacks;
using Orchestrator.Traffic;

namespace Orchestrator.Deployments;

/// <summary>
/// Keeps the live upstreams true to the engine: a replica that dies leaves the rotation at once; one that comes back, maybe under another
/// address, gets requests again when it answers.
/// </summary>
public sealed partial class StackRoutesKeeper(
    IJournal journal, StackContainers containers, StackTraffic traffic, Gates gates, TimeProvider time, ILogger<StackRoutesKeeper> logger) : IAsyncDisposable
{
    private static readonly TimeSpan Retry = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan ComesBackWithin = TimeSpan.FromMinutes(5);

    private readonly CancellationTokenSource _stopping = new();
    private readonly ConcurrentDictionary<ContainerId, Task> _returning = [];
    private readonly ConcurrentDictionary<ContainerId, bool> _withheld = [];
    private readonly ConcurrentDictionary<Task, bool> _going = [];
    private Task _watch = Task.CompletedTask;

    /// <summary>What the engine tells of containers of ours, as it is heard; must not throw.</summary>
    public event Action<EngineEvent>? Happened;

    /// <summary>The engine is heard, from now on: what happened while it was not has to be looked for. Must not throw.</summary>
    public event Action? Listening;

    /// <summary>Lays the routes of a stack onto the containers of its live generations.</summary>
    public Task RestoreAsync(StackState state, CancellationToken cancellationToken) => RestoreAsync(state, null, cancellationToken);

    /// <param name="observed">Its containers; null: the engine is asked.</param>
    public Task RestoreAsync(StackState state, ImmutableArray<ObservedContainer>? observed, CancellationToken cancellationToken) =>
        RestoreAsync(state, observed, onlyQuarantined: false, cancellationToken);

    /// <summary>Of a release that the journal may not have.</summary>
    public Task RestoreAsync(StackState state, Release release, ImmutableArray<ObservedContainer> observed, CancellationToken cancellationToken) =>
        LayAsync(state, release, observed, onlyQuarantined: false, cancellationToken);

    /// <summary>Lays the routes of a quarantined stack after all; not while a deployment of it is under way, which lays them itself.</summary>
    /// <returns>False: they were not laid.</returns>
    public async Task<bool> TryRestoreAsync(string stack, CancellationToken cancellationToken)
    {
        if ((await journal.UnfinishedAsync(cancellationToken)).Any(deployment => deployment.Request.Stack == stack)) return false;
        return await journal.FindStackAsync(stack, cancellationToken) is { } state && await RestoreAsync(state, null, onlyQuarantined: true, cancellationToken);
    }

    private async Task<bool> RestoreAsync(StackState state, ImmutableArray<ObservedContainer>? observed, bool onlyQuarantined, CancellationToken cancellationToken)
    {
        if (state.CurrentRelease == 0 || await journal.FindReleaseAsync(state.Stack, state.CurrentRelease, cancellationToken) is not { } written) return false;

        var release = VolumeNames.Over(written, state.Volumes);
        return await LayAsync(state, release, observed ?? await containers.ListAsync(state.Stack, cancellationToken), onlyQuarantined, cancellationToken);
    }

    private async Task<bool> LayAsync(StackState state, Release release, ImmutableArray<ObservedContainer> observed, bool onlyQuarantined, CancellationToken cancellationToken)
    {
        var live = state.Live
            .Select(pair => (Spec: release.Stack.Find(pair.Key), Generation: pair.Value))
            .Where(item => item.Spec is not null)
            .ToImmutableDictionary(item => item.Spec?.Name ?? "", item => UpstreamFor(release, item.Spec, item.Generation, observed));
        if (!await traffic.RestoreAsync(release, live, state, onlyQuarantined, cancellationToken)) return false;

        LogRestored(state.Stack, release.Number, live.Count);
        return true;
    }

    /// <summary>Notes why a stack is not served, for whoever asks after it.</summary>
    public void Quarantine(string stack, string problem) => traffic.Quarantine(stack, problem);

    public void Watch() => _watch = Task.Run(() => WatchAsync(_stopping.Token));

    public async ValueTask DisposeAsync()
    {
        if (_stopping.IsCancellationRequested) return;
        await _stopping.CancelAsync();
        await Task.WhenAll([_watch, .. _returning.Values]);
        await Task.WhenAll(_going.Keys).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private Upstream UpstreamFor(Release release, ServiceSpec? spec, Generation generation, ImmutableArray<ObservedContainer> observed)
    {
        if (spec is null) throw new InvalidOperationException("A live service must be in its release.");
        var identity = new UpstreamIdentity(release.Stack.Name, spec.Name, generation.Colour.Word(), generation.Release);
        return traffic.UpstreamOf(release.Stack, spec, generation, observed.Where(seen => IsOf(identity, seen)));
    }

    private async Task WatchAsync(CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                await foreach (var happened in containers.Engine.EventsAsync(() => Listening?.Invoke(), cancellationToken)) Look(happened);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }
            catch (EngineException lost)
            {
                LogWatchLost(lost.Message);
            }

            await WaitAsync(Retry, cancellationToken);
        }
    }

    private void Look(EngineEvent happened)
    {
        Happened?.Invoke(happened);
        var stack = happened.Attributes.GetValueOrDefault(Labels.Stack, "");
        var service = happened.Attributes.GetValueOrDefault(Labels.Service, "");
        var gone = happened.Action is "die" or "destroy" or "pause";
        foreach (var side in traffic.Beside(stack))
        {
            if (gone && IsOf(side.Upstream.Identity, happened)) side.Upstream.SetAvailable(happened.Container.Value, false);
        }

        if (!traffic.LiveOf(stack).TryGetValue(service, out var upstream) || !IsOf(upstream.Identity, happened)) return;

        if (gone)
        {
            upstream.SetAvailable(happened.Container.Value, false);
            LogOut(stack, service, happened.Container, happened.Action);
        }
        else if (happened.Action is "start" or "unpause")
        {
            ComeBack(stack, service, happened.Container);
        }
    }

    /// <summary>Lets a container that runs have requests as soon as it answers, where it is now.</summary>
    public void ComeBack(string stack, string service, ContainerId id)
    {
        if (_stopping.IsCancellationRequested || _withheld.ContainsKey(id) || _returning.GetValueOrDefault(id) is { IsCompleted: false }) return;

        _returning[id] = Task.Run(() => ComeBackAsync(stack, service, id, _stopping.Token));
    }

    /// <summary>Lets a live replica have no new requests, because it is about to be stopped. <see cref="ComeBack"/> ends that, as does the next comparison if it was not.</summary>
    public void TakeOut(string stack, string service, ContainerId id) => traffic.LiveOf(stack).GetValueOrDefault(service)?.SetAvailable(id.Value, false);

    /// <summary>Keeps a container out of the rotation although it runs, until it is admitted: it has not proved itself yet.</summary>
    public void Withhold(ContainerId id) => _withheld[id] = true;

    /// <summary>Ends what <see cref="Withhold"/> began.</summary>
    public void Admit(ContainerId id) => _withheld.TryRemove(id, out _);

    /// <summary>Whether a container is a replica of that generation.</summary>
    public static bool IsOf(UpstreamIdentity identity, ObservedContainer seen) =>
        IsOf(identity, seen.Service, seen.Colour?.Word(), $"{seen.Release}", seen.IsOneShot);

    private static bool IsOf(UpstreamIdentity identity, EngineEvent happened) => IsOf(
        identity,
        happened.Attributes.GetValueOrDefault(Labels.Service),
        happened.Attributes.GetValueOrDefault(Labels.Colour),
        happened.Attributes.GetValueOrDefault(Labels.Release),
        happened.Attributes.GetValueOrDefault(Labels.Kind) is "migration" or "backup");

    private static bool IsOf(UpstreamIdentity identity, string? service, string? colour, string? release, bool oneShot) =>
        service == identity.Service && colour == identity.Colour && release == $"{identity.Release}" && !oneShot;

    /// <summary>Asks until it is well, then routes to it where it is now.</summary>
    private async Task ComeBackAsync(string stack, string service, ContainerId id, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        try
        {
            while (time.GetElapsedTime(started) < ComesBackWithin && !cancellationToken.IsCancellationRequested)
            {
                if (await IsWellAsync(stack, service, id, cancellationToken)) return;
                await WaitAsync(Retry, cancellationToken);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return;
        }
        catch (Exception problem) when (problem is EngineException or JournalException)
        {
            LogNotBack(problem, stack, service, id);
        }
        finally
        {
            _returning.TryRemove(id, out _);
        }
    }

    private async Task<bool> IsWellAsync(string stack, string service, ContainerId id, CancellationToken cancellationToken)
    {
        if (await containers.Engine.InspectAsync(id, cancellationToken) is not { State: ContainerState.Running } seen) return true;      // gone again: its next start is another event
        if (!traffic.LiveOf(stack).TryGetValue(service, out var upstream) || await ReleaseOfAsync(stack, upstream, cancellationToken) is not { } release) return true;
        if (release.Stack.Find(service) is not { } spec || !(await gates.AskAsync(release, spec, seen, cancellationToken)).Healthy) return false;

        if (StackTraffic.AddressOf(release.Stack, spec, seen) is { } address) await BringInAsync(stack, service, upstream, address, cancellationToken);
        return true;
    }

    private async Task BringInAsync(string stack, string service, Upstream upstream, ReplicaAddress address, CancellationToken cancellationToken)
    {
        if (upstream.Replicas.Contains(address))
        {
            upstream.SetAvailable(address.Key, true);
        }
        else
        {
            // New, or under another address: the same colour under a new upstream; what is under way on replicas that stay goes on. What is no more is left out.
            var present = (await containers.ListAsync(stack, cancellationToken)).Select(seen => seen.Id.Value).ToHashSet();
            var renewal = traffic.Renew(upstream.Identity, replicas => [.. replicas.Where(known => known.Key != address.Key && present.Contains(known.Key)), address]);
            LogIn(stack, service, new(address.Key));
            if (renewal is not null) LetGo(renewal, cancellationToken);
            return;
        }

        LogIn(stack, service, new(address.Key));
    }

    /// <summary>Beside all else: whoever comes back meanwhile is not to wait for what is under way on those that go.</summary>
    private void LetGo(Renewal renewal, CancellationToken cancellationToken)
    {
        var going = renewal.LetGoAsync(new(TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(60)), cancellationToken);
        _going[going] = true;
        _ = going.ContinueWith(gone => _going.TryRemove(gone, out _), CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
    }

    private Task<Release?> ReleaseOfAsync(string stack, Upstream upstream, CancellationToken cancellationToken) =>
        journal.FindReleaseAsync(stack, upstream.Identity.Release, cancellationToken);

    private async Task WaitAsync(TimeSpan delay, CancellationToken cancellationToken) =>
        await Task.Delay(delay, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);   // the loop looks at the token itself

    [LoggerMessage(EventId = 2511, Level = LogLevel.Information, Message = "Stack {Stack}: routes of release {Release} laid, {Services} services")]
    private partial void LogRestored(string stack, int release, int services);

    [LoggerMessage(EventId = 2512, Level = LogLevel.Warning, Message = "The engine's events are not heard for the moment: {Problem}")]
    private partial void LogWatchLost(string problem);

    [LoggerMessage(EventId = 2513, Level = LogLevel.Warning, Message = "Stack {Stack}: {Container} of {Service} is out of the rotation ({Action})")]
    private partial void LogOut(string stack, string service, ContainerId container, string action);

    [LoggerMessage(EventId = 2514, Level = LogLevel.Information, Message = "Stack {Stack}: {Container} of {Service} answers and is in the rotation")]
    private partial void LogIn(string stack, string service, ContainerId container);

    [LoggerMessage(EventId = 2515, Level = LogLevel.Error, Message = "Stack {Stack}: {Container} of {Service} could not be brought back into the rotation")]
    private partial void LogNotBack(Exception problem, string stack, string service, ContainerId container);
}
