namespace Orchestrator.Restores;

/// <summary>How long a recovery would take now, from what a drill measured.</summary>
public static class RecoveryForecast
{
    /// <summary>Pure: fetching grows with the size, the rest is taken as it was measured.</summary>
    /// <param name="drill">One that passed.</param>
    /// <param name="bytes">Of the set that would be fetched.</param>
    public static double Seconds(DrillRecord drill, long bytes)
    {
        var fetch = drill.Phases.GetValueOrDefault("fetch");
        return drill.Bytes > 0 ? drill.RecoverySeconds - fetch + (fetch * bytes / drill.Bytes) : drill.RecoverySeconds;
    }
}
