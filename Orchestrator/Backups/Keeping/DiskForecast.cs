namespace Orchestrator.Backups.Keeping;

/// <summary>
/// When a disk will be full, from how its free room went: over all that is remembered, which sees the nights, and over the last hour, which sees what has just
/// begun. The sooner of the two counts. Time is measured, not read off a clock that can be set.
/// </summary>
public sealed class DiskForecast(TimeProvider time)
{
    private static readonly TimeSpan Between = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Lately = TimeSpan.FromHours(1);
    private static readonly TimeSpan Least = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan Longest = TimeSpan.FromDays(3650);

    /// <summary>Minutes of the last two hours, and every hour of the eight days before: a week of nights.</summary>
    private const int Fine = 120;
    private const int Coarse = 8 * 24;

    private readonly List<Sample> _fine = [];
    private readonly List<Sample> _coarse = [];

    /// <summary>Remembers how much is free; more often than once a minute is not needed.</summary>
    public void Note(long free)
    {
        var now = time.GetTimestamp();
        if (_fine is [.., var last] && time.GetElapsedTime(last.At, now) < Between) return;

        _fine.Add(new(now, free));
        if (_fine.Count > Fine) _fine.RemoveAt(0);
        if (_coarse is [.., var hour] && time.GetElapsedTime(hour.At, now) < Lately) return;

        _coarse.Add(new(now, free));
        if (_coarse.Count > Coarse) _coarse.RemoveAt(0);
    }

    /// <returns>Null: it is not filling up, or nothing is known of that yet.</returns>
    public TimeSpan? UntilFull()
    {
        if (_fine is not [.., var now]) return null;

        var lately = _fine.Find(sample => time.GetElapsedTime(sample.At, now.At) <= Lately);
        return new[] { Until(_coarse[0], now), lately is null ? null : Until(lately, now) }.Min();
    }

    private TimeSpan? Until(Sample from, Sample to)
    {
        var passed = time.GetElapsedTime(from.At, to.At);
        if (passed < Least || to.Free >= from.Free) return null;
        return TimeSpan.FromSeconds(Math.Min(to.Free / ((from.Free - to.Free) / passed.TotalSeconds), Longest.TotalSeconds));
    }

    private sealed record Sample(long At, long Free);
}
