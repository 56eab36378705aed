using Prometheus;

namespace Orchestrator.Journal;

/// <summary>Whether the journal can be believed and written to. While it cannot, nothing is deployed, and what runs is served.</summary>
public sealed class JournalHealth
{
    private static readonly Gauge Damaged = Metrics.CreateGauge("basmalin_journal_damaged", "1 while the journal is damaged: traffic is served, nothing is deployed.");
    private static readonly Gauge Full = Metrics.CreateGauge("basmalin_journal_full", "1 while the disk of the journal is full.");
    private static readonly Gauge Backup = Metrics.CreateGauge("basmalin_journal_backup_timestamp_seconds", "When the journal was last copied and the copy checked.");

    private volatile JournalDamage? _damage;
    private volatile string? _full;
    private long _backup;

    /// <summary>What is wrong with it; null: nothing.</summary>
    public JournalDamage? Damage => _damage;

    /// <summary>Why nothing could be written last; null: it could.</summary>
    public string? FullProblem => _full;

    /// <summary>When the last copy of it was made and checked; null: not since the start.</summary>
    public DateTimeOffset? LastBackup => Interlocked.Read(ref _backup) is var ticks and not 0 ? new DateTimeOffset(ticks, TimeSpan.Zero) : null;

    /// <summary>The first thing that was seen stays: what follows is its consequence.</summary>
    public void ReportDamage(JournalDamage damage)
    {
        _damage ??= damage;
        Damaged.Set(1);
    }

    public void Repaired()
    {
        _damage = null;
        Damaged.Set(0);
    }

    public void ReportFull(string problem)
    {
        _full = problem;
        Full.Set(1);
    }

    public void ReportWritten()
    {
        if (_full is null) return;
        _full = null;
        Full.Set(0);
    }

    public void ReportBackup(DateTimeOffset at)
    {
        Interlocked.Exchange(ref _backup, at.UtcTicks);
        Backup.Set(at.ToUnixTimeMilliseconds() / 1000.0);
    }

    /// <summary>Said before anything new is begun.</summary>
    /// <exception cref="JournalException">The journal is damaged.</exception>
    public void RefuseIfDamaged()
    {
        if (_damage is { } damage)
            throw new JournalException($"The journal is damaged ({damage.Problem}). What runs is served; nothing is deployed until 'basmalin doctor --repair'.", null, JournalFault.Damaged);
    }
}

/// <param name="Problem">What was seen.</param>
/// <param name="ServedFrom">What stands in for it, for people.</param>
/// <param name="File">The damaged file, left as it is; null: the journal itself is in use, it only knows too little.</param>
public sealed record JournalDamage(string Problem, string ServedFrom, string? File);
