namespace Orchestrator.Backups.Postgres;

/// <summary>
/// The log of one timeline on this host's disk: whole segments under their own names, the one that is being written as <c>.partial</c>. A partial segment
/// of an earlier process is never cut: it is received once more beside it, and takes its place when it reaches as far.
/// </summary>
internal sealed class LocalLog : IDisposable
{
    private const string Partial = ".partial";
    private const string Aside = ".aside";
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly Lock _gate = new();
    private readonly string _directory;
    private readonly long _segmentSize;
    private FileStream? _file;
    private Lsn _fileStart;
    private readonly Lsn _swapAt;

    /// <param name="start">Where receiving goes on: the beginning of a segment.</param>
    /// <param name="known">Up to where an earlier process is known to have had it, at least.</param>
    public LocalLog(string directory, uint timeline, long segmentSize, Lsn start, Lsn known)
    {
        if (start != start.SegmentStart(segmentSize)) throw new ArgumentException($"{start} is not where a segment begins", nameof(start));
        _directory = directory;
        _segmentSize = segmentSize;
        _swapAt = known;
        Timeline = timeline;
        Written = Durable = start;
        Directory.CreateDirectory(directory, Private | UnixFileMode.UserExecute);
    }

    public uint Timeline { get; }

    /// <summary>Received.</summary>
    public Lsn Written { get; private set; }

    /// <summary>On the disk.</summary>
    public Lsn Durable { get; private set; }

    /// <summary>Where whole segments that are here end, from a position on; where one must begin to receive.</summary>
    public static Lsn WholeUntil(string directory, uint timeline, long segmentSize, Lsn from)
    {
        var at = from.SegmentStart(segmentSize);
        while (File.Exists(Path.Combine(directory, WalNames.Segment(timeline, at, segmentSize)))) at += segmentSize;
        return at;
    }

    public void Append(Lsn at, ReadOnlySpan<byte> data)
    {
        if (at != Written) throw new InvalidDataException($"the log goes on at {at}, and {Written} was due");
        lock (_gate)
        {
            while (!data.IsEmpty)
            {
                var file = _file ?? Open();
                var room = _segmentSize - (Written - _fileStart);
                var taken = (int)Math.Min(room, data.Length);
                RandomAccess.Write(file.SafeFileHandle, data[..taken], Written - _fileStart);
                Written += taken;
                data = data[taken..];
                if (taken == room) Complete(file);
            }
        }
    }

    /// <param name="buffer">What it goes through.</param>
    public async Task AppendAsync(Lsn at, Stream data, byte[] buffer, CancellationToken cancellationToken)
    {
        int read;
        while ((read = await data.ReadAsync(buffer, cancellationToken)) > 0)
        {
            Append(at, buffer.AsSpan(0, read));
            at += read;
        }
    }

    /// <summary>Puts all that was received on the disk.</summary>
    public void Flush()
    {
        lock (_gate)
        {
            if (Durable == Written) return;
            if (_file is { } file)
            {
                file.Flush(flushToDisk: true);
                Swap(file);
            }

            Durable = Written;
        }
    }

    /// <summary>Opens what there is from a position to another, both within one segment.</summary>
    /// <exception cref="IOException">It is not here (any more).</exception>
    public Stream Read(Lsn from, Lsn to)
    {
        lock (_gate)
        {
            var start = from.SegmentStart(_segmentSize);
            var path = _file is { } open && start == _fileStart ? open.Name : PathOf(start);
            return new FileSlice(path, from - start, to - from);
        }
    }

    /// <summary>Removes whole segments that end at or before a position, and says how many bytes are left.</summary>
    public void Remove(Lsn before)
    {
        foreach (var path in Directory.EnumerateFiles(_directory).Where(path => Path.GetFileName(path).Length == 24).ToList())
        {
            var name = Path.GetFileName(path);
            if (string.CompareOrdinal(name, WalNames.Segment(Timeline, before, _segmentSize)) < 0) File.Delete(path);
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _file?.Dispose();
            _file = null;
        }
    }

    private string PathOf(Lsn at) => Path.Combine(_directory, WalNames.Segment(Timeline, at, _segmentSize));

    private FileStream Open()
    {
        _fileStart = Written.SegmentStart(_segmentSize);
        var partial = PathOf(_fileStart) + Partial;
        // Its content up to here is not known to be whole, but it may hold what the server has thrown away since.
        var path = File.Exists(partial) ? PathOf(_fileStart) + Aside : partial;
        _file = new FileStream(path, new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.ReadWrite, Share = FileShare.ReadWrite, BufferSize = 0, UnixCreateMode = Private });
        _file.SetLength(_segmentSize);
        return _file;
    }

    private void Swap(FileStream file)
    {
        if (!file.Name.EndsWith(Aside, StringComparison.Ordinal) || Written < _swapAt) return;

        var partial = PathOf(_fileStart) + Partial;
        File.Move(file.Name, partial, overwrite: true);
        PosixFiles.SyncDirectory(_directory);
        file.Dispose();
        _file = new FileStream(partial, new FileStreamOptions { Mode = FileMode.Open, Access = FileAccess.ReadWrite, Share = FileShare.ReadWrite, BufferSize = 0 });
    }

    private void Complete(FileStream file)
    {
        file.Flush(flushToDisk: true);
        var name = file.Name;
        file.Dispose();
        _file = null;
        File.Move(name, PathOf(_fileStart), overwrite: true);
        File.Delete(PathOf(_fileStart) + Partial);
        PosixFiles.SyncDirectory(_directory);
        Durable = Written;
    }
}
