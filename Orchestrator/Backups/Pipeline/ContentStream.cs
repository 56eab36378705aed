using System.Collections.Immutable;
using Orchestrator.Backups.Encryption;
using ZstdSharp;

namespace Orchestrator.Backups.Pipeline;

/// <param name="Failed">Told of each store that did not do.</param>
internal sealed record ContentSources(ImmutableArray<IBackupStore> Stores, ImmutableArray<AgeIdentity> Identities, Action<StoreFailure> Failed);

/// <summary>
/// The content of an object, whichever store it comes from. Every block is authentic before it is handed out, and all stores hold the same bytes; so when
/// one fails in the middle, the next is read from the beginning, and what was handed out already is passed over.
/// </summary>
/// <param name="expected">By the manifest; null: nothing is known of it. What has no hash of its content is held against the hash of what is stored.</param>
internal sealed class ContentStream(string key, BackupObject? expected, ContentSources sources) : Stream
{
    private readonly List<string> _failures = [];
    private Opened? _opened;
    private int _next;
    private long _position;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => _position; set => throw new NotSupportedException(); }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (buffer.Length == 0) return 0;
        while (true)
        {
            try
            {
                _opened ??= await OpenNextAsync(cancellationToken);
                var count = await _opened.Content.ReadAsync(buffer, cancellationToken);
                if (count == 0 && await _opened.EndAsync(cancellationToken) is { } hash && hash != expected?.StoredHash)
                    throw BackupReader.Other(key, $"what is stored has hash {hash}, not {expected?.StoredHash}");
                _position += count;
                return count;
            }
            catch (Exception failure) when (IsOfStore(failure, cancellationToken))
            {
                await CloseAsync();
                Note(sources.Stores[_next - 1], failure);
            }
        }
    }

    public override int Read(Span<byte> buffer)
    {
        // For readers that know no other way, such as the one of tar in its constructor.
        var copy = new byte[Math.Min(buffer.Length, 64 * 1024)];
        var count = ReadAsync(copy, CancellationToken.None).AsTask().GetAwaiter().GetResult();
        copy.AsSpan(0, count).CopyTo(buffer);
        return count;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override async ValueTask DisposeAsync()
    {
        await CloseAsync();
        await base.DisposeAsync();
    }

    private static bool IsOfStore(Exception failure, CancellationToken cancellationToken) => failure switch
    {
        BackupFailedException => false,
        OperationCanceledException => !cancellationToken.IsCancellationRequested,
        _ => true,
    };

    private async Task<Opened> OpenNextAsync(CancellationToken cancellationToken)
    {
        if (_next == sources.Stores.Length)
        {
            throw new BackupFailedException(
                $"{key} can be had whole from no store: {string.Join("; ", _failures)}.",
                "Restore an earlier set. If another copy of a store exists, put the object back under its key and try again.");
        }

        var store = sources.Stores[_next++];
        if (expected is { StoredBytes: var bytes } && await store.FindAsync(key, cancellationToken) is { } found && found.Bytes != bytes)
            throw new BackupStoreException(store.Name, $"it has {found.Bytes} bytes there, and {bytes} were written: {(found.Bytes < bytes ? "truncated" : "changed")}", null);

        var opened = await Opened.OpenAsync(store, key, expected is { PlainHash: "" }, sources.Identities, cancellationToken);
        try
        {
            await opened.SkipAsync(_position, cancellationToken);
            return opened;
        }
        catch
        {
            await opened.DisposeAsync();
            throw;
        }
    }

    private void Note(IBackupStore store, Exception failure)
    {
        if (failure is AgeException { Fault: AgeFault.WrongKey })
        {
            throw new BackupFailedException(
                $"{key}: wrong key. {failure.Message}",
                "Give the private key of a recipient that the set's manifest lists. Whatever the store, it is encrypted the same.", failure);
        }

        var prefix = $"{store.Name}: ";
        var message = failure.Message.StartsWith(prefix, StringComparison.Ordinal) ? failure.Message[prefix.Length..] : failure.Message;
        message = failure is AgeException age ? $"{Word(age.Fault)}: {message}" : message;
        _failures.Add($"{prefix}{message}");
        sources.Failed(new StoreFailure(store.Name, key, message));
    }

    private static string Word(AgeFault fault) => fault switch
    {
        AgeFault.Truncated => "truncated",
        AgeFault.Changed => "changed",
        _ => "not encrypted by us",
    };

    private async ValueTask CloseAsync()
    {
        if (_opened is null) return;

        await _opened.DisposeAsync();
        _opened = null;
    }

    /// <summary>One store's copy, opened through all layers.</summary>
    private sealed class Opened(Stream stored, MeasuredStream? measured, AgeDecryptingStream decrypting, DecompressionStream content) : IAsyncDisposable
    {
        public Stream Content => content;

        /// <param name="measured">What is stored is to be hashed.</param>
        public static async Task<Opened> OpenAsync(IBackupStore store, string key, bool measured, ImmutableArray<AgeIdentity> identities, CancellationToken cancellationToken)
        {
            var stored = await store.OpenAsync(key, 0, cancellationToken);
            try
            {
                var hashing = measured ? new MeasuredStream(stored) : null;
                var decrypting = await AgeDecryptingStream.OpenAsync(hashing ?? stored, identities, cancellationToken);
                return new Opened(stored, hashing, decrypting, new DecompressionStream(decrypting, checkEndOfStream: true, leaveOpen: true));
            }
            catch
            {
                await stored.DisposeAsync();
                throw;
            }
        }

        public async Task SkipAsync(long bytes, CancellationToken cancellationToken)
        {
            var buffer = new byte[128 * 1024];
            while (bytes > 0)
            {
                var count = await content.ReadAsync(buffer.AsMemory(0, (int)Math.Min(bytes, buffer.Length)), cancellationToken);
                if (count == 0) throw new AgeException(AgeFault.Truncated, "It ends before the other store's copy.");
                bytes -= count;
            }
        }

        /// <summary>The encryption's own end must have been seen, too.</summary>
        /// <returns>The hash of what is stored, where it was to be measured.</returns>
        public async Task<string?> EndAsync(CancellationToken cancellationToken)
        {
            if (await decrypting.ReadAsync(new byte[1], cancellationToken) > 0) throw new AgeException(AgeFault.Changed, "Something follows the compressed content.");
            return measured?.Hash();
        }

        public async ValueTask DisposeAsync()
        {
            await content.DisposeAsync();
            await decrypting.DisposeAsync();
            if (measured is not null) await measured.DisposeAsync();
            await stored.DisposeAsync();
        }
    }
}
