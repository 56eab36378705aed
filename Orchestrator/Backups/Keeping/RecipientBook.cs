using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Orchestrator.Backups.Encryption;
using Orchestrator.Secrets;

namespace Orchestrator.Backups.Keeping;

/// <summary>A public key that the daemon was given.</summary>
/// <param name="Label">Whose it is, for people: 1 to 40 letters, digits and <c>. _ -</c>.</param>
public sealed record RecipientEntry(AgeRecipient Recipient, string Label, DateTimeOffset AddedAt);

/// <summary>
/// The public keys that backups are encrypted to besides those of the settings, in a file of the data directory: one a line, <c>age1… LABEL TIME</c>. It holds
/// the host's own, too, and so remembers it when the key itself has vanished.
/// </summary>
/// <param name="path">Absolute.</param>
public sealed class RecipientBook(string path)
{
    /// <summary>Of the host's own key.</summary>
    public const string Host = "host";

    private const string Heading = "# Who can read the backups of this host: public keys of age. 'basmalin backup init' adds one, 'basmalin backup keys' shows them.\n";

    public string File { get; } = path;

    /// <exception cref="BackupFailedException">It cannot be read, or a line of it is none.</exception>
    public ImmutableArray<RecipientEntry> Read()
    {
        if (!System.IO.File.Exists(File)) return [];

        var entries = ImmutableArray.CreateBuilder<RecipientEntry>();
        foreach (var (index, line) in Lines().Index())
        {
            if (line.Length == 0 || line.StartsWith('#')) continue;
            var parts = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (!AgeRecipient.TryParse(parts[0], out var recipient))
                throw new BackupFailedException($"{File}:{index + 1}: this is no public key of age", "A line is: age1… LABEL TIME. Take it out, or put the file back.");

            var at = parts.Length > 2 && DateTimeOffset.TryParse(parts[2], CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var added) ? added : DateTimeOffset.UnixEpoch;
            entries.Add(new(recipient, parts.Length > 1 ? parts[1] : "recovery", at));
        }

        return entries.ToImmutable();
    }

    /// <exception cref="IOException">It cannot be written.</exception>
    public void Write(IEnumerable<RecipientEntry> entries)
    {
        var text = new StringBuilder(Heading);
        foreach (var entry in entries) text.Append(CultureInfo.InvariantCulture, $"{entry.Recipient} {entry.Label} {entry.AddedAt.UtcDateTime:yyyy-MM-dd'T'HH:mm:ss'Z'}\n");
        DurableFile.Write(File, Encoding.ASCII.GetBytes(text.ToString()), UnixFileMode.UserRead | UnixFileMode.UserWrite, owner: null);
    }

    private string[] Lines()
    {
        try
        {
            return [.. System.IO.File.ReadAllLines(File).Select(line => line.Trim())];
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new BackupFailedException($"{File} cannot be read: {failure.Message}", "See its owner and mode: the daemon's user must read it.", failure);
        }
    }
}
