using System.Collections.Immutable;
using Orchestrator.Stacks;

namespace Orchestrator.Backups.Schedules;

public enum ScheduledWork
{
    /// <summary>A set of all that the stack's file says is backed up.</summary>
    Backup,

    /// <summary>The newest set is restored to prove it.</summary>
    Drill,

    /// <summary>A logical dump of the stack's databases, loaded into a throw-away server at once to prove it.</summary>
    Dump,
}

/// <summary>When something is due for a stack.</summary>
/// <param name="Crons">Five cron fields each; due whenever one of them is.</param>
public sealed record BackupSchedule(string Stack, ScheduledWork Work, ImmutableArray<string> Crons, string Zone)
{
    /// <summary>Monday morning, after the night's set: at least weekly a set is proved, wherever there are sets.</summary>
    private const string Weekly = "30 5 * * 1";
    private const string Daily = "30 5 * * *";
    private const string Monthly = "30 5 1 * *";

    /// <summary>What is due for a stack, and when, from what its services say.</summary>
    public static ImmutableArray<BackupSchedule> Of(Stack stack)
    {
        var backed = stack.Services.Select(spec => spec.BasMalin?.Backup).OfType<BackupSpec>().ToImmutableArray();
        return
        [
            .. Group(stack.Name, ScheduledWork.Backup, backed, spec => spec.Every),
            .. Group(stack.Name, ScheduledWork.Drill, backed, DrillOf),
            .. Group(stack.Name, ScheduledWork.Dump, backed, spec => spec.Dump),
        ];
    }

    /// <summary>One identity for the whole of it: when it changes, the schedule begins anew.</summary>
    public string Identity => string.Join("; ", Crons);

    private static string? DrillOf(BackupSpec spec) => spec.Drill switch
    {
        null => spec.Every is null ? null : Weekly,
        "daily" => Daily,
        "weekly" => Weekly,
        "monthly" => Monthly,
        var cron => cron,
    };

    // Services of one stack share a zone nearly always; where they do not, each has its own schedule under the first one's name.
    private static IEnumerable<BackupSchedule> Group(string stack, ScheduledWork work, ImmutableArray<BackupSpec> backed, Func<BackupSpec, string?> cron)
    {
        var wanted = backed.Where(spec => cron(spec) is not null).ToList();
        if (wanted.Count == 0) yield break;
        yield return new(stack, work, [.. wanted.Where(spec => spec.Zone == wanted[0].Zone).Select(spec => cron(spec) ?? "").Distinct().Order(StringComparer.Ordinal)], wanted[0].Zone);
    }
}
