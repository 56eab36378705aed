using System.Collections.Immutable;
using Orchestrator.Planning;
using Orchestrator.Stacks;
using Orchestrator.Traffic;

namespace Orchestrator.Deployments;

/// <summary>
/// A deployment while it runs: its journaled content, and what can be read again from the journal and the engine after a restart.
/// Steps hand results on only through it.
/// </summary>
public sealed class DeploymentWork(Deployment deployment, StackState state, Release? current)
{
    /// <summary>What the journal knows; a step that changes it is journaled with its end.</summary>
    public Deployment Deployment { get; set; } = deployment;

    public DeploymentRequest Request => Deployment.Request;

    public string StackName => Deployment.Request.Stack;

    /// <summary>What serves now; changed by the shift and the commit.</summary>
    public StackState State { get; set; } = state;

    /// <summary>The release that was current when the deployment began.</summary>
    public Release? Current { get; } = current;

    /// <summary>The release that is being brought: known from the plan on, numbered from the pull on.</summary>
    public Release? Target { get; set; }

    public Stack Wanted => Target?.Stack ?? throw new InvalidOperationException("The plan has not been made yet.");

    public Plan Plan => Deployment.Plan ?? throw new InvalidOperationException("The plan has not been made yet.");

    /// <summary>The volumes that the stack has once this deployment has moved the traffic.</summary>
    public ImmutableSortedDictionary<string, VolumeStandIn> Volumes => Target is { } target && !Request.Volumes.IsEmpty ? VolumeNames.With(State.Volumes, target.Stack, Request.Volumes) : State.Volumes;

    /// <summary>Data is exchanged: nobody may write meanwhile.</summary>
    public bool ExchangesData => !Request.Volumes.IsEmpty;

    /// <summary>Candidate upstreams by service, from the gate on.</summary>
    public ImmutableDictionary<string, Upstream> Candidates { get; set; } = ImmutableDictionary<string, Upstream>.Empty;

    /// <summary>What had the traffic before the shift, by service.</summary>
    public ImmutableDictionary<string, Upstream> Retired { get; set; } = ImmutableDictionary<string, Upstream>.Empty;

    /// <summary>What the edge sees since the shift; null before it.</summary>
    public BakeWatch? Watch { get; set; }

    /// <summary>What the edge saw of both colours while the candidate had a share of the requests.</summary>
    public RequestCount CanaryRequests { get; set; }

    /// <summary>True: nothing is left to do, the remaining steps are skipped.</summary>
    public bool Finished { get; set; }

    /// <summary>One line of what was done in the present step, for the journal.</summary>
    public string? Detail { get; set; }

    /// <summary>Set by a step that changed <see cref="State"/>: written in the same transaction as its row.</summary>
    public bool StateChanged { get; set; }

    /// <summary>Set by the commit.</summary>
    public bool CommitRelease { get; set; }

    /// <summary>Why what was done last could not be written down; null: it was.</summary>
    public string? Unwritten { get; set; }

    /// <summary>Tells whoever watches.</summary>
    public Action<string> Report { get; set; } = _ => { };

    /// <summary>Services whose new colour is brought up by this deployment, in dependency order.</summary>
    public IEnumerable<(ServiceAction Action, ServiceSpec Spec)> Coloured =>
        from action in Plan.Of(ServiceActionKind.Create, ServiceActionKind.Replace)
        where action.To is not null
        let spec = Wanted.Find(action.Service)
        where spec is not null
        select (action, spec);

    /// <summary>Services made or made anew in place, in dependency order.</summary>
    public IEnumerable<(ServiceAction Action, ServiceSpec Spec)> InPlace(bool afterShift) =>
        from action in Plan.Of(ServiceActionKind.Create, ServiceActionKind.Recreate)
        where action.To is null && action.AfterShift == afterShift
        let spec = Wanted.Find(action.Service)
        where spec is not null
        select (action, spec);

    public Generation CandidateOf(ServiceAction action) => new(action.To ?? Colour.Blue, TargetNumber(action));

    public string PinnedImage(ServiceSpec spec) => Target?.Images.GetValueOrDefault(spec.Name)?.Pinned ?? spec.Image;

    /// <summary>What was warm when it began: after the commit that is another generation.</summary>
    private int TargetNumber(ServiceAction action) =>
        Plan.WarmSwap && (Deployment.Before ?? State).Warm?.Services.GetValueOrDefault(action.Service) is { } warm ? warm.Release : Target?.Number ?? 0;
}
