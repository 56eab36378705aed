namespace Orchestrator.Health;

/// <summary>Likely causes of a failed probe. The names are stable: they stand in the API.</summary>
public enum ProbeHint
{
    /// <summary>Nothing listens on the port that was asked.</summary>
    WrongPort,
    RedirectToHttps,
    Redirect,

    /// <summary>The application refuses the Host header.</summary>
    HostNotAllowed,
    NeedsLogin,
    PathNotFound,

    /// <summary>The port speaks TLS, and was asked in plain HTTP.</summary>
    SpeaksTls,

    /// <summary>What listens on the port does not speak HTTP.</summary>
    NotHttp,
    TooSlow,
    Unreachable,
    MissingVariable,
    DependencyUnreachable,
    AddressInUse,
    PermissionDenied,
    MissingFile,
    WrongArchitecture,
    NoHealthcheck,
    OutOfMemory,
}
