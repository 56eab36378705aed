using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using Orchestrator.Backups.Encryption;

namespace Orchestrator.Backups.Keeping;

/// <summary>Somebody who can read what is backed up from now on.</summary>
/// <param name="Label"><c>host</c> is this host's own key, <c>settings</c> are those of agent.yml.</param>
/// <param name="Removable">False: it stands in the settings, or is the host's own.</param>
public sealed record KeyHolder(AgeRecipient Recipient, string Label, DateTimeOffset? AddedAt, bool IsHost, bool Removable)
{
    /// <summary>Short, and the same wherever the key is shown.</summary>
    public string Fingerprint => BackupKeys.FingerprintOf(Recipient.Value);
}

/// <summary>
/// The keys of this host's backups: its own (the drill key), those of the settings, and those that were added since. Sets that exist stay encrypted to whom they
/// were encrypted to; a change counts for what is written from then on.
/// </summary>
public sealed class BackupKeys(DrillKey host, RecipientBook book, ImmutableArray<AgeRecipient> settings, TimeProvider time)
{
    private readonly Lock _gate = new();
    private ImmutableArray<RecipientEntry> _entries = [];

    /// <summary>Raised when the recipients have changed. Must not throw.</summary>
    public event Action? Changed;

    /// <summary>Everybody who can read what is written now, without a host key that has vanished; empty: nothing can be written.</summary>
    public ImmutableArray<AgeRecipient> Recipients => [.. Holders.Where(holder => !holder.IsHost || host.Exists).Select(holder => holder.Recipient)];

    public ImmutableArray<KeyHolder> Holders
    {
        get
        {
            lock (_gate)
            {
                return
                [
                    .. settings.Select(recipient => new KeyHolder(recipient, "settings", null, IsHost: false, Removable: false))
                        .Concat(_entries.Select(entry => new KeyHolder(entry.Recipient, entry.Label, entry.AddedAt, entry.Label == RecipientBook.Host, entry.Label != RecipientBook.Host)))
                        .DistinctBy(holder => holder.Recipient),
                ];
            }
        }
    }

    /// <summary>The host has had a key of its own, or has one.</summary>
    public bool HasHostKey => host.Exists;

    /// <summary>What is wrong with the keys, and what to do; null: nothing.</summary>
    public BackupFinding? Problem
    {
        get
        {
            lock (_gate)
            {
                if (!host.Exists && _entries.FirstOrDefault(entry => entry.Label == RecipientBook.Host) is { } lost)
                {
                    return new(
                        Blocking: true,
                        $"The host's own key {host.File} has vanished: nothing can be drilled or restored here, and sets are encrypted to it ({FingerprintOf(lost.Recipient.Value)})",
                        "Put the file back from where it was copied to. If it is lost, look that another key of 'basmalin backup keys' is at hand, and make a new one on purpose: basmalin backup init --host-key. Older sets are then read with the other keys only.");
                }

                if (!host.Exists)
                    return new(Blocking: true, "This host has no key of its own, so nothing can be drilled here", "Make it: basmalin backup init --host-key.");
            }

            return Recipients.Length < 2
                ? new(Blocking: false, "Only one key can read the backups, and it lies on this host: with the host, the backups are lost", "Make a second one and keep it elsewhere: basmalin backup init.")
                : null;
        }
    }

    /// <summary>The first 16 hexadecimal digits of the public key's SHA-256.</summary>
    public static string FingerprintOf(string recipient) => Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(recipient)))[..16];

    /// <summary>Reads what is there. A host key from before there was a book is written into it.</summary>
    /// <exception cref="BackupFailedException">A file cannot be used.</exception>
    public void Load()
    {
        lock (_gate)
        {
            _entries = book.Read();
            if (!host.Exists || _entries.Any(entry => entry.Label == RecipientBook.Host)) return;

            Save([.. _entries, new(host.Read().Recipient, RecipientBook.Host, time.GetUtcNow())]);
        }
    }

    /// <summary>Makes the host's own key.</summary>
    /// <param name="onPurpose">True: also where there was one that has vanished. What was encrypted to that alone is not readable any more, and somebody has said so.</param>
    /// <exception cref="BackupFailedException">There is one, or there was one.</exception>
    public AgeRecipient MakeHostKey(bool onPurpose)
    {
        AgeRecipient made;
        lock (_gate)
        {
            if (!onPurpose && Problem is { Blocking: true } problem && _entries.Any(entry => entry.Label == RecipientBook.Host)) throw new BackupFailedException(problem.What, problem.Hint);

            made = host.Create().Recipient;
            Save([.. _entries.Where(entry => entry.Label != RecipientBook.Host), new(made, RecipientBook.Host, time.GetUtcNow())]);
        }

        Changed?.Invoke();
        return made;
    }

    /// <summary>From now on somebody else can read what is written.</summary>
    /// <exception cref="BackupFailedException">It is there already, or the label is not to be used.</exception>
    public KeyHolder Add(AgeRecipient recipient, string label)
    {
        lock (_gate)
        {
            if (Holders.FirstOrDefault(holder => holder.Recipient == recipient) is { } known)
                throw new BackupFailedException($"The key {known.Fingerprint} is among the recipients already, as {known.Label}", "'basmalin backup keys' shows them.");
            if (label is RecipientBook.Host or "settings" || label.Length is 0 or > 40 || !label.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '.' or '_' or '-'))
                throw new BackupFailedException($"'{label}' is no label for a key", "1 to 40 letters, digits and . _ -, but neither host nor settings.");

            Save([.. _entries, new(recipient, label, time.GetUtcNow())]);
        }

        Changed?.Invoke();
        return Holders.First(holder => holder.Recipient == recipient);
    }

    /// <summary>What is written from now on cannot be read by it any more; what exists, can.</summary>
    /// <param name="which">A fingerprint, or the public key.</param>
    /// <exception cref="BackupFailedException">There is none such, it may not be removed here, or nobody else off this host would be left.</exception>
    public KeyHolder Remove(string which)
    {
        KeyHolder gone;
        lock (_gate)
        {
            gone = Holders.FirstOrDefault(holder => holder.Fingerprint == which || holder.Recipient.Value == which)
                ?? throw new BackupFailedException($"There is no key {which}", "'basmalin backup keys' shows the fingerprints.");
            if (gone.IsHost) throw new BackupFailedException("The host's own key is not removed: drills need it", "Take its file away and say 'basmalin backup init --host-key' to exchange it.");
            if (!gone.Removable) throw new BackupFailedException($"The key {gone.Fingerprint} stands in agent.yml", "Take it out of backups.recipients there, and restart the daemon.");
            if (!Holders.Any(holder => holder != gone && !holder.IsHost))
                throw new BackupFailedException($"The key {gone.Fingerprint} is the only one that is not on this host: without it new backups would be lost together with the host", "Add its successor first: basmalin backup init.");

            Save([.. _entries.Where(entry => entry.Recipient != gone.Recipient)]);
        }

        Changed?.Invoke();
        return gone;
    }

    private void Save(ImmutableArray<RecipientEntry> entries)
    {
        book.Write(entries);
        _entries = entries;
    }
}
