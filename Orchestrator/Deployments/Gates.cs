using System.Collections.Immutable;
using Orchestrator.Docker;
using Orchestrator.Health;
using Orchestrator.Stacks;

namespace Orchestrator.Deployments;

/// <summary>Which question a service is asked, and of which of its containers.</summary>
public sealed class Gates(ProbeFactory probes, IContainerEngine engine, TimeProvider time)
{
    /// <summary>
    /// The declared gate; else HTTP when routed (any answer that is no redirect and no 5xx: an application may well refuse '/'),
    /// the engine's health check when there is one, and otherwise that it runs.
    /// </summary>
    public static GateSpec RuleOf(ServiceSpec spec, ImageIdentity? image) => spec.BasMalin switch
    {
        { Gate: { } declared } => declared,
        { Route: not null } => new() { Kind = GateKind.Http, Expect = [new(200, 299), new(400, 499)] },
        _ when HasHealthcheck(spec, image) => new() { Kind = GateKind.Docker },
        _ => new() { Kind = GateKind.Running },
    };

    public Task<GateResult> WaitAsync(Release release, ServiceSpec spec, ObservedContainer container, IProgress<ProbeResult>? progress, CancellationToken cancellationToken)
    {
        var image = release.Images.GetValueOrDefault(spec.Name);
        var rule = RuleOf(spec, image);
        var watch = new ExitWatch(engine, container.Id, container.RestartCount);
        return new HealthGate(time).WaitAsync(ProbeOf(release, spec, container, rule), watch.ObserveAsync, rule, progress, cancellationToken);
    }

    /// <summary>Asks once.</summary>
    public Task<ProbeResult> AskAsync(Release release, ServiceSpec spec, ObservedContainer container, CancellationToken cancellationToken) =>
        ProbeOf(release, spec, container, RuleOf(spec, release.Images.GetValueOrDefault(spec.Name))).ProbeAsync(cancellationToken);

    /// <summary>Asks a replica once, where the proxy sends its requests.</summary>
    public Task<ProbeResult> AskAsync(Release release, ServiceSpec spec, Traffic.ReplicaAddress replica, CancellationToken cancellationToken) =>
        ProbeOf(release, spec, new(replica.Key), replica.Host, RuleOf(spec, release.Images.GetValueOrDefault(spec.Name))).ProbeAsync(cancellationToken);

    private IHealthProbe ProbeOf(Release release, ServiceSpec spec, ObservedContainer container, GateSpec rule) =>
        ProbeOf(release, spec, container.Id, StackTraffic.AddressOf(release.Stack, spec, container)?.Host, rule);

    private IHealthProbe ProbeOf(Release release, ServiceSpec spec, ContainerId container, string? address, GateSpec rule)
    {
        var port = StackTraffic.PortOf(spec, release.Images.GetValueOrDefault(spec.Name));
        return probes.Create(rule, container, address, port, spec.BasMalin?.Route?.Hosts ?? ImmutableArray<string>.Empty);
    }

    private static bool HasHealthcheck(ServiceSpec spec, ImageIdentity? image) => spec.Container.Healthcheck switch
    {
        { Disabled: true } => false,
        { Test.IsEmpty: false } => true,
        _ => image?.HasHealthcheck == true,
    };
}
