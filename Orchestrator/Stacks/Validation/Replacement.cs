using Orchestrator.Stacks.Parsing;

namespace Orchestrator.Stacks.Validation;

/// <summary>How a service is replaced: its role, whether two generations of it may run at once, and what follows from that.</summary>
internal sealed class Replacement(ServiceDraft service, Reading reading)
{
    public ServiceRole Role { get; } = RoleOf(service);

    public bool Coloured => Role == ServiceRole.Routed || (Role == ServiceRole.Worker && service.BasMalin is not null);

    private string Extension => service.Key("x-basmalin");

    private static ServiceRole RoleOf(ServiceDraft service)
    {
        if (service.BasMalin?.Route is not null) return ServiceRole.Routed;

        // A volume that is only read belongs to whoever writes it. A bind is a file of the host: its owner says so with 'stateful'.
        var owns = service.Mounts.Any(mount => mount.Value is { Kind: MountKind.Volume, ReadOnly: false });
        return owns || service.BasMalin is { Stateful: true } or { Backup: not null } ? ServiceRole.Stateful : ServiceRole.Worker;
    }

    public void Check()
    {
        CheckPorts();
        CheckContainerName();
        CheckAddresses();
        if (service.BasMalin is not { } extension) return;

        if (extension is { Route: not null, Stateful: true })
            reading.Error($"{Extension}.stateful", "a service with a route cannot be stateful", "remove one: a routed service runs twice while it is replaced, a stateful one never");
        if (extension.Stateful && service.Replicas > 1)
            reading.Error(service.Key("deploy.replicas"), $"a stateful service runs once, not {service.Replicas} times", "remove replicas, or 'stateful'");
        if (extension.Smoke.Length > 0 && extension.Route is null)
            reading.Error($"{Extension}.smoke", "smoke requests go through the proxy, and this service has no route", "add a route, or use the gate");
        if (extension.Gate is { Kind: GateKind.Docker } && service.Container.Healthcheck is { Disabled: true })
            reading.Error($"{Extension}.gate.docker", "the health check of this service is switched off", "give it a healthcheck, or choose http, tcp or exec");
        CheckMeaning();
    }

    private void CheckPorts()
    {
        var fixedPort = service.Ports.FirstOrDefault(port => port.Value.HostPort != 0);
        if (Role == ServiceRole.Routed || fixedPort.Path is null) return;

        if (Coloured)
            reading.Error(
                fixedPort.Path, $"two generations of '{service.Name}' run at once and cannot both have port {fixedPort.Value.HostPort} of the host",
                "with x-basmalin.route the proxy serves the port; with x-basmalin.stateful: true the service is replaced in place");
        else if (service.Replicas > 1)
            reading.Error(
                fixedPort.Path, $"{service.Replicas} replicas of '{service.Name}' cannot all have port {fixedPort.Value.HostPort} of the host",
                "with x-basmalin.route the proxy serves the port and balances over the replicas; or leave the host's port out");
    }

    private void CheckContainerName()
    {
        if (service.Container.ContainerName is not { } name || (!Coloured && service.Replicas <= 1)) return;

        var first = Coloured ? $"{name}-blue-1" : $"{name}-1";
        var why = Coloured ? "two generations of this service run beside each other while it is replaced" : $"{service.Replicas} replicas of this service run";
        reading.Note(service.Key("container_name"), $"{why}, so the name is a stem: containers are called {first}, …", $"peers reach the service as '{service.Name}' all the same");
    }

    private void CheckAddresses()
    {
        if (!Coloured && service.Replicas <= 1) return;

        foreach (var network in service.Networks.Where(network => (network.Value.Ipv4Address ?? network.Value.Ipv6Address) is not null))
        {
            reading.Error(network.Path, "several containers of this service run at once and cannot share one address", "remove it: peers reach the service by its name");
        }
    }

    private void CheckMeaning()
    {
        string[] idle = Role switch
        {
            ServiceRole.Stateful => ["shift", "drain", "warm", "bake"],
            ServiceRole.Worker => ["shift", "drain"],
            _ => [],
        };
        var why = Role == ServiceRole.Stateful ? "the service is stateful and replaced in place" : "the service has no route and so no traffic";
        foreach (var key in idle.Where(key => reading.Has($"{Extension}.{key}")))
        {
            reading.Note($"{Extension}.{key}", $"{key} has no effect: {why}");
        }
    }
}
