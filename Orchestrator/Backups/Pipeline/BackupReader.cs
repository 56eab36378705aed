using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using Orchestrator.Backups.Encryption;

namespace Orchestrator.Backups.Pipeline;

/// <summary>Reads back what a <see cref="BackupWriter"/> wrote: fetched from the first store that has it whole, decrypted, decompressed, verified.</summary>
/// <param name="identities">Any one that fits is enough.</param>
public sealed partial class BackupReader(ImmutableArray<IBackupStore> stores, ImmutableArray<AgeIdentity> identities, ILogger log)
{
    private long _read;

    /// <summary>Is told how many bytes of content were read, over all objects.</summary>
    private Action<long>? Told { get; init; }

    /// <summary>The same reader for somebody who wants to know how far it is.</summary>
    /// <param name="told">Is told how many bytes of content were read so far, over all objects that are read one after the other.</param>
    public BackupReader Telling(Action<long> told) => new(stores, identities, log) { Told = told };

    /// <summary>
    /// Hands the content to <paramref name="use"/>. When it returns, all of it has been read and its hash was the right one; otherwise it throws
    /// <see cref="BackupFailedException"/>, also for a truncated or changed object. A store that fails on the way, or whose copy is damaged, is replaced
    /// by the next one in mid-stream: <paramref name="use"/> is called once and notices nothing.
    /// </summary>
    public Task ReadAsync(BackupObject stored, Func<Stream, CancellationToken, Task> use, CancellationToken cancellationToken) =>
        ReadAsync(stored.Key, stored, use, cancellationToken);

    /// <summary>The same for an object of a continuous stream, whose hashes are in no manifest: truncation and change are found by the encryption.</summary>
    /// <param name="key">The whole key, as <see cref="ListAsync"/> gives it.</param>
    public Task ReadAsync(string key, Func<Stream, CancellationToken, Task> use, CancellationToken cancellationToken) =>
        ReadAsync(key, null, use, cancellationToken);

    /// <summary>What lies under a prefix, by key, of all stores together.</summary>
    /// <param name="prefix">The beginning of whole keys: <see cref="BackupLayout.Stream"/>.</param>
    /// <exception cref="BackupFailedException">No store could be asked.</exception>
    public async Task<IReadOnlyList<StoredObject>> ListAsync(string prefix, CancellationToken cancellationToken)
    {
        var found = new SortedDictionary<string, StoredObject>(StringComparer.Ordinal);
        var failures = new List<string>();
        foreach (var store in stores)
        {
            try
            {
                await foreach (var item in store.ListAsync(prefix, cancellationToken)) found.TryAdd(item.Key, item);
            }
            catch (BackupStoreException failure)
            {
                failures.Add(failure.Message);
                LogNotListed(log, store.Name, prefix, failure.Message);
            }
        }

        if (failures.Count == stores.Length) throw new BackupFailedException($"No store could be asked: {string.Join("; ", failures)}.", "See that at least one store can be reached.");
        return [.. found.Values];
    }

    private async Task ReadAsync(string key, BackupObject? expected, Func<Stream, CancellationToken, Task> use, CancellationToken cancellationToken)
    {
        await using var content = new ContentStream(key, expected, new ContentSources(stores, identities, failure => LogNotRead(log, failure.Store, failure.Key, failure.Message)));
        Action<long>? told = Told is null ? null : bytes => Told(_read + bytes);
        await using var measured = expected is { PlainHash.Length: > 0 } ? new MeasuredStream(content, told) : new CountedStream(content, told);
        await use(measured, cancellationToken);
        await DrainAsync(measured, cancellationToken);
        _read += measured.Bytes;
        var hash = (measured as MeasuredStream)?.Hash() ?? "";
        if (expected is not null && (measured.Bytes != expected.PlainBytes || hash != expected.PlainHash))
            throw Other(key, $"it decrypts to {measured.Bytes} bytes with hash {hash}, not {expected.PlainBytes} with {expected.PlainHash}");
    }

    internal static BackupFailedException Other(string key, string what) => new(
        $"{key} is something else than the manifest says: {what}.",
        "Somebody has put another object in its place. Trust nothing that was read; restore an earlier set, or from another store.");

    private static async Task DrainAsync(Stream content, CancellationToken cancellationToken)
    {
        var buffer = new byte[64 * 1024];
        while (await content.ReadAsync(buffer, cancellationToken) > 0) cancellationToken.ThrowIfCancellationRequested();
    }

    [LoggerMessage(EventId = 5001, Level = LogLevel.Warning, Message = "Store {Store} does not give {Key} back: {Reason}")]
    private static partial void LogNotRead(ILogger logger, string store, string key, string reason);

    [LoggerMessage(EventId = 5002, Level = LogLevel.Warning, Message = "Store {Store} cannot list {Prefix}: {Reason}")]
    private static partial void LogNotListed(ILogger logger, string store, string prefix, string reason);
}
