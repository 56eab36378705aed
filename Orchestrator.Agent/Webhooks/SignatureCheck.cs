namespace Orchestrator.Agent.Webhooks;

/// <summary>What the signature of a delivery says.</summary>
public enum SignatureCheck
{
    Valid,

    /// <summary>There is none, or it has not the form that the sender gives it.</summary>
    Missing,
    Wrong,

    /// <summary>Signed outside of the replay window.</summary>
    Late,
}
