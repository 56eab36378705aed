using System.Collections.Immutable;

namespace Orchestrator.Agent.Hosting.Settings;

/// <summary>Collects every problem of the daemon's settings, one line each.</summary>
internal sealed class SettingProblems
{
    private readonly List<string> _lines = [];

    public bool Any => _lines.Count > 0;

    public ImmutableArray<string> Lines => [.. _lines.Distinct()];

    public void Add(string where, string key, string message) => _lines.Add(key.Length == 0 ? $"{where}: {message}" : $"{where}: {key}: {message}");
}
