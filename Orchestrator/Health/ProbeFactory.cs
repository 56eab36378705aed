using System.Collections.Immutable;
using Orchestrator.Docker;
using Orchestrator.Stacks;

namespace Orchestrator.Health;

/// <summary>From the rule of a service to the probe of one of its containers.</summary>
public sealed class ProbeFactory(IContainerEngine engine, TimeProvider time)
{
    /// <param name="address">Where the container is reached, null: nowhere; looked at for HTTP and TCP only.</param>
    /// <param name="routePort">Used where the gate names no port.</param>
    /// <param name="routeHosts">Hosts of the route: the first without a wildcard is the Host header where the gate names none.</param>
    public IHealthProbe Create(GateSpec gate, ContainerId id, string? address, int routePort, ImmutableArray<string> routeHosts) => gate.Kind switch
    {
        GateKind.Http or GateKind.Tcp when address is null => new NowhereProbe(id.ToString()),
        GateKind.Http => new HttpProbe(gate, address, Port(gate, routePort), gate.Host ?? FirstExact(routeHosts), time),
        GateKind.Tcp => new TcpProbe(address, Port(gate, routePort), gate.Timeout, time),
        GateKind.Exec => new ExecProbe(engine, id, gate.Exec, gate.Timeout, time),
        GateKind.Docker => new DockerHealthProbe(engine, id),
        _ => new RunningProbe(engine, id),
    };

    private static int Port(GateSpec gate, int routePort) => gate.Port == 0 ? routePort : gate.Port;

    private static string? FirstExact(ImmutableArray<string> hosts) => hosts.IsDefault ? null : hosts.FirstOrDefault(host => !host.Contains('*'));
}
