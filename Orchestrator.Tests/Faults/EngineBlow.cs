using Orchestrator.Deployments;

namespace Orchestrator.Tests.Faults;

/// <summary>What becomes of the engine in the middle of a step.</summary>
internal enum EngineBlow
{
    /// <summary>It answers everything with 500 for a while, longer than a call is repeated.</summary>
    Refuses,

    /// <summary>It takes what it is asked and says nothing for a while, longer than anybody waits.</summary>
    Hangs,

    /// <summary>It does what it was asked, and its answer is lost.</summary>
    LosesTheAnswer,

    /// <summary>It is killed before it does what it was asked, and started again.</summary>
    DiesBefore,

    /// <summary>It is killed when it has done what it was asked, before it says so, and started again.</summary>
    DiesAfter,
}

/// <summary>A call in the midst of a step.</summary>
/// <param name="Call">Method and path, without identifiers.</param>
internal sealed record EngineMoment(StepKind Step, string Call)
{
    /// <summary>Only of a call that changes something it matters whether it was carried out.</summary>
    public bool Changes => !Call.StartsWith("GET ", StringComparison.Ordinal);

    public override string ToString() => $"in {Step}, at {Call}";
}
