using Orchestrator.Backups;

namespace Orchestrator.Tests.Backups.Stores;

/// <summary>A real store that fails where it is told to.</summary>
internal sealed class FaultyStore(IBackupStore inner) : IBackupStore
{
    public long FailWritingAfter { get; set; } = long.MaxValue;

    public long HangAfter { get; set; } = long.MaxValue;

    /// <summary>From here on writes hang until this has ended, whatever they are told: a directory on a server that is away.</summary>
    public (long After, Task Until) Stuck { get; set; } = (long.MaxValue, Task.CompletedTask);

    public long FailReadingAfter { get; set; } = long.MaxValue;

    public bool FailPublishing { get; set; }

    public bool FailListing { get; set; }

    public string Name => inner.Name;

    public async Task<PendingObject> CreateAsync(string key, CancellationToken cancellationToken) => new Pending(this, await inner.CreateAsync(key, cancellationToken));

    public async Task<Stream> OpenAsync(string key, long offset, CancellationToken cancellationToken) =>
        new Limited(await inner.OpenAsync(key, offset, cancellationToken), FailReadingAfter, long.MaxValue, (long.MaxValue, Task.CompletedTask), inner.Name);

    public Task<StoredObject?> FindAsync(string key, CancellationToken cancellationToken) => inner.FindAsync(key, cancellationToken);

    public IAsyncEnumerable<StoredObject> ListAsync(string prefix, CancellationToken cancellationToken) =>
        FailListing ? throw new BackupStoreException(Name, "refused by the test", null) : inner.ListAsync(prefix, cancellationToken);

    public Task DeleteAsync(string key, CancellationToken cancellationToken) => inner.DeleteAsync(key, cancellationToken);

    public Task<int> SweepAsync(TimeSpan olderThan, CancellationToken cancellationToken) => inner.SweepAsync(olderThan, cancellationToken);

    private sealed class Pending(FaultyStore store, PendingObject pending) : PendingObject
    {
        private readonly Limited _content = new(pending.Content, store.FailWritingAfter, store.HangAfter, store.Stuck, store.Name);

        public override Stream Content => _content;

        public override Task<StoredObject> PublishAsync(string hash, CancellationToken cancellationToken) =>
            store.FailPublishing ? throw new BackupStoreException(store.Name, "refused by the test", null) : pending.PublishAsync(hash, cancellationToken);

        public override ValueTask DisposeAsync() => pending.DisposeAsync();
    }

    private sealed class Limited(Stream inner, long failAfter, long hangAfter, (long After, Task Until) stuck, string name) : Stream
    {
        private long _bytes;

        public override bool CanRead => inner.CanRead;

        public override bool CanSeek => false;

        public override bool CanWrite => inner.CanWrite;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => _bytes; set => throw new NotSupportedException(); }

        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            _bytes += buffer.Length;
            if (_bytes > failAfter) throw new BackupStoreException(name, "refused by the test", null);
            if (_bytes > hangAfter) await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
            if (_bytes > stuck.After) await stuck.Until;
            await inner.WriteAsync(buffer, cancellationToken);
        }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (_bytes > failAfter) throw new BackupStoreException(name, "refused by the test", null);
            var count = await inner.ReadAsync(buffer, cancellationToken);
            _bytes += count;
            return count;
        }

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override void Flush() => inner.Flush();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            if (disposing) inner.Dispose();
            base.Dispose(disposing);
        }
    }
}
