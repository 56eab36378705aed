using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Text.Json;
using Docker.DotNet;
using Docker.DotNet.Models;

namespace Orchestrator.Docker;

/// <summary>Containers from creation to removal.</summary>
internal sealed class ContainerLifecycle(EngineConnection engine)
{
    private static readonly TimeSpan RemovalPoll = TimeSpan.FromMilliseconds(100);

    private DockerEngineOptions Options => engine.Options;

    public async Task<ImmutableArray<ObservedContainer>> ListAsync(string? stack, CancellationToken cancellationToken)
    {
        var label = stack is null ? Labels.Stack : $"{Labels.Stack}={stack}";
        var parameters = new ContainersListParameters { All = true, Filters = Filter("label", label) };
        var listed = await engine.CallAsync(
            new EngineCall(stack is null ? "list the containers" : $"list the containers of {stack}"),
            (client, token) => client.Containers.ListContainersAsync(parameters, token),
            cancellationToken);

        var seen = new ConcurrentBag<ObservedContainer>();
        await Parallel.ForEachAsync(
            listed,
            new ParallelOptions { MaxDegreeOfParallelism = Options.Parallelism, CancellationToken = cancellationToken },
            async (container, token) =>
            {
                // What vanished since the list was made is as good as never listed.
                if (await InspectAsync(new ContainerId(container.ID), token) is { } found) seen.Add(found);
            });
        return [.. seen.OrderBy(container => container.Name, StringComparer.Ordinal)];
    }

    public async Task<ObservedContainer?> InspectAsync(ContainerId id, CancellationToken cancellationToken) =>
        await LookAsync(id.Value, $"inspect container {id}", cancellationToken) is { } seen ? Observation.Of(seen) : null;

    public async Task<ContainerId> CreateAsync(ContainerRequest request, CancellationToken cancellationToken)
    {
        var what = $"create container {request.Name} from {request.Image}";
        var entrypoint = ContainerParameters.NeedsImageEntrypoint(request)
            ? await engine.CallAsync(
                new EngineCall(what), async (client, token) => (await client.Images.InspectImageAsync(request.Image, token)).Config?.Entrypoint, cancellationToken)
            : null;
        var parameters = ContainerParameters.From(request, entrypoint);
        if (Options.Agent is { } agent) parameters.Labels[Labels.Agent] = agent;
        var secrets = request.Settings.Environment.Values.Concat(request.Settings.Logging?.Options.Values ?? []).ToArray();
        ContainerId id;
        try
        {
            var created = await engine.CallAsync(
                new EngineCall(what) { Once = true, Timeout = Options.SlowCallTimeout, Secrets = secrets },
                (client, token) => client.Containers.CreateContainerAsync(parameters, token),
                cancellationToken);
            id = new ContainerId(created.ID);
        }
        catch (EngineException conflict) when (conflict.Fault == EngineFault.Conflict)
        {
            id = await OwnAsync(request.Name, parameters.Labels[Labels.Request], conflict, cancellationToken);
        }

        // After a replay the container may have been made and not yet joined: joining is said again, and is already so where it was.
        foreach (var join in request.Networks.Skip(1)) await JoinAsync(id, join, cancellationToken);
        return id;
    }

    public Task StartAsync(ContainerId id, CancellationToken cancellationToken) => engine.CallAsync(
        new EngineCall($"start container {id}") { Timeout = Options.SlowCallTimeout },
        (client, token) => client.Containers.StartContainerAsync(id.Value, new ContainerStartParameters(), token),
        cancellationToken);

    public async Task StopAsync(ContainerId id, TimeSpan grace, CancellationToken cancellationToken)
    {
        try
        {
            if (grace <= TimeSpan.Zero) await KillAsync(id, cancellationToken);
            else
            {
                await engine.CallAsync(
                    new EngineCall($"stop container {id}") { Timeout = grace + Options.StopMargin },
                    (client, token) => client.Containers.StopContainerAsync(id.Value, new ContainerStopParameters { WaitBeforeKillSeconds = Seconds(grace) }, token),
                    cancellationToken);
            }
        }
        catch (EngineException gone) when (gone.Fault == EngineFault.NotFound)
        {
            // Already so.
        }
    }

    public async Task RestartAsync(ContainerId id, TimeSpan grace, CancellationToken cancellationToken)
    {
        if (grace <= TimeSpan.Zero)
        {
            await KillAsync(id, cancellationToken);
            await StartAsync(id, cancellationToken);
            return;
        }

        await engine.CallAsync(
            new EngineCall($"restart container {id}") { Once = true, Timeout = grace + Options.StopMargin + Options.SlowCallTimeout },
            (client, token) => client.Containers.RestartContainerAsync(id.Value, new ContainerRestartParameters { WaitBeforeKillSeconds = Seconds(grace) }, token),
            cancellationToken);
    }

    public async Task RemoveAsync(ContainerId id, TimeSpan grace, CancellationToken cancellationToken)
    {
        await StopAsync(id, grace, cancellationToken);
        try
        {
            // Forced: a restart policy may have begun a start that the stop crossed.
            await engine.CallAsync(
                new EngineCall($"remove container {id}") { Timeout = Options.SlowCallTimeout },
                (client, token) => client.Containers.RemoveContainerAsync(id.Value, new ContainerRemoveParameters { RemoveVolumes = true, Force = true }, token),
                cancellationToken);
        }
        catch (EngineException gone) when (gone.Fault == EngineFault.NotFound)
        {
            // Already so.
        }
        catch (EngineException busy) when (busy.Fault == EngineFault.Conflict && busy.Message.Contains("already in progress", StringComparison.Ordinal))
        {
            await UntilGoneAsync(id, busy, cancellationToken);
        }
    }

    public async Task<long> WaitAsync(ContainerId id, CancellationToken cancellationToken)
    {
        var what = $"wait for container {id}";
        // The engine answers 0 at once for what never ran: a migration that was not started would look like one that succeeded.
        if (await LookAsync(id.Value, what, cancellationToken) is { State.Status: "created" })
            throw new EngineException(EngineFault.Conflict, $"Could not {what}: it was never started", null);

        var ended = await engine.CallAsync(
            new EngineCall(what) { Timeout = Timeout.InfiniteTimeSpan },
            (client, token) => client.Containers.WaitContainerAsync(id.Value, token),
            cancellationToken);
        return ended.Error is { Message.Length: > 0 } error
            ? throw new EngineException(EngineFault.Other, $"Could not {what}: {error.Message}", null)
            : ended.StatusCode;
    }

    public async Task<long?> MemoryAsync(ContainerId id, CancellationToken cancellationToken)
    {
        try
        {
            return await engine.CallAsync(new EngineCall($"measure container {id}"), (client, token) => MeasureAsync(client, id, token), cancellationToken);
        }
        catch (EngineException gone) when (gone.Fault == EngineFault.NotFound)
        {
            return null;
        }
    }

    public Task JoinAsync(ContainerId id, NetworkJoin join, CancellationToken cancellationToken) => engine.CallAsync(
        new EngineCall($"attach container {id} to network {join.Network}"),
        (client, token) => JoinOnceAsync(client, id, join, token),
        cancellationToken);

    public async Task LeaveAsync(ContainerId id, string network, CancellationToken cancellationToken)
    {
        var what = $"detach container {id} from network {network}";
        if (await LookAsync(id.Value, what, cancellationToken) is not { } seen || !IsOn(seen, network)) return;
        try
        {
            await engine.CallAsync(
                new EngineCall(what),
                (client, token) => client.Networks.DisconnectNetworkAsync(network, new NetworkDisconnectParameters { Container = id.Value }, token),
                cancellationToken);
        }
        catch (EngineException already) when (already.Fault == EngineFault.NotFound || already.Message.Contains("is not connected", StringComparison.Ordinal))
        {
            // Somebody else was faster, or a first attempt whose answer was lost.
        }
    }

    internal static Dictionary<string, IDictionary<string, bool>> Filter(string name, params ReadOnlySpan<string> values)
    {
        var accepted = new Dictionary<string, bool>(StringComparer.Ordinal);
        foreach (var value in values) accepted[value] = true;
        return new Dictionary<string, IDictionary<string, bool>>(StringComparer.Ordinal) { [name] = accepted };
    }

    private static async Task<long?> MeasureAsync(DockerClient client, ContainerId id, CancellationToken cancellationToken)
    {
#pragma warning disable CS0618 // Its successor pushes, and ends by cancellation only; this is one answer.
        await using var stream = await client.Containers.GetContainerStatsAsync(id.Value, new ContainerStatsParameters { Stream = false, OneShot = true }, cancellationToken);
#pragma warning restore CS0618
        using var json = await JsonDocument.ParseAsync(stream, default, cancellationToken);
        return Observation.Memory(json.RootElement);
    }

    private async Task<ContainerInspectResponse?> LookAsync(string nameOrId, string what, CancellationToken cancellationToken)
    {
        try
        {
            return await engine.CallAsync(new EngineCall(what), (client, token) => client.Containers.InspectContainerAsync(nameOrId, token), cancellationToken);
        }
        catch (EngineException gone) when (gone.Fault == EngineFault.NotFound)
        {
            return null;
        }
    }

    private async Task<ContainerId> OwnAsync(string name, string fingerprint, EngineException conflict, CancellationToken cancellationToken)
    {
        if (await LookAsync(name, $"inspect container {name}", cancellationToken) is not { } there || there.Name.TrimStart('/') != name) throw conflict;
        if (there.Config?.Labels?.TryGetValue(Labels.Request, out var made) == true && made == fingerprint) return new ContainerId(there.ID);
        throw new EngineException(
            EngineFault.Conflict,
            $"Could not create container {name}: {new ContainerId(there.ID)} has that name and was made from other settings ({Observation.State(there.State?.Status)}, image {there.Config?.Image})",
            conflict);
    }

    private async Task KillAsync(ContainerId id, CancellationToken cancellationToken)
    {
        try
        {
            await engine.CallAsync(
                new EngineCall($"kill container {id}"),
                (client, token) => client.Containers.KillContainerAsync(id.Value, new ContainerKillParameters { Signal = "SIGKILL" }, token),
                cancellationToken);
        }
        catch (EngineException stopped) when (stopped.Fault == EngineFault.Conflict)
        {
            return;
        }

        await engine.CallAsync(
            new EngineCall($"stop container {id}") { Timeout = Options.StopMargin },
            (client, token) => client.Containers.WaitContainerAsync(id.Value, token),
            cancellationToken);
    }

    private async Task UntilGoneAsync(ContainerId id, EngineException busy, CancellationToken cancellationToken)
    {
        var began = engine.Time.GetTimestamp();
        using var ticks = new PeriodicTimer(RemovalPoll, engine.Time);
        while (await LookAsync(id.Value, $"remove container {id}", cancellationToken) is not null)
        {
            if (engine.Time.GetElapsedTime(began) > Options.SlowCallTimeout) throw busy;
            await ticks.WaitForNextTickAsync(cancellationToken);
        }
    }

    private static async Task JoinOnceAsync(DockerClient client, ContainerId id, NetworkJoin join, CancellationToken cancellationToken)
    {
        if (await IsJoinedAsync(client, id, join, cancellationToken)) return;
        // The engine would take any name for a container that does not run yet, and fail its start.
        await client.Networks.InspectNetworkAsync(join.Network, cancellationToken);
        try
        {
            await client.Networks.ConnectNetworkAsync(
                join.Network, new NetworkConnectParameters { Container = id.Value, EndpointConfig = ContainerParameters.Endpoint(join) }, cancellationToken);
        }
        catch (DockerApiException exists) when (EngineFaults.Answer(exists).Contains("already exists in network", StringComparison.Ordinal))
        {
            if (!await IsJoinedAsync(client, id, join, cancellationToken)) throw;
        }
    }

    private static async Task<bool> IsJoinedAsync(DockerClient client, ContainerId id, NetworkJoin join, CancellationToken cancellationToken)
    {
        var seen = await client.Containers.InspectContainerAsync(id.Value, cancellationToken);
        if (!IsOn(seen, join.Network)) return false;
        // Older engines put the short identifier among the aliases by themselves.
        var there = (seen.NetworkSettings?.Networks[join.Network].Aliases ?? []).Where(alias => alias != id.Short).ToHashSet(StringComparer.Ordinal);
        if (there.SetEquals(join.Aliases.Where(alias => alias != id.Short))) return true;
        throw new EngineException(
            EngineFault.Conflict,
            $"Could not attach container {id} to network {join.Network} as [{string.Join(", ", join.Aliases)}]: it is there as [{string.Join(", ", there.Order(StringComparer.Ordinal))}], " +
            "and the engine cannot change the names of an attachment; detach it first",
            null);
    }

    private static bool IsOn(ContainerInspectResponse seen, string network) => seen.NetworkSettings?.Networks?.ContainsKey(network) == true;

    /// <summary>Up to whole seconds: less than asked for would be a broken promise to the container.</summary>
    private static uint Seconds(TimeSpan grace) => (uint)Math.Min(Math.Ceiling(grace.TotalSeconds), uint.MaxValue);
}
