namespace Orchestrator.Deployments;

/// <summary>A difference between the release and what the engine shows, for people.</summary>
/// <param name="Kind">What it is in one word, e.g. <c>missing_replica</c> or <c>gave_up</c>.</param>
/// <param name="Service">The service; null: it concerns the stack.</param>
/// <param name="Subject">The container, network or volume that it is about.</param>
/// <param name="Detail">What was seen.</param>
/// <param name="Outlook">What becomes of it: what is being done, what is waited for, or what to do.</param>
public sealed record DriftNote(string Kind, string? Service, string Subject, string Detail, string Outlook);
