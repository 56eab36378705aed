using Quartz;

namespace Orchestrator.Scheduling;

/// <summary>What happens when, and the policy for all of it: one at a time, and what was missed while the daemon was down is done once.</summary>
public static class Timetable
{
    /// <summary>At night, and not at a full hour, when everybody else's jobs run.</summary>
    private const string Nightly = "0 17 3 * * ?";

    private const string Mornings = "0 23 7 * * ?";

    private const string EachTwentySeconds = "7/20 * * * * ?";

    private const string EachMinute = "41 * * * * ?";

    public static void Plan(IQuartzBuilder quartz) => quartz.ScheduleJob<CleanupJob>(
        trigger => trigger.WithIdentity("cleanup").WithCronSchedule(Nightly, cron => cron.WithMisfireInstruction(CronTriggerMisfireInstruction.FireAndProceed)),
        job => job.WithIdentity("cleanup"));

    /// <summary>What is due is the calendar's to know; this only asks it, also for runs that were missed.</summary>
    public static void PlanBackups(IQuartzBuilder quartz) => quartz.ScheduleJob<BackupJob>(
        trigger => trigger.WithIdentity("backups").WithCronSchedule(EachTwentySeconds, cron => cron.WithMisfireInstruction(CronTriggerMisfireInstruction.FireAndProceed)),
        job => job.WithIdentity("backups"));

    /// <summary>Where the edge has certificates.</summary>
    public static void PlanExpiry(IQuartzBuilder quartz) => quartz.ScheduleJob<ExpiryJob>(
        trigger => trigger.WithIdentity("expiry").WithCronSchedule(Mornings, cron => cron.WithMisfireInstruction(CronTriggerMisfireInstruction.FireAndProceed)),
        job => job.WithIdentity("expiry"));

    /// <summary>Where certificates are ordered.</summary>
    public static void PlanRenewals(IQuartzBuilder quartz) => quartz.ScheduleJob<RenewalJob>(
        trigger => trigger.WithIdentity("renewal").WithCronSchedule(EachMinute, cron => cron.WithMisfireInstruction(CronTriggerMisfireInstruction.FireAndProceed)),
        job => job.WithIdentity("renewal"));
}
