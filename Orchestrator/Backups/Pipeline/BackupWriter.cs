using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using ZstdSharp;
using ZstdSharp.Unsafe;
using Orchestrator.Backups.Encryption;
using Orchestrator.Backups.Stores;

namespace Orchestrator.Backups.Pipeline;

/// <summary>
/// Where a source puts what it copies: each stream is compressed, encrypted, hashed and sent to all stores at once, with bounded memory. Several objects
/// may be written at the same time. Made by <see cref="BackupRepository"/>.
/// </summary>
public sealed partial class BackupWriter
{
    private readonly BackupRepository _repository;
    private readonly string _prefix;
    private readonly IProgress<BackupProgress>? _progress;
    private readonly ImmutableDictionary<(string Name, string Hash), BackupObject> _earlier;
    private readonly StoreContents _contents;

    /// <summary>Then it lives as long as the daemon, and nobody asks it who holds its hundred thousand slices.</summary>
    private readonly bool _ofStream;
    private readonly Lock _gate = new();
    private readonly Dictionary<string, ImmutableHashSet<string>> _holders = [];
    private readonly List<StoreFailure> _failures = [];

    /// <param name="prefix">Of the keys, with a slash at its end.</param>
    /// <param name="earlier">Objects of earlier sets, for <see cref="FindAsync"/>.</param>
    internal BackupWriter(BackupRepository repository, string prefix, IEnumerable<BackupObject> earlier, IProgress<BackupProgress>? progress)
    {
        (_repository, _prefix, _progress) = (repository, prefix, progress);
        _ofStream = prefix.StartsWith(BackupLayout.Streams(repository.Stack), StringComparison.Ordinal);
        _earlier = earlier.GroupBy(item => (NameIn(item.Key), item.PlainHash)).ToImmutableDictionary(group => group.Key, group => group.First());
        _contents = new StoreContents(repository.Stack, repository.Stores);
    }

    /// <summary>Of zstd, for what is compressed elsewhere.</summary>
    public int Level => _repository.Options.Level;

    /// <summary>Threads, for what is compressed elsewhere.</summary>
    public int Workers => _repository.Options.Workers;

    /// <summary>What stores did not take of a set, so far.</summary>
    public ImmutableArray<StoreFailure> Failures
    {
        get
        {
            lock (_gate) return [.. _failures];
        }
    }

    /// <summary>Names of the stores in which the object of a set is published and verified.</summary>
    public ImmutableHashSet<string> HoldersOf(BackupObject item)
    {
        lock (_gate) return _holders.GetValueOrDefault(item.Key, []);
    }

    /// <summary>Writes one object of the present set, or of a continuous stream beside the sets.</summary>
    /// <param name="name">Relative name, such as <c>postgres/base.tar</c>; the endings of compression and encryption are added.</param>
    /// <param name="content">
    /// Writes the content forwards into the stream that it is given, by either way of writing, and leaves it open. What it throws discards the object everywhere.
    /// </param>
    /// <returns>The object, published and verified in at least one store; stores that failed are in <see cref="Failures"/>.</returns>
    /// <exception cref="BackupFailedException">No store took it.</exception>
    public Task<BackupObject> WriteAsync(string name, Func<Stream, CancellationToken, Task> content, CancellationToken cancellationToken) => WritePlainAsync(name, content, told: null, cancellationToken);

    /// <summary>The same, and tells whoever watches how far it is: of as much as the object of this name had in the set before, where there was one.</summary>
    /// <param name="what">What is being done, for people.</param>
    public Task<BackupObject> WriteTellingAsync(string name, string what, Func<Stream, CancellationToken, Task> content, CancellationToken cancellationToken)
    {
        var before = _earlier.Where(known => known.Key.Name == name).Select(known => known.Value).MaxBy(known => known.Key, StringComparer.Ordinal)?.PlainBytes;
        return WritePlainAsync(name, content, bytes => Report(what, bytes, before is { } of ? Math.Max(of, bytes) : null), cancellationToken);
    }

    /// <summary>Writes one object, as <see cref="WriteAsync"/> does, of content that comes as a frame of zstd and is stored as that.</summary>
    /// <param name="name">As it is given to <see cref="WriteAsync"/>.</param>
    /// <param name="content">Opens what it is given and reads it to its end. What it throws discards the object everywhere.</param>
    /// <exception cref="BackupFailedException">No store took it.</exception>
    public Task<BackupObject> WriteCompressedAsync(string name, Func<CompressedContent, CancellationToken, Task> content, CancellationToken cancellationToken) =>
        KeepAsync(name, (_, encrypting, token) => PassAsync(encrypting, content, token), cancellationToken);

    private Task<BackupObject> WritePlainAsync(string name, Func<Stream, CancellationToken, Task> content, Action<long>? told, CancellationToken cancellationToken) =>
        KeepAsync(name, (tee, encrypting, token) => CompressAsync(tee, encrypting, content, told, token), cancellationToken);

    private async Task<BackupObject> KeepAsync(string name, Filling fill, CancellationToken cancellationToken)
    {
        var key = StoreKeys.Check($"{_prefix}{name}{BackupLayout.ObjectEnding}");
        if (_repository.Recipients.IsEmpty) throw new BackupFailedException($"{key}: there is no key to encrypt it to", "'basmalin backup keys' says what is wrong.");
        var lanes = _repository.Stores.Where(_repository.Health.MayTry).Select(store => new StoreLane(store, key, _repository.Options.Patience, _repository.Time, cancellationToken)).ToImmutableArray();
        try
        {
            if (lanes.IsEmpty) throw new BackupFailedException($"{key}: every store has failed again and again and is left alone for a moment.", "Look at the failures of the stores before this one.");

            var written = await SendAsync(key, lanes, fill, cancellationToken);
            return await PublishAsync(written, lanes, cancellationToken);
        }
        catch (BackupFailedException) when (cancellationToken.IsCancellationRequested)
        {
            // The stores gave up because they were told to.
            throw new OperationCanceledException(cancellationToken);
        }
        finally
        {
            foreach (var lane in lanes) await lane.DisposeAsync();
            if (!cancellationToken.IsCancellationRequested) Note(lanes);
        }
    }

    /// <summary>An object of an earlier set with this name and plain hash that is whole in every store already, so that unchanged content is not copied again.</summary>
    /// <param name="name">As it was given to <see cref="WriteAsync"/>.</param>
    public async Task<BackupObject?> FindAsync(string name, string plainHash, CancellationToken cancellationToken)
    {
        if (!_earlier.TryGetValue((name, plainHash), out var earlier)) return null;

        var holders = await _contents.HoldersAsync(earlier, cancellationToken);
        if (holders.Count < _repository.Stores.Length) return null;

        lock (_gate) _holders[earlier.Key] = holders;
        return earlier;
    }

    /// <summary>Progress for whoever watches: plain bytes so far, and of how many if that is known.</summary>
    public void Report(string what, long bytes, long? of) => _progress?.Report(new BackupProgress(what, bytes, of));

    /// <summary>The name that an object's key was made of, whatever set it is in.</summary>
    internal static string NameIn(string key)
    {
        var parts = key.Split('/', 4);
        return parts.Length == 4 ? parts[3][..^(parts[3].EndsWith(BackupLayout.ObjectEnding, StringComparison.Ordinal) ? BackupLayout.ObjectEnding.Length : 0)] : key;
    }

    private async Task<BackupObject> SendAsync(string key, ImmutableArray<StoreLane> lanes, Filling fill, CancellationToken cancellationToken)
    {
        await using var tee = new StoreTee(lanes, cancellationToken);
        await using var stored = new MeasuredStream(tee);
        await using var encrypting = new AgeEncryptingStream(stored, _repository.Recipients);
        var (bytes, hash) = await fill(tee, encrypting, cancellationToken);
        await encrypting.CompleteAsync(cancellationToken);
        await tee.CompleteAsync(cancellationToken);
        return new BackupObject(key, bytes, hash, stored.Bytes, stored.Hash());
    }

    private static async Task<(long Bytes, string Hash)> PassAsync(AgeEncryptingStream encrypting, Func<CompressedContent, CancellationToken, Task> content, CancellationToken cancellationToken)
    {
        using var compressed = new CompressedContent(encrypting);
        await content(compressed, cancellationToken);
        return compressed.Plain is { Ended: true } plain ? (plain.Bytes, "") : throw new InvalidOperationException("The content was not read to its end.");
    }

    private async Task<(long Bytes, string Hash)> CompressAsync(
        StoreTee tee, AgeEncryptingStream encrypting, Func<Stream, CancellationToken, Task> content, Action<long>? told, CancellationToken cancellationToken)
    {
        await using var compressing = new CompressionStream(encrypting, _repository.Options.Level, leaveOpen: true);
        compressing.SetParameter(ZSTD_cParameter.ZSTD_c_nbWorkers, _repository.Options.Workers);
        compressing.SetParameter(ZSTD_cParameter.ZSTD_c_checksumFlag, 1);
        await using var plain = new MeasuredStream(compressing, told);
        try
        {
            await content(plain, cancellationToken);
            return (plain.Bytes, plain.Hash());
        }
        catch
        {
            // Closing the compressor writes the end of its frame; that must go nowhere.
            tee.Abandon();
            throw;
        }
    }

    private async Task<BackupObject> PublishAsync(BackupObject written, ImmutableArray<StoreLane> lanes, CancellationToken cancellationToken)
    {
        var published = await Task.WhenAll(lanes.Select(lane => lane.PublishAsync(written, cancellationToken)));
        var holders = lanes.Where((_, index) => published[index] is not null).Select(lane => lane.Store.Name).ToImmutableHashSet();
        if (holders.IsEmpty)
        {
            throw new BackupFailedException(
                $"{written.Key} is in no store: {string.Join("; ", lanes.Select(lane => $"{lane.Store.Name}: {lane.Failure?.Message}"))}.",
                "Nothing of it was kept. Mend the stores, or add another, and run the backup again.");
        }

        if (_ofStream) return written;

        lock (_gate) _holders[written.Key] = holders;
        return written;
    }

    private void Note(ImmutableArray<StoreLane> lanes)
    {
        foreach (var lane in lanes)
        {
            _repository.Health.Note(lane.Store, lane.Failure is null);
            if (lane.Failure is not { } failure) continue;

            if (!_ofStream)
            {
                lock (_gate) _failures.Add(failure);
            }

            LogNotTaken(_repository.Log, failure.Store, failure.Key, failure.Message);
        }
    }

    /// <summary>Writes the content, compressed, and says how long it was and its <see cref="BackupObject.PlainHash"/>.</summary>
    private delegate Task<(long Bytes, string Hash)> Filling(StoreTee tee, AgeEncryptingStream encrypting, CancellationToken cancellationToken);

    [LoggerMessage(EventId = 5000, Level = LogLevel.Warning, Message = "Store {Store} did not take {Key}: {Reason}")]
    private static partial void LogNotTaken(ILogger logger, string store, string key, string reason);
}
