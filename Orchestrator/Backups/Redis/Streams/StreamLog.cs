using System.Globalization;
using System.Text;

namespace Orchestrator.Backups.Redis.Streams;

/// <summary>
/// What was received since one full copy, on the daemon's disk: a directory that a Redis 7 starts on (<c>redis-server --appendonly yes --dir EPOCH</c>), of the
/// copy and of files with the commands behind it.
/// </summary>
internal sealed class StreamLog : IAsyncDisposable
{
    private const string Name = "appendonly.aof";
    private const long FileBytes = 64L * 1024 * 1024;
    private const long IdleMark = 60;

    private readonly string _directory;
    private readonly Lock _gate = new();
    private FileStream? _file;
    private int _sequence;
    private long _stamp;
    private long _written;
    private bool _inTransaction;
    private bool _changed;

    private StreamLog(string epoch, EpochState state)
    {
        Epoch = epoch;
        State = state;
        Position = state.Start.Offset;
        Cut = new(1, 0, Position);
        _directory = Path.Combine(epoch, "appendonlydir");
    }

    /// <summary>Its directory.</summary>
    public string Epoch { get; }

    public EpochState State { get; private set; }

    /// <summary>Offset up to which everything was written; durable up to the last cut.</summary>
    public long Position { get; private set; }

    /// <summary>Bytes of commands on the disk.</summary>
    public long Bytes { get; private set; }

    /// <summary>Up to where everything is durable, and slices may be cut.</summary>
    public StreamPlace Cut { get; private set; }

    /// <summary>Commands that were written since it was opened.</summary>
    public long Commands { get; private set; }

    public string BasePath => Path.Combine(_directory, $"{Name}.1.base.rdb");

    private string ManifestPath => Path.Combine(_directory, $"{Name}.manifest");

    /// <summary>Begins an epoch with a copy that lies at <paramref name="copy"/>. Nothing of it is there before all of it is.</summary>
    public static StreamLog Begin(string root, string copy, EpochState state)
    {
        var last = EpochsIn(root).LastOrDefault() is { } newest ? int.Parse(Path.GetFileName(newest), CultureInfo.InvariantCulture) : 0;
        var epoch = Path.Combine(root, (last + 1).ToString("000000", CultureInfo.InvariantCulture));
        var pending = new StreamLog(epoch + ".part", state);
        if (Directory.Exists(pending.Epoch)) Directory.Delete(pending.Epoch, recursive: true);
        Directory.CreateDirectory(pending._directory);
        File.Move(copy, pending.BasePath);
        pending.WriteManifest(0);
        state.Save(pending.Epoch);
        Directory.Move(pending.Epoch, epoch);
        return new StreamLog(epoch, state);
    }

    /// <summary>All epochs, oldest first, each cut back to its last whole command.</summary>
    public static async Task<List<StreamLog>> ReopenAsync(string root, CancellationToken cancellationToken)
    {
        var logs = new List<StreamLog>();
        foreach (var epoch in EpochsIn(root))
        {
            var log = new StreamLog(epoch, EpochState.Load(epoch));
            await log.RecoverAsync(cancellationToken);
            logs.Add(log);
        }

        return logs;
    }

    /// <summary>Adds a command. Offsets count all of them; those that say nothing about data are not written.</summary>
    /// <param name="seconds">When it came, unix time.</param>
    public async ValueTask AddAsync(string command, ReadOnlyMemory<byte> bytes, long seconds, CancellationToken cancellationToken)
    {
        var before = Position;
        Position += bytes.Length;
        _changed = true;
        if (command is "PING" or "REPLCONF") return;

        var file = _file ??= NextFile(before);
        // Before the first command of each second, so that what stands behind a time came at that time or later. It says the offset, too: the dropped ones count.
        if (!_inTransaction && (seconds > _stamp || before != _written)) await WriteAsync(file, AofRemark.Write(_stamp = Math.Max(_stamp, seconds), before), cancellationToken);
        if (command == "MULTI") _inTransaction = true;
        await WriteAsync(file, bytes, cancellationToken);
        if (command == "EXEC") _inTransaction = false;
        _written = Position;
        Commands++;
    }

    /// <summary>Makes all of it survive a power cut, and says how late it is.</summary>
    /// <returns>The place reached, up to which slices may be cut.</returns>
    public async Task<StreamPlace> CutAsync(long seconds, CancellationToken cancellationToken)
    {
        if (_inTransaction || (!_changed && seconds - _stamp < IdleMark)) return Cut;

        var file = _file ??= NextFile(Position);
        await WriteAsync(file, AofRemark.Write(_stamp = Math.Max(_stamp, seconds), Position), cancellationToken);
        await file.FlushAsync(cancellationToken);
        file.Flush(flushToDisk: true);
        _written = Position;
        _changed = false;
        Cut = new StreamPlace(_sequence, file.Length, Position);
        if (file.Length < FileBytes) return Cut;

        await file.DisposeAsync();
        _file = null;
        return Cut;
    }

    /// <summary>Copies the commands between two places.</summary>
    public async Task CopyAsync(StreamPlace from, StreamPlace to, Stream target, CancellationToken cancellationToken)
    {
        await target.WriteAsync(AofRemark.WriteOffset(from.Offset), cancellationToken);
        var buffer = new byte[64 * 1024];
        for (var sequence = from.Sequence; sequence <= to.Sequence; sequence++)
        {
            await using var file = new FileStream(PathOf(sequence), FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            file.Position = sequence == from.Sequence ? from.Bytes : 0;
            var end = sequence == to.Sequence ? to.Bytes : file.Length;
            while (file.Position < end)
            {
                var count = await file.ReadAsync(buffer.AsMemory(0, (int)Math.Min(buffer.Length, end - file.Position)), cancellationToken);
                if (count == 0) throw new EndOfStreamException($"{file.Name} is shorter than it was");
                await target.WriteAsync(buffer.AsMemory(0, count), cancellationToken);
            }
        }
    }

    /// <summary>The last place that is not behind the offset.</summary>
    public async Task<StreamPlace> FindAsync(long offset, CancellationToken cancellationToken)
    {
        var found = new StreamPlace(1, 0, State.Start.Offset);
        for (var sequence = 1; File.Exists(PathOf(sequence)); sequence++)
        {
            await foreach (var item in AofScan.OfAsync(PathOf(sequence), cancellationToken))
            {
                if (item.Offset > offset) return found;
                if (item.IsRemark && !item.InTransaction) found = new(sequence, item.Bytes, item.Offset);
            }
        }

        return found;
    }

    /// <summary>What receives and what sends to the stores both write it.</summary>
    public void Change(Func<EpochState, EpochState> change)
    {
        lock (_gate)
        {
            State = change(State);
            State.Save(Epoch);
        }
    }

    public async Task RemoveAsync()
    {
        await DisposeAsync();
        Directory.Delete(Epoch, recursive: true);
    }

    public async ValueTask DisposeAsync()
    {
        if (_file is not null) await _file.DisposeAsync();
        _file = null;
    }

    private static IEnumerable<string> EpochsIn(string root) =>
        Directory.EnumerateDirectories(root).Where(directory => Path.GetFileName(directory) is { Length: 6 } name && name.All(char.IsAsciiDigit)).Order(StringComparer.Ordinal);

    private string PathOf(int sequence) => Path.Combine(_directory, string.Create(CultureInfo.InvariantCulture, $"{Name}.{sequence}.incr.aof"));

    /// <summary>Cuts off what was begun and not finished when the daemon died, and finds the offset from which to ask Redis to go on.</summary>
    private async Task RecoverAsync(CancellationToken cancellationToken)
    {
        while (File.Exists(PathOf(_sequence + 1))) Bytes += new FileInfo(PathOf(++_sequence)).Length;
        for (; _sequence > 0; _sequence--)
        {
            AofScan.Item? whole = null;
            await foreach (var item in AofScan.OfAsync(PathOf(_sequence), cancellationToken))
            {
                if (!item.InTransaction) whole = item;
            }

            if (whole is { } last)
            {
                Position = _written = last.Offset;
                _file = new FileStream(PathOf(_sequence), FileMode.Open, FileAccess.Write, FileShare.Read);
                _file.SetLength(last.Bytes);
                _file.Seek(0, SeekOrigin.End);
                WriteManifest(_sequence);
                Cut = await FindAsync(Position, cancellationToken);
                _changed = Cut.Offset < Position;
                return;
            }

            // It was made, and nothing was in it yet.
            WriteManifest(_sequence - 1);
            File.Delete(PathOf(_sequence));
        }
    }

    private async ValueTask WriteAsync(FileStream file, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        Bytes += bytes.Length;
        await file.WriteAsync(bytes, cancellationToken);
    }

    private FileStream NextFile(long offset)
    {
        _sequence++;
        var file = new FileStream(PathOf(_sequence), FileMode.Create, FileAccess.Write, FileShare.Read, bufferSize: 64 * 1024);
        WriteManifest(_sequence);
        file.Write(AofRemark.WriteOffset(offset));
        _written = offset;
        return file;
    }

    private void WriteManifest(int incremental)
    {
        var text = new StringBuilder($"file {Name}.1.base.rdb seq 1 type b\n");
        for (var sequence = 1; sequence <= incremental; sequence++) text.Append(CultureInfo.InvariantCulture, $"file {Name}.{sequence}.incr.aof seq {sequence} type i\n");
        EpochState.Replace(ManifestPath, text.ToString());
    }
}
