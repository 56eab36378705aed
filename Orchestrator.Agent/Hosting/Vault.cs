using System.Collections.Immutable;
using Orchestrator.Backups;
using Orchestrator.Backups.Encryption;
using Orchestrator.Backups.Keeping;
using Orchestrator.Backups.Sets;
using Orchestrator.Backups.Stores;
using Orchestrator.Scheduling;

namespace Orchestrator.Agent.Hosting;

/// <summary>Makes of the settings where backups go and who can read them.</summary>
internal static class Vault
{
    private const string KeyName = "backup.key";
    private const string BookName = "backup.recipients";

    /// <summary>
    /// The host's own key is made once, when there is neither it nor any backup. When it has vanished that is an error of whatever needs it, and no new one is
    /// made in its place: it could read nothing of what there is.
    /// </summary>
    /// <exception cref="DaemonStartException">The file of the recipients, or a key of a store, cannot be used.</exception>
    public static VaultOptions Of(AgentOptions options, TimeProvider time)
    {
        var directory = options.Backups.Directory ?? Path.Combine(options.Data, "backups");
        var host = new DrillKey(Path.Combine(options.Data, KeyName));
        var keys = new BackupKeys(host, new RecipientBook(Path.Combine(options.Data, BookName)), SettledRecipients(options), time);
        try
        {
            keys.Load();
            ImmutableArray<IBackupStore> local = options.Backups.Local ? [new DirectoryStore(BackupStoreSettings.Local, directory, time)] : [];
            var vault = new VaultOptions
            {
                Stores = [.. local, .. options.Backups.Stores.Select(store => StoreOf(store, time))],
                Keys = keys,
                Identities = () => [host.Read()],
                Program = Cli.Build.Version,
            };
            if (IsNew(options, keys, directory)) keys.MakeHostKey(onPurpose: false);
            return vault;
        }
        catch (Exception failure) when (failure is BackupFailedException or IOException or UnauthorizedAccessException)
        {
            throw new DaemonStartException($"Backups cannot be set up: {failure.Message} {(failure as BackupFailedException)?.Hint}", failure);
        }
    }

    /// <summary>Nothing of the kind was ever here: neither a key, nor a store with something in it. What lies in a bucket is asked later, by <see cref="KeyWatch"/>.</summary>
    private static bool IsNew(AgentOptions options, BackupKeys keys, string directory) =>
        !keys.HasHostKey && keys.Holders.All(holder => !holder.IsHost) && options.Backups.Stores.All(store => store.Bucket is null)
        && options.Backups.Stores.Select(store => store.Directory).OfType<string>().Append(directory).All(IsEmpty);

    private static bool IsEmpty(string directory) => !Directory.Exists(directory) || !Directory.EnumerateFileSystemEntries(directory).Any();

    private static ImmutableArray<AgeRecipient> SettledRecipients(AgentOptions options) =>
        [.. options.Backups.Recipients.Select(text => AgeRecipient.TryParse(text, out var recipient) ? recipient : null).OfType<AgeRecipient>().Distinct()];

    private static IBackupStore StoreOf(BackupStoreOptions store, TimeProvider time) => store switch
    {
        { Directory: { } directory } => new DirectoryStore(store.Name, directory, time),
        { Bucket: { } bucket } => new S3Store(
            store.Name,
            new S3Options
            {
                Endpoint = bucket.Endpoint,
                Bucket = bucket.Name,
                Region = bucket.Region,
                Prefix = bucket.Prefix,
                AccessKey = BackupKeyFile.Read(bucket.AccessKeyFile),
                SecretKey = BackupKeyFile.Read(bucket.SecretKeyFile),
                PathStyle = bucket.PathStyle,
                SignPayload = bucket.SignPayload,
                MostParts = bucket.MostParts,
                StorageClass = bucket.StorageClass,
            },
            time),
        _ => throw new InvalidOperationException($"The store {store.Name} is neither a directory nor a bucket."),
    };
}
