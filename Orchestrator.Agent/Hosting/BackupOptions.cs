using System.Collections.Immutable;
using Orchestrator.Agent.Hosting.Settings;
using Orchestrator.Backups.Encryption;

namespace Orchestrator.Agent.Hosting;

/// <summary>Where backups are kept, and who can read them.</summary>
public sealed record BackupOptions
{
    /// <summary>Absolute; null: <c>backups</c> in the data directory. Another disk survives this one.</summary>
    public string? Directory { get; init; }

    /// <summary>Public keys of age, besides the host's own. Empty: the host's own alone can read them.</summary>
    public ImmutableArray<string> Recipients { get; init; } = [];
}

/// <summary>Reads <c>backups:</c>.</summary>
internal static class BackupSettings
{
    public static BackupOptions Read(SettingSection section, BackupOptions defaults)
    {
        var backups = new BackupOptions
        {
            Directory = section.Value<string?>("directory", defaults.Directory, SettingValues.PathExpected, SettingValues.AbsolutePath),
            Recipients = section.List("recipients", defaults.Recipients, AgeRecipient.Expected, Recipient),
        };
        section.Done();
        return backups;
    }

    private static bool Recipient(string text, out string value)
    {
        value = text;
        return AgeRecipient.TryParse(text, out _);
    }
}
