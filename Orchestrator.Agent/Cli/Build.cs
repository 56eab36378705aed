using System.Reflection;

namespace Orchestrator.Agent.Cli;

/// <summary>What this binary was built from.</summary>
internal static class Build
{
    public static string Version { get; } =
        typeof(Build).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";
}
