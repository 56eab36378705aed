using System.Collections.Immutable;
using Orchestrator.Backups.Encryption;
using Orchestrator.Backups.Pipeline;
using Orchestrator.Secrets;

namespace Orchestrator.Backups.Keeping;

/// <summary>The one private key that the host has: backups are restored with it to see that they can be. In a file of mode 0600, made once, on purpose.</summary>
/// <param name="path">Absolute.</param>
public sealed class DrillKey(string path)
{
    private const UnixFileMode Others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;

    /// <summary>Its path.</summary>
    public string File { get; } = path;

    public bool Exists => System.IO.File.Exists(File);

    /// <exception cref="BackupFailedException">There is one already: another would read nothing of what was written for it.</exception>
    public AgeIdentity Create()
    {
        if (Exists) throw new BackupFailedException($"There is a drill key in {File} already.", "Keep it. To change keys, add the new recipient first; sets that were made before need the old key.");

        var identity = AgeIdentity.Generate();
        var content = System.Text.Encoding.ASCII.GetBytes($"# drill key of this host; public key: {identity.Recipient}\n{identity.Export()}\n");
        DurableFile.Write(File, content, UnixFileMode.UserRead | UnixFileMode.UserWrite, owner: null);
        return identity;
    }

    /// <exception cref="BackupFailedException">It is not there, cannot be used, or others can read it. Never makes a new one.</exception>
    public AgeIdentity Read()
    {
        var identity = AgeIdentity.ReadFile(File)[0];
        return (System.IO.File.GetUnixFileMode(File) & Others) == 0
            ? identity
            : throw new BackupFailedException($"The key file {File} can be read or written by others.", $"chmod 600 {File}, and consider what it opens as known.");
    }

    /// <summary>
    /// The canary: whether the newest set can be decrypted with this key today. Reads the smallest object of it. A key that has vanished or does not fit
    /// is found out now, not on the day of a restore.
    /// </summary>
    /// <returns>Null when there is no set yet, otherwise the one that was read.</returns>
    /// <exception cref="BackupFailedException">It cannot; says why.</exception>
    public async Task<BackupSetId?> ProveAsync(BackupRepository repository, SetCatalogue catalogue, CancellationToken cancellationToken)
    {
        var identity = Read();
        if (catalogue.Sets is not [.., var newest]) return null;
        await ProveAsync(repository, newest.Manifest, [identity], cancellationToken);
        return newest.Manifest.Id;
    }

    /// <summary>The same of one set, with keys that are at hand.</summary>
    /// <exception cref="BackupFailedException">It cannot be decrypted; says why.</exception>
    public static async Task ProveAsync(BackupRepository repository, BackupManifest manifest, ImmutableArray<AgeIdentity> identities, CancellationToken cancellationToken)
    {
        if (!identities.Any(identity => manifest.Recipients.Contains(identity.Recipient.Value)))
        {
            throw new BackupFailedException(
                $"The set {manifest.Id} was not encrypted for the key of this host ({string.Join(", ", identities.Select(identity => identity.Recipient))}).",
                "Put the right key back, or make a new set: it is encrypted to the keys that 'basmalin backup keys' shows.");
        }

        if (manifest.Parts.SelectMany(part => part.Objects).MinBy(item => item.StoredBytes) is { } smallest)
            await repository.Reader(identities).ReadAsync(smallest, (content, token) => content.CopyToAsync(Stream.Null, token), cancellationToken);
    }
}
