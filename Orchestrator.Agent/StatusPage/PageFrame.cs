namespace Orchestrator.Agent.StatusPage;

/// <summary>What is the same on every page.</summary>
/// <param name="Bundle">Names this set of assets; another one means that the daemon was replaced.</param>
internal sealed record PageFrame(string Bundle, string Build, string Machine)
{
    public string Asset(string name) => $"/assets/{Bundle}/{name}";
}
