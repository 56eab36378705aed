using Microsoft.Extensions.Logging.Abstractions;
using Orchestrator.Backups;
using Orchestrator.Backups.Encryption;
using Orchestrator.Backups.Keeping;
using Orchestrator.Backups.Pipeline;
using Orchestrator.Backups.Stores;

namespace Orchestrator.Tests.Backups.Postgres;

/// <summary>The real way into a directory, compressed and encrypted, that can be made to fail at will.</summary>
internal sealed class TestStore : IBackupStore
{
    private readonly DirectoryStore _inner;
    private readonly AgeIdentity _identity = AgeIdentity.Generate();
    private readonly BackupRepository _repository;
    private readonly string _root;

    public TestStore(string root, string stack)
    {
        _root = Directory.CreateDirectory(root).FullName;
        _inner = new("disk", root, TimeProvider.System);
        _repository = new(stack, [this], [_identity.Recipient], new CopyOptions { Pause = TimeSpan.FromMilliseconds(1) }, TimeProvider.System, NullLogger<BackupRepository>.Instance);
        Writer = _repository.WriterOfSet(BackupSetId.Of(1, DateTimeOffset.UnixEpoch), [], null);
    }

    public string Name => "disk";

    /// <summary>Of a set.</summary>
    public BackupWriter Writer { get; }

    public BackupWriter Stream => _repository.WriterOfStream("db");

    /// <summary>As it stands in a key file.</summary>
    public string PrivateKey => _identity.Export() + "\n";

    public string Root => _root;

    /// <summary>Publishes a set of one part, with its recovery card.</summary>
    public async Task<BackupManifest> PublishAsync(BackupPart part, RecoverySection card)
    {
        var manifest = new BackupManifest
        {
            Id = BackupSetId.Of(1, DateTimeOffset.UnixEpoch),
            Stack = _repository.Stack,
            CreatedAt = TimeProvider.System.GetUtcNow(),
            Reason = "manual",
            Program = "test",
            Recipients = [_identity.Recipient.Value],
            Parts = [part],
        };
        await new SetKeeper(_repository).PublishAsync(manifest, Writer, CancellationToken.None);
        Assert.That(await RecoveryCard.PutAsync(_repository, [card], CancellationToken.None), Is.Empty);
        return manifest;
    }

    public BackupReader Reader => _repository.Reader([_identity]);

    /// <summary>Called with the key and the bytes so far before each piece is written; what it throws is a store that fails.</summary>
    public Func<string, long, Task>? Before { get; set; }

    public IReadOnlyList<string> Keys =>
        [.. Directory.EnumerateFiles(_root, "*", SearchOption.AllDirectories).Select(file => Path.GetRelativePath(_root, file)).Where(key => !key.StartsWith('.')).Order(StringComparer.Ordinal)];

    /// <summary>What was begun, and neither published nor taken away.</summary>
    public IReadOnlyList<string> Begun =>
        [.. Directory.EnumerateFiles(_root, "*", SearchOption.AllDirectories).Select(file => Path.GetRelativePath(_root, file)).Where(key => key.StartsWith('.'))];

    public async Task<PendingObject> CreateAsync(string key, CancellationToken cancellationToken) => new Watched(await _inner.CreateAsync(key, cancellationToken), at => Before?.Invoke(key, at) ?? Task.CompletedTask);

    public Task<System.IO.Stream> OpenAsync(string key, long offset, CancellationToken cancellationToken) => _inner.OpenAsync(key, offset, cancellationToken);

    public Task<StoredObject?> FindAsync(string key, CancellationToken cancellationToken) => _inner.FindAsync(key, cancellationToken);

    public IAsyncEnumerable<StoredObject> ListAsync(string prefix, CancellationToken cancellationToken) => _inner.ListAsync(prefix, cancellationToken);

    public Task DeleteAsync(string key, CancellationToken cancellationToken) => _inner.DeleteAsync(key, cancellationToken);

    public Task<int> SweepAsync(TimeSpan olderThan, CancellationToken cancellationToken) => _inner.SweepAsync(olderThan, cancellationToken);

    private sealed class Watched(PendingObject inner, Func<long, Task> before) : PendingObject
    {
        public override System.IO.Stream Content { get; } = new WatchedStream(inner.Content, before);

        public override Task<StoredObject> PublishAsync(string hash, CancellationToken cancellationToken) => inner.PublishAsync(hash, cancellationToken);

        public override ValueTask DisposeAsync() => inner.DisposeAsync();
    }

    private sealed class WatchedStream(System.IO.Stream inner, Func<long, Task> before) : System.IO.Stream
    {
        private long _count;

        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            await before(_count);
            await inner.WriteAsync(buffer, cancellationToken);
            _count += buffer.Length;
        }

        public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        public override void Write(byte[] buffer, int offset, int count)
        {
            inner.Write(buffer, offset, count);
            _count += count;
        }

        public override Task FlushAsync(CancellationToken cancellationToken) => inner.FlushAsync(cancellationToken);

        public override void Flush() => inner.Flush();

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }
}
