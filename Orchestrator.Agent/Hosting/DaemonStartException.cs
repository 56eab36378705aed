namespace Orchestrator.Agent.Hosting;

/// <summary>The daemon cannot start; the message is the whole explanation for whoever has started it.</summary>
public sealed class DaemonStartException(string message, Exception? inner) : Exception(message, inner);
