namespace Orchestrator.Resilience;

/// <summary>What a failed call says about the other side, and so what may be done about it.</summary>
public enum FaultKind
{
    /// <summary>It answered: no. Asking again changes nothing, and it is in good health.</summary>
    Refusal,

    /// <summary>It answered that it could not just now: worth asking again, no sign that it is gone.</summary>
    Transient,

    /// <summary>It did not answer: worth asking again, and enough of these in a row open the circuit breaker.</summary>
    Outage,
}
