namespace Orchestrator.Agent.StatusPage;

/// <summary>What is the same on every page.</summary>
/// <param name="Bundle">Names this set of assets; another one means that the daemon was replaced.</param>
internal sealed record PageFrame(string Bundle, string Build, string Machine)
{
    /// <summary>The version, and as much of the commit as one compares by eye.</summary>
    public string ShortBuild => Build.IndexOf('+', StringComparison.Ordinal) is var plus and >= 0 ? Build[..Math.Min(Build.Length, plus + 13)] : Build;

    public string Asset(string name) => $"/assets/{Bundle}/{name}";
}
