namespace Orchestrator.Docker;

/// <summary>What went wrong at the engine, to branch on.</summary>
public enum EngineFault
{
    Unreachable,
    NotFound,
    Conflict,
    ImageNotFound,
    RegistryUnreachable,
    RegistryDenied,
    PortInUse,
    NoSpace,
    NoAddresses,
    BadRequest,
    BuildFailed,
    TimedOut,
    Other,
}
