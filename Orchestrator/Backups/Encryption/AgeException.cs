namespace Orchestrator.Backups.Encryption;

/// <summary>What is wrong with an encrypted stream.</summary>
public enum AgeFault
{
    /// <summary>It is no age file, or of a version that is not known.</summary>
    NotAge,

    /// <summary>None of the given identities is among its recipients.</summary>
    WrongKey,

    /// <summary>It ends too early.</summary>
    Truncated,

    /// <summary>Its content is not what was written, or something was added.</summary>
    Changed,
}

/// <summary>An encrypted stream that cannot be read. Nothing after the point of the fault was handed out.</summary>
public sealed class AgeException(AgeFault fault, string message) : Exception(message)
{
    public AgeFault Fault { get; } = fault;
}
