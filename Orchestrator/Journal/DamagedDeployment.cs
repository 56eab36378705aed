using Orchestrator.Deployments;

namespace Orchestrator.Journal;

/// <summary>A deployment on record that cannot be read.</summary>
/// <param name="Unfinished">It has not ended: nobody knows how far it was, so nothing of its stack is deployed until the journal is repaired.</param>
/// <param name="Problem">What is wrong with it, for people.</param>
public sealed record DamagedDeployment(DeploymentId Id, string Stack, bool Unfinished, string Problem);
