using Orchestrator.Backups.Encryption;
using Orchestrator.Backups.Pipeline;
using Orchestrator.Secrets;

namespace Orchestrator.Backups.Keeping;

/// <summary>The one private key that the host has: backups are restored with it to see that they can be. In a file of mode 0600, made once, on purpose.</summary>
/// <param name="path">Absolute.</param>
public sealed class DrillKey(string path)
{
    private const UnixFileMode Others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;

    public bool Exists => File.Exists(path);

    /// <exception cref="BackupFailedException">There is one already: another would read nothing of what was written for it.</exception>
    public AgeIdentity Create()
    {
        if (Exists) throw new BackupFailedException($"There is a drill key in {path} already.", "Keep it. To change keys, add the new recipient first; sets that were made before need the old key.");

        var identity = AgeIdentity.Generate();
        var content = System.Text.Encoding.ASCII.GetBytes($"# drill key of this host; public key: {identity.Recipient}\n{identity.Export()}\n");
        DurableFile.Write(path, content, UnixFileMode.UserRead | UnixFileMode.UserWrite, owner: null);
        return identity;
    }

    /// <exception cref="BackupFailedException">It is not there, cannot be used, or others can read it. Never makes a new one.</exception>
    public AgeIdentity Read()
    {
        var identity = AgeIdentity.ReadFile(path)[0];
        return (File.GetUnixFileMode(path) & Others) == 0
            ? identity
            : throw new BackupFailedException($"The key file {path} can be read or written by others.", $"chmod 600 {path}, and consider what it opens as known.");
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
        if (!newest.Manifest.Recipients.Contains(identity.Recipient.Value))
        {
            throw new BackupFailedException(
                $"The set {newest.Manifest.Id} was not encrypted for the key in {path} ({identity.Recipient}).",
                "Add this recipient to the settings, so that sets are made for it, or put the right key back.");
        }

        if (newest.Objects.MinBy(item => item.StoredBytes) is { } smallest)
            await repository.Reader([identity]).ReadAsync(smallest, (content, token) => content.CopyToAsync(Stream.Null, token), cancellationToken);
        return newest.Manifest.Id;
    }
}
