using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Orchestrator.Backups.Encryption;

namespace Orchestrator.Backups.Pipeline;

/// <summary>One stack's backups in all its stores, laid out as <see cref="BackupLayout"/> says. Writers and readers are made here.</summary>
public sealed class BackupRepository
{
    private readonly Func<ImmutableArray<AgeRecipient>> _recipients;

    /// <summary>With recipients that stay as they are.</summary>
    /// <param name="recipients">At least one; each can read everything alone.</param>
    public BackupRepository(string stack, ImmutableArray<IBackupStore> stores, ImmutableArray<AgeRecipient> recipients, CopyOptions options, TimeProvider time, ILogger<BackupRepository>? log = null)
        : this(stack, stores, () => recipients, options, time, log)
    {
        if (recipients.IsEmpty) throw new ArgumentException("Without a recipient nobody could read a backup.", nameof(recipients));
    }

    /// <param name="stores">At least one, in the order in which they are read.</param>
    /// <param name="recipients">Asked at each object that is written; empty: nothing can be.</param>
    public BackupRepository(string stack, ImmutableArray<IBackupStore> stores, Func<ImmutableArray<AgeRecipient>> recipients, CopyOptions options, TimeProvider time, ILogger<BackupRepository>? log = null)
    {
        if (stores.IsEmpty) throw new ArgumentException("Without a store there is no place for a backup.", nameof(stores));

        (Stack, Stores, _recipients, Options, Time) = (stack, stores, recipients, options, time);
        Log = log ?? NullLogger<BackupRepository>.Instance;
        Health = new StoreHealth(options.Pause, time);
    }

    public string Stack { get; }

    public ImmutableArray<IBackupStore> Stores { get; }

    public ImmutableArray<AgeRecipient> Recipients => _recipients();

    public CopyOptions Options { get; }

    internal TimeProvider Time { get; }

    internal ILogger Log { get; }

    internal StoreHealth Health { get; }

    /// <summary>How often a store did not take something since the start: when it has grown, one has missed something.</summary>
    public int Misses => Health.Seen;

    /// <summary>Writes the objects of one set.</summary>
    /// <param name="earlier">Manifests whose objects may be used again where the content is the same.</param>
    public BackupWriter WriterOfSet(BackupSetId set, IEnumerable<BackupManifest> earlier, IProgress<BackupProgress>? progress) =>
        new(this, BackupLayout.Set(Stack, set), earlier.SelectMany(manifest => manifest.Parts).SelectMany(part => part.Objects), progress);

    /// <summary>Writes what a service sends continuously, beside the sets. May live as long as the daemon.</summary>
    public BackupWriter WriterOfStream(string service) => new(this, BackupLayout.Stream(Stack, service), [], progress: null);

    /// <param name="identities">Any one that fits is enough.</param>
    public BackupReader Reader(ImmutableArray<AgeIdentity> identities) => new(Stores, identities, Log);
}
