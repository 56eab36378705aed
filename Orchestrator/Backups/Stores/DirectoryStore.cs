using System.Runtime.CompilerServices;
using Orchestrator.Backups.Pipeline;
using Orchestrator.Secrets;

namespace Orchestrator.Backups.Stores;

/// <summary>
/// Backups in a directory: another disk, a mount. An object is written aside, forced to the disk, read back, and then given its name, so that it is
/// there whole or not at all, also after a power cut. Directories are 0700, files 0600.
/// </summary>
public sealed class DirectoryStore(string name, string root, TimeProvider time) : IBackupStore
{
    private const string Pending = ".pending";
    private const long Stride = 16 << 20;
    private const UnixFileMode DirectoryMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private const UnixFileMode FileMode0600 = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly TimeProvider _time = time;
    private readonly string _root = Path.TrimEndingDirectorySeparator(Path.GetFullPath(root));

    public string Name => name;

    /// <summary>The directory that holds all of it.</summary>
    public string Root => _root;

    public Task<PendingObject> CreateAsync(string key, CancellationToken cancellationToken) => Try<PendingObject>($"{key} cannot be begun", () =>
    {
        var aside = Path.Combine(_root, Pending);
        MakeDirectory(aside);
        var path = Path.Combine(aside, $"{Guid.NewGuid():N}");
        var file = new FileStream(path, new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            Share = FileShare.None,
            BufferSize = 0,
            UnixCreateMode = FileMode0600,
        });
        return new PendingFile(this, StoreKeys.Check(key), path, file);
    });

    public Task<Stream> OpenAsync(string key, long offset, CancellationToken cancellationToken) => Try<Stream>($"{key} cannot be read", () =>
    {
        var file = new FileStream(PathOf(key), new FileStreamOptions { Mode = FileMode.Open, Access = FileAccess.Read, Share = FileShare.Read | FileShare.Delete, BufferSize = 0, Options = FileOptions.SequentialScan });
        file.Position = offset;
        return file;
    });

    public Task<StoredObject?> FindAsync(string key, CancellationToken cancellationToken) => Try($"{key} cannot be looked for", () =>
    {
        var file = new FileInfo(PathOf(key));
        return file.Exists ? new StoredObject(key, file.Length, new DateTimeOffset(file.LastWriteTimeUtc, TimeSpan.Zero)) : null;
    });

    public async IAsyncEnumerable<StoredObject> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var slash = prefix.LastIndexOf('/');
        var folder = slash < 0 ? _root : Path.Combine(_root, StoreKeys.Check(prefix[..slash]));
        foreach (var found in await Try($"{prefix} cannot be listed", () => Files(new DirectoryInfo(folder)).Where(file => file.Key.StartsWith(prefix, StringComparison.Ordinal)).ToList()))
        {
            cancellationToken.ThrowIfCancellationRequested();
            yield return found;
        }
    }

    public Task DeleteAsync(string key, CancellationToken cancellationToken) => Try($"{key} cannot be deleted", () =>
    {
        var path = PathOf(key);
        if (!File.Exists(path)) return false;

        File.Delete(path);
        DurableFile.SyncDirectory(Path.GetDirectoryName(path) ?? _root);
        for (var folder = Path.GetDirectoryName(path); folder is not null && folder.Length > _root.Length; folder = Path.GetDirectoryName(folder))
        {
            if (Directory.EnumerateFileSystemEntries(folder).Any() || !TryRemove(folder)) break;
        }

        return true;
    });

    public Task<int> SweepAsync(TimeSpan olderThan, CancellationToken cancellationToken) => Try("what was never published cannot be removed", () =>
    {
        var aside = new DirectoryInfo(Path.Combine(_root, Pending));
        var before = _time.GetUtcNow().UtcDateTime - olderThan;
        return aside.Exists ? aside.EnumerateFiles().Count(file => file.LastWriteTimeUtc <= before && TrySweep(file)) : 0;
    });

    /// <summary>A failure of the file system as one of this store.</summary>
    private Task<T> Try<T>(string what, Func<T> act)
    {
        try
        {
            return Task.FromResult(act());
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return Task.FromException<T>(new BackupStoreException(name, failure is FileNotFoundException or DirectoryNotFoundException ? $"{what}: it is not there" : $"{what}: {failure.Message}", failure));
        }
    }

    private string PathOf(string key) => Path.Combine(_root, StoreKeys.Check(key));

    /// <summary>Ordinal by key: a directory stands where its name with a slash behind it stands.</summary>
    private IEnumerable<StoredObject> Files(DirectoryInfo folder)
    {
        if (!folder.Exists) yield break;

        var entries = folder.EnumerateFileSystemInfos().Where(entry => !entry.Name.StartsWith('.'))
            .OrderBy(entry => entry is DirectoryInfo ? $"{entry.Name}/" : entry.Name, StringComparer.Ordinal);
        foreach (var entry in entries)
        {
            if (entry is DirectoryInfo inner)
            {
                foreach (var file in Files(inner)) yield return file;
            }
            else if (entry is FileInfo { Exists: true } file)
            {
                yield return new StoredObject(Path.GetRelativePath(_root, file.FullName), file.Length, new DateTimeOffset(file.LastWriteTimeUtc, TimeSpan.Zero));
            }
        }
    }

    private void MakeDirectory(string path)
    {
        if (Directory.Exists(path)) return;

        var parent = Path.GetDirectoryName(path);
        if (parent is not null && path.Length > _root.Length) MakeDirectory(parent);
        Directory.CreateDirectory(path, DirectoryMode);
        if (parent is not null) DurableFile.SyncDirectory(parent);
    }

    /// <summary>Another object may have been published into it meanwhile.</summary>
    private static bool TryRemove(string folder)
    {
        try
        {
            Directory.Delete(folder);
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }

    /// <summary>What is still being written is locked by its writer, in whatever process.</summary>
    private static bool TrySweep(FileInfo file)
    {
        try
        {
            using (file.Open(FileMode.Open, FileAccess.ReadWrite, FileShare.None)) file.Delete();
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }

    /// <summary>A file's own asynchronous writing is this on another thread, and the change of threads costs more than a write into the system's cache.</summary>
    private sealed class DirectStream(FileStream file, Action<long> told) : CountedStream(file, told)
    {
        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            cancellationToken.ThrowIfCancellationRequested();
            Write(buffer.Span);
            return ValueTask.CompletedTask;
        }
    }

    private sealed class PendingFile : PendingObject
    {
        private readonly DirectoryStore _store;
        private readonly string _key;
        private readonly string _path;
        private readonly FileStream _file;
        private readonly CountedStream _content;
        private long _onItsWay;

        public PendingFile(DirectoryStore store, string key, string path, FileStream file)
        {
            (_store, _key, _path, _file) = (store, key, path, file);
            _content = new DirectStream(file, SendOn);
        }

        public override Stream Content => _content;

        public override Task<StoredObject> PublishAsync(string hash, CancellationToken cancellationToken) => _store.Try($"{_key} cannot be published", () =>
        {
            _file.Flush(flushToDisk: true);
            _file.Dispose();
            Verify(hash, cancellationToken);
            var target = _store.PathOf(_key);
            var folder = Path.GetDirectoryName(target) ?? _store._root;
            Name(target, folder);
            DurableFile.SyncDirectory(folder);
            return new StoredObject(_key, _content.Bytes, _store._time.GetUtcNow());
        });

        public override async ValueTask DisposeAsync()
        {
            await _file.DisposeAsync();
            await _content.DisposeAsync();
            File.Delete(_path);     // after publishing there is none
        }

        /// <summary>To the disk while more is being written: else all of it has to go there at the end, while somebody waits.</summary>
        private void SendOn(long bytes)
        {
            if (bytes - _onItsWay < Stride) return;

            DurableFile.BeginWriting(_file.SafeFileHandle, _onItsWay, bytes - _onItsWay);
            _onItsWay = bytes;
        }

        private void Verify(string hash, CancellationToken cancellationToken)
        {
            using var back = new FileStream(_path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
            using var written = new MeasuredStream(back);
            var buffer = new byte[128 * 1024];
            while (written.Read(buffer) > 0) cancellationToken.ThrowIfCancellationRequested();
            if (written.Bytes != _content.Bytes || written.Hash() != hash)
                throw new IOException($"{_content.Bytes} bytes were written, and the disk gives back {written.Bytes} others");
        }

        /// <summary>A deletion may remove the directory, empty for a moment, before the object is in it.</summary>
        private void Name(string target, string folder)
        {
            for (var attempt = 1; ; attempt++)
            {
                _store.MakeDirectory(folder);
                try
                {
                    File.Move(_path, target, overwrite: true);
                    return;
                }
                catch (DirectoryNotFoundException) when (attempt < 10)
                {
                    continue;
                }
            }
        }
    }
}
