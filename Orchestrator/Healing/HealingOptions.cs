namespace Orchestrator.Healing;

/// <summary>What is done about a difference between a stack and its release.</summary>
public enum HealingMode
{
    /// <summary>It is put right where that is safe, and shown.</summary>
    Heal,

    /// <summary>It is only shown. Recycling, which a stack's file asks for, goes on.</summary>
    Report,
}

/// <summary>How stacks are watched after their deployment, and how patient healing is.</summary>
public sealed record HealingOptions
{
    public HealingMode Mode { get; init; } = HealingMode.Heal;

    /// <summary>How often releases are held against the engine besides its events; from 1 s to 1 h.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>The time over which deaths and acts are counted; from 10 s to 1 day.</summary>
    public TimeSpan Window { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>Deaths of one replica within the window, or attempts to heal it, after which it is given up; from 1 to 1,000.</summary>
    public int Deaths { get; init; } = 8;

    /// <summary>Acts for one stack within the window, but never fewer than it has containers; from 1 to 10,000.</summary>
    public int Acts { get; init; } = 30;

    /// <summary>How long a replica may be unhealthy before it is restarted; ten times as long for a stateful service, which may be recovering. From 1 s to 1 h.</summary>
    public TimeSpan Unhealthy { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a replica's memory must stay above <c>recycle.memory</c>; from 0 s to 1 h.</summary>
    public TimeSpan Memory { get; init; } = TimeSpan.FromMinutes(1);
}
