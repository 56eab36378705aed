using System.Collections.Immutable;
using Docker.DotNet;
using Docker.DotNet.Models;
using Orchestrator.Stacks;

namespace Orchestrator.Docker;

/// <summary>Networks and volumes: made once, found ever after.</summary>
internal sealed class NetworksAndVolumes(EngineConnection engine) : IDisposable
{
    /// <summary>Engine 20.10 lets two networks have one name. Creations of this process take turns.</summary>
    private readonly SemaphoreSlim _creating = new(1, 1);

    public async Task EnsureNetworkAsync(NetworkRequest request, CancellationToken cancellationToken)
    {
        var name = request.Spec.Name;
        var what = $"create network {name}";
        await _creating.WaitAsync(cancellationToken);
        try
        {
            if (await NetworksAsync(name, what, cancellationToken) is not []) return;
            if (request.Spec.External)
                throw new EngineException(EngineFault.NotFound, $"Could not find network {name}: it is declared external, so it must be there already; make it with 'docker network create {name}'", null);

            var created = await engine.CallAsync(
                new EngineCall(what) { Once = true, Timeout = engine.Options.SlowCallTimeout },
                (client, token) => client.Networks.CreateNetworkAsync(Parameters(request), token),
                cancellationToken);
            await YieldToTwinAsync(name, created.ID, cancellationToken);
        }
        catch (EngineException exists) when (exists.Fault == EngineFault.Conflict && exists.Message.Contains("already exists", StringComparison.Ordinal))
        {
            // Another process was faster.
        }
        finally
        {
            _creating.Release();
        }
    }

    public async Task<bool> HasNetworkAsync(string name, CancellationToken cancellationToken) =>
        await NetworksAsync(name, $"look at network {name}", cancellationToken) is not [];

    public async Task<ImmutableArray<string>> ListNetworksAsync(string stack, CancellationToken cancellationToken)
    {
        var found = await engine.CallAsync(
            new EngineCall($"list networks of {stack}"),
            (client, token) => client.Networks.ListNetworksAsync(
                new NetworksListParameters { Filters = new Dictionary<string, IDictionary<string, bool>> { ["label"] = new Dictionary<string, bool> { [$"{Labels.Stack}={stack}"] = true } } }, token),
            cancellationToken);
        return [.. found.Select(network => network.Name).Distinct().Order(StringComparer.Ordinal)];
    }

    /// <summary>Removes the networks of that name that are ours. What has no label of ours stays.</summary>
    public async Task RemoveNetworkAsync(string name, CancellationToken cancellationToken)
    {
        var what = $"remove network {name}";
        foreach (var network in await NetworksAsync(name, what, cancellationToken))
        {
            if (network.Labels?.ContainsKey(Labels.Stack) == true) await DeleteAsync(network.ID, what, cancellationToken);
        }
    }

    public async Task EnsureVolumeAsync(VolumeRequest request, CancellationToken cancellationToken)
    {
        var name = request.Spec.Name;
        var what = $"create volume {name}";
        if (await engine.CallAsync(new EngineCall(what), (client, token) => HasVolumeAsync(client, name, token), cancellationToken)) return;
        if (request.Spec.External)
            throw new EngineException(EngineFault.NotFound, $"Could not find volume {name}: it is declared external, so it must be there already; make it with 'docker volume create {name}'", null);

        // Creating a volume that is there gives that volume: safe to say twice.
        await engine.CallAsync(
            new EngineCall(what) { Timeout = engine.Options.SlowCallTimeout, Secrets = [.. request.Spec.DriverOptions.Values] },
            (client, token) => client.Volumes.CreateAsync(
                new VolumesCreateParameters
                {
                    Name = name,
                    Driver = request.Spec.Driver ?? "local",
                    DriverOpts = request.Spec.DriverOptions,
                    Labels = request.Labels,
                },
                token),
            cancellationToken);
    }

    public async Task<bool> RemoveVolumeAsync(string name, CancellationToken cancellationToken)
    {
        var what = $"remove volume {name}";
        if (!await engine.CallAsync(new EngineCall(what), (client, token) => IsOursAsync(client, name, token), cancellationToken)) return true;

        try
        {
            await engine.CallAsync(new EngineCall(what) { Timeout = engine.Options.SlowCallTimeout }, (client, token) => client.Volumes.RemoveAsync(name, force: false, token), cancellationToken);
            return true;
        }
        catch (EngineException failure) when (failure.Fault is EngineFault.NotFound or EngineFault.Conflict)
        {
            return failure.Fault == EngineFault.NotFound;
        }
    }

    public async Task<ImmutableArray<string>> VolumesOfAsync(string stack, CancellationToken cancellationToken)
    {
        var listed = await engine.CallAsync(
            new EngineCall($"list the volumes of {stack}"),
            (client, token) => client.Volumes.ListAsync(new VolumesListParameters { Filters = ContainerLifecycle.Filter("label", $"{Labels.Stack}={stack}") }, token),
            cancellationToken);
        return [.. (listed.Volumes ?? []).Select(volume => volume.Name).Order(StringComparer.Ordinal)];
    }

    public async Task<ImmutableArray<string>> NetworksOfAsync(string stack, CancellationToken cancellationToken)
    {
        var listed = await engine.CallAsync(
            new EngineCall($"list the networks of {stack}"),
            (client, token) => client.Networks.ListNetworksAsync(new NetworksListParameters { Filters = ContainerLifecycle.Filter("label", $"{Labels.Stack}={stack}") }, token),
            cancellationToken);
        return [.. listed.Select(network => network.Name).Order(StringComparer.Ordinal)];
    }

    public Task<string?> FindVolumeDirectoryAsync(string name, CancellationToken cancellationToken) =>
        engine.CallAsync(new EngineCall($"look at volume {name}"), (client, token) => DirectoryAsync(client, name, token), cancellationToken);

    public void Dispose() => _creating.Dispose();

    private async Task<IReadOnlyList<NetworkResponse>> NetworksAsync(string name, string what, CancellationToken cancellationToken)
    {
        // The engine's filter takes parts of names.
        var listed = await engine.CallAsync(
            new EngineCall(what),
            (client, token) => client.Networks.ListNetworksAsync(new NetworksListParameters { Filters = ContainerLifecycle.Filter("name", name) }, token),
            cancellationToken);
        return [.. listed.Where(network => network.Name == name).OrderBy(network => network.Created).ThenBy(network => network.ID, StringComparer.Ordinal)];
    }

    /// <summary>When another process made a network of the same name in the same moment, the older one stays.</summary>
    private async Task YieldToTwinAsync(string name, string own, CancellationToken cancellationToken)
    {
        var what = $"create network {name}";
        if (await NetworksAsync(name, what, cancellationToken) is [var oldest, _, ..] && oldest.ID != own) await DeleteAsync(own, what, cancellationToken);
    }

    private async Task DeleteAsync(string id, string what, CancellationToken cancellationToken)
    {
        try
        {
            await engine.CallAsync(new EngineCall(what), (client, token) => client.Networks.DeleteNetworkAsync(id, token), cancellationToken);
        }
        catch (EngineException gone) when (gone.Fault == EngineFault.NotFound)
        {
            // Already so.
        }
    }

    private static NetworksCreateParameters Parameters(NetworkRequest request)
    {
        var spec = request.Spec;
        return new NetworksCreateParameters
        {
            Name = spec.Name,
            Driver = spec.Driver ?? "bridge",
            Internal = spec.Internal,
            Attachable = spec.Attachable,
            EnableIPv6 = spec.EnableIPv6,
            Options = spec.DriverOptions,
            Labels = request.Labels,
            IPAM = spec.Pools.IsEmpty ? null : new IPAM { Driver = "default", Config = [.. spec.Pools.Select(Pool)] },
        };
    }

    private static IPAMConfig Pool(IpamPool pool) => new() { Subnet = pool.Subnet ?? "", Gateway = pool.Gateway ?? "", IPRange = pool.IpRange ?? "" };

    private static async Task<bool> HasVolumeAsync(DockerClient client, string name, CancellationToken cancellationToken)
    {
        try
        {
            await client.Volumes.InspectAsync(name, cancellationToken);
            return true;
        }
        catch (DockerApiException missing) when (missing.StatusCode == System.Net.HttpStatusCode.NotFound)
        {
            return false;
        }
    }

    private static async Task<bool> IsOursAsync(DockerClient client, string name, CancellationToken cancellationToken)
    {
        try
        {
            return (await client.Volumes.InspectAsync(name, cancellationToken)).Labels?.ContainsKey(Labels.Stack) == true;
        }
        catch (DockerApiException missing) when (missing.StatusCode == System.Net.HttpStatusCode.NotFound)
        {
            return false;
        }
    }

    private static async Task<string?> DirectoryAsync(DockerClient client, string name, CancellationToken cancellationToken)
    {
        try
        {
            return (await client.Volumes.InspectAsync(name, cancellationToken)).Mountpoint;
        }
        catch (DockerApiException missing) when (missing.StatusCode == System.Net.HttpStatusCode.NotFound)
        {
            return null;
        }
    }
}
