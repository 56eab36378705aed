using Microsoft.Extensions.DependencyInjection;
using Orchestrator.Healing;

namespace Orchestrator.Scheduling;

/// <summary>Where the pieces of healing are put together.</summary>
public static class HealingServices
{
    /// <summary>Adds <see cref="Healer"/> with all that it stands on. Expects to find what <c>AddDeployments</c> adds and expects.</summary>
    public static IServiceCollection AddHealing(this IServiceCollection services, HealingOptions options) => services
        .AddSingleton(options)
        .AddSingleton(new RecycleSchedule(CronTimes.Next))
        .AddSingleton<StackObserver>()
        .AddSingleton<HealingAlarm>()
        .AddSingleton<HealingBooks>()
        .AddSingleton<ReplicaReplacement>()
        .AddSingleton<HealingActs>()
        .AddSingleton<HealingWake>()
        .AddSingleton<Healer>();
}
