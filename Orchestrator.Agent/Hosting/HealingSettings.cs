using Orchestrator.Agent.Hosting.Settings;
using Orchestrator.Healing;

namespace Orchestrator.Agent.Hosting;

/// <summary>Reads <c>healing:</c>.</summary>
internal static class HealingSettings
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    public static HealingOptions Read(SettingSection section, HealingOptions defaults)
    {
        var healing = new HealingOptions
        {
            Mode = section.Value("mode", defaults.Mode, "heal or report", SettingValues.Word<HealingMode>),
            Interval = section.Value("interval", defaults.Interval, "a duration from 1s to 1h", SettingValues.Duration(Second, Hour)),
            Window = section.Value("window", defaults.Window, "a duration from 10s to 24h", SettingValues.Duration(Second * 10, TimeSpan.FromDays(1))),
            Deaths = section.Value("deaths", defaults.Deaths, "a number from 1 to 1000", SettingValues.Number(1, 1000)),
            Acts = section.Value("acts", defaults.Acts, "a number from 1 to 10000", SettingValues.Number(1, 10_000)),
            Unhealthy = section.Value("unhealthy", defaults.Unhealthy, "a duration from 1s to 1h", SettingValues.Duration(Second, Hour)),
            Memory = section.Value("memory", defaults.Memory, "a duration from 0s to 1h", SettingValues.Duration(TimeSpan.Zero, Hour)),
        };
        section.Done();
        return healing;
    }
}
