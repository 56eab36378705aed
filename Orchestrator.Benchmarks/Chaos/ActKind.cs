namespace Orchestrator.Benchmarks.Chaos;

/// <summary>What is done to stacks, daemon and engine. Up to <see cref="RemoveCandidate"/> a deployment, from there on a blow.</summary>
internal enum ActKind
{
    Deploy,
    DeployFailing,
    WarmRollback,
    ColdRollback,

    /// <summary>A deployment that is cancelled in its midst.</summary>
    Cancel,

    /// <summary>A deployment one of whose new containers is removed by hand as soon as it is there.</summary>
    RemoveCandidate,

    /// <summary>SIGKILL, and a start right after it.</summary>
    KillDaemon,

    /// <summary>SIGTERM, and a start right after its end.</summary>
    RestartDaemon,

    /// <summary>SIGTERM to an engine that takes its containers with it, and a start.</summary>
    StopEngine,

    /// <summary>SIGTERM to an engine that leaves its containers running, and a start.</summary>
    StopEngineLive,

    /// <summary>As <see cref="StopEngine"/>, with SIGKILL.</summary>
    KillEngine,

    /// <summary>As <see cref="StopEngineLive"/>, with SIGKILL.</summary>
    KillEngineLive,

    /// <summary>SIGSTOP, and SIGCONT after some seconds.</summary>
    FreezeEngine,

    /// <summary>One of two live replicas.</summary>
    RemoveReplica,

    /// <summary>The only replica, of the other stack.</summary>
    RemoveOnlyReplica,

    /// <summary>The service that owns a volume.</summary>
    RemoveStateful,

    /// <summary>A stack's network: everybody is taken off it first.</summary>
    RemoveNetwork,
}
