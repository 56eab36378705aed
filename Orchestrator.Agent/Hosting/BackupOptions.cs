using System.Collections.Immutable;
using Orchestrator.Agent.Hosting.Settings;
using Orchestrator.Backups.Encryption;

namespace Orchestrator.Agent.Hosting;

/// <summary>Where backups are kept, and who can read them.</summary>
public sealed record BackupOptions
{
    /// <summary>Absolute; null: <c>backups</c> in the data directory. Another disk survives this one.</summary>
    public string? Directory { get; init; }

    /// <summary>False, by <c>directory: none</c>: only <see cref="Stores"/> keep backups.</summary>
    internal bool Local { get; init; } = true;

    /// <summary>Further places, each a zone of its own: a set counts in a zone only when it is whole and verified there.</summary>
    public ImmutableArray<BackupStoreOptions> Stores { get; init; } = [];

    /// <summary>Public keys of age, besides the host's own and those that <c>basmalin backup init</c> added.</summary>
    public ImmutableArray<string> Recipients { get; init; } = [];
}

/// <summary>Reads <c>backups:</c>.</summary>
internal static class BackupSettings
{
    private const string None = "none";

    public static BackupOptions Read(SettingSection section, BackupOptions defaults)
    {
        var local = section.Text("directory") != None;
        var backups = new BackupOptions
        {
            Directory = local ? section.Value<string?>("directory", defaults.Directory, $"{SettingValues.PathExpected}, or none", SettingValues.AbsolutePath) : null,
            Local = local,
            Stores = BackupStoreSettings.Read(section),
            Recipients = section.List("recipients", defaults.Recipients, AgeRecipient.Expected, Recipient),
        };
        if (!local && section.Sections("stores").IsEmpty) section.Refuse("directory", "is none, and there is no other store: backups would go nowhere. Name one under backups.stores");
        section.Done();
        return backups;
    }

    private static bool Recipient(string text, out string value)
    {
        value = text;
        return AgeRecipient.TryParse(text, out _);
    }
}
