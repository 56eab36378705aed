namespace Orchestrator.Deployments;

/// <summary>Why a deployment did not succeed, to branch on. The names are stable: they stand in the API.</summary>
public enum FailureReason
{
    Interrupted,
    Cancelled,
    InvalidRequest,
    NothingToRollBackTo,
    RouteConflict,
    PortInUse,
    EngineUnreachable,
    EngineError,
    NotEnoughDisk,
    NotEnoughMemory,
    FreezeWindow,
    ImageNotFound,
    RegistryUnreachable,
    RegistryDenied,
    ImagePolicy,
    BuildFailed,
    SecretMissing,
    BackupFailed,
    MigrationFailed,
    DependencyFailed,
    ContainerExited,
    NeverHealthy,
    SmokeFailed,
    CanaryFailed,
    BakeFailed,
    VerificationFailed,

    /// <summary>The journal's disk is full.</summary>
    JournalUnwritable,

    /// <summary>A step took longer than it may.</summary>
    DeadlineExceeded,
    Unexpected,
}

/// <summary>An expected failure.</summary>
/// <param name="Detail">What was seen: probe results, exit code, last log lines.</param>
/// <param name="Hint">What to do next, and what state the stack is in.</param>
public sealed record StepFailure(FailureReason Reason, string Detail, string Hint)
{
    /// <summary>Where it happened; null: outside of any step.</summary>
    public StepKind? Step { get; init; }

    /// <summary>The traffic had moved when it happened, and was moved back.</summary>
    public bool AfterShift { get; init; }
}
