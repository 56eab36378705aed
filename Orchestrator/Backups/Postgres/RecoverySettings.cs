using System.Globalization;
using System.Text;

namespace Orchestrator.Backups.Postgres;

/// <summary>The moment to recover to, in PostgreSQL's settings.</summary>
internal abstract record RecoveryGoal
{
    private RecoveryGoal()
    {
    }

    /// <summary>All that there is of the timeline.</summary>
    public sealed record End : RecoveryGoal;

    /// <summary>With all records that begin before it.</summary>
    public sealed record Position(Lsn Lsn) : RecoveryGoal;

    public sealed record Named(string Name) : RecoveryGoal;

    /// <summary>With the last commit not later than this.</summary>
    public sealed record Moment(DateTimeOffset Time) : RecoveryGoal;
}

/// <summary>
/// Settings that bring laid-out files to a moment when the service's own image starts on them. They stand in <c>postgresql.auto.conf</c>, the last file that
/// is read; the log lies in the data directory, and PostgreSQL itself takes it away at the end.
/// </summary>
internal static class RecoverySettings
{
    /// <summary>Within the data directory.</summary>
    public const string LogDirectory = "basmalin_wal";

    public const string SignalFile = "recovery.signal";

    public const string File = "postgresql.auto.conf";

    /// <summary>Names of the settings that are of use only during recovery, to be reset afterwards.</summary>
    public static readonly string[] Temporary =
    [
        "restore_command", "recovery_end_command", "recovery_target", "recovery_target_name", "recovery_target_time", "recovery_target_lsn", "recovery_target_xid",
        "recovery_target_inclusive", "recovery_target_timeline", "recovery_target_action", "archive_mode", "archive_cleanup_command",
    ];

    /// <param name="before">The file as it was copied: what was set there and stands in the way is left out.</param>
    public static string Write(string before, RecoveryGoal goal, uint timeline)
    {
        var text = new StringBuilder();
        foreach (var line in before.Split('\n').Where(line => line.Trim().Length > 0 && !Overruled(line))) text.Append(line).Append('\n');
        void Set(string name, string value) => text.Append(CultureInfo.InvariantCulture, $"{name} = '{value.Replace("'", "''", StringComparison.Ordinal)}'\n");

        Set("restore_command", $"cp \"{LogDirectory}/%f\" \"%p\"");
        Set("recovery_end_command", $"rm -rf {LogDirectory}");
        switch (goal)
        {
            case RecoveryGoal.Named named:
                Set("recovery_target_name", named.Name);
                break;
            case RecoveryGoal.Position position:
                Set("recovery_target_lsn", position.Lsn.ToString());
                Set("recovery_target_inclusive", "off");
                break;
            case RecoveryGoal.Moment moment:
                Set("recovery_target_time", moment.Time.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss.ffffff'+00'", CultureInfo.InvariantCulture));
                break;
        }

        Set("recovery_target_timeline", timeline.ToString(CultureInfo.InvariantCulture));
        Set("recovery_target_action", "promote");
        // A copy must never write into the archive of what it was copied from, nor wait for a standby that is not its own.
        Set("archive_mode", "off");
        Set("synchronous_standby_names", "");
        return text.ToString();
    }

    private static bool Overruled(string line)
    {
        var name = line.Split('=', 2)[0].Trim();
        return Temporary.Contains(name, StringComparer.OrdinalIgnoreCase)
            || name.Equals("synchronous_standby_names", StringComparison.OrdinalIgnoreCase)
            || name.Equals("primary_conninfo", StringComparison.OrdinalIgnoreCase)
            || name.Equals("primary_slot_name", StringComparison.OrdinalIgnoreCase);
    }
}
