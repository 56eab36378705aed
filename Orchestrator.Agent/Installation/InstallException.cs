namespace Orchestrator.Agent.Installation;

/// <summary>Something about this machine, or the file, does not allow it: what, why, and what to do.</summary>
internal sealed class InstallException(string what, string? why, string? hint) : Exception(what)
{
    public string? Why { get; } = why;

    public string? Hint { get; } = hint;
}
