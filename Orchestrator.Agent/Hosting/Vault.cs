using System.Collections.Immutable;
using Orchestrator.Backups.Encryption;
using Orchestrator.Backups.Sets;
using Orchestrator.Backups.Stores;

namespace Orchestrator.Agent.Hosting;

/// <summary>Makes of the settings where backups go and who can read them.</summary>
internal static class Vault
{
    private const string KeyName = "backup.key";

    /// <summary>
    /// The host's own key is made once, when there is neither it nor any backup. When it has vanished that is an error of whatever needs it, and no new one is
    /// made in its place: it could read nothing of what there is.
    /// </summary>
    public static VaultOptions Of(AgentOptions options, TimeProvider time)
    {
        var directory = options.Backups.Directory ?? Path.Combine(options.Data, "backups");
        var path = Path.Combine(options.Data, KeyName);
        if (!File.Exists(path) && (!Directory.Exists(directory) || !Directory.EnumerateFileSystemEntries(directory).Any())) Make(path);

        ImmutableArray<AgeRecipient> own = File.Exists(path) ? [.. AgeIdentity.ReadFile(path).Select(key => key.Recipient)] : [];
        return new()
        {
            Stores = [new DirectoryStore("local", directory, time)],
            Recipients = [.. options.Backups.Recipients.Select(text => AgeRecipient.TryParse(text, out var recipient) ? recipient : null).OfType<AgeRecipient>().Concat(own).Distinct()],
            Identities = () => AgeIdentity.ReadFile(path),
            Program = Cli.Build.Version,
        };
    }

    private static void Make(string path)
    {
        var key = AgeIdentity.Generate();
        using var file = new StreamWriter(path, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite });
        file.Write($"# key of this host for drills and restores; public key: {key.Recipient}\n{key.Export()}\n");
    }
}
