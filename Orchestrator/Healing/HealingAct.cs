using System.Collections.Immutable;
using Orchestrator.Docker;

namespace Orchestrator.Healing;

/// <summary>One thing that is done to bring a stack back to its release. Each may be done twice: what is so already is success.</summary>
public abstract record HealingAct(ReplicaKey Key)
{
    /// <summary>One word, as it is logged and counted.</summary>
    public abstract string Kind { get; }

    /// <summary>It is asked for by the stack's file; nothing was wrong.</summary>
    public virtual bool IsRecycling => false;

    /// <summary>The networks of the stack are made where they are missing.</summary>
    public sealed record EnsureNetworks() : HealingAct(new ReplicaKey("", 0))
    {
        public override string Kind => "networks";
    }

    /// <summary>A running container joins the networks of its service again.</summary>
    public sealed record Rejoin(ReplicaKey Of, ObservedContainer Container, ImmutableArray<string> Networks) : HealingAct(Of)
    {
        public override string Kind => "rejoin";
    }

    /// <summary>A container that is not there is made from the release.</summary>
    public sealed record Create(ReplicaKey Of) : HealingAct(Of)
    {
        public override string Kind => "create";
    }

    /// <summary>A container that does not run is started.</summary>
    public sealed record Start(ReplicaKey Of, ObservedContainer Container) : HealingAct(Of)
    {
        public override string Kind => "start";
    }

    /// <summary>A container that runs is stopped and started again.</summary>
    /// <param name="Recycles">Its time had come; it was well.</param>
    public sealed record Restart(ReplicaKey Of, ObservedContainer Container, string Why, bool Recycles) : HealingAct(Of)
    {
        public override string Kind => Recycles ? "recycle" : "restart";

        public override bool IsRecycling => Recycles;
    }

    /// <summary>A new replica is brought up beside an old one and takes its place.</summary>
    public sealed record Replace(ReplicaKey Of, ObservedContainer Container, string Why, bool Recycles) : HealingAct(Of)
    {
        public override string Kind => Recycles ? "recycle" : "replace";

        public override bool IsRecycling => Recycles;
    }

    /// <summary>A replica that is one too many is let go.</summary>
    public sealed record Remove(ReplicaKey Of, ObservedContainer Container) : HealingAct(Of)
    {
        public override string Kind => "remove";
    }

    /// <summary>What belongs to nothing that serves is swept away.</summary>
    public sealed record Sweep() : HealingAct(new ReplicaKey("", 0))
    {
        public override string Kind => "sweep";
    }
}
