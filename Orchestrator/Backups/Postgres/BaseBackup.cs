using System.Buffers;
using System.Collections.Immutable;
using System.Globalization;
using System.Text.RegularExpressions;
using Orchestrator.Backups.Pipeline;

namespace Orchestrator.Backups.Postgres;

/// <summary>Copies a cluster's files while it runs. Nothing is published unless the program ended well, the archive is whole, and it says where it began.</summary>
internal sealed partial class BaseBackup(ImageTool tool, BackupSubject subject, PostgresLogin login, ServerFacts facts, BackupWriter writer)
{
    private const int BufferSize = 256 * 1024;

    private readonly TaskCompletionSource<BaseCopy> _copied = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly string _archive = $"{subject.Service.Name}/base.tar";
    private bool _cut;

    /// <summary>Something of the archive has come.</summary>
    public bool Began { get; private set; }

    /// <summary>Once.</summary>
    /// <param name="followed">From its end on the log is kept: no file is read before.</param>
    /// <returns>
    /// The copy, as soon as all files have been read, and the objects that it becomes, when the stores have them. Both fail where there is no copy.
    /// </returns>
    public (Task<BaseCopy> Copied, Task<ImmutableArray<BackupObject>> Stored) Begin(Task followed, CancellationToken cancellationToken)
    {
        var storing = facts.Compresses ? StoreCompressedAsync(followed, cancellationToken) : StoreAsync(followed, cancellationToken);
        return (CopiedAsync(storing), storing);
    }

    /// <summary>Compressed here. The program puts the server's list of files into the archive.</summary>
    private async Task<ImmutableArray<BackupObject>> StoreAsync(Task followed, CancellationToken cancellationToken)
    {
        var watch = new TarWatch();
        return [await writer.WriteAsync(_archive, (output, token) => RunAsync(followed, watch, (pipe, _) => (pipe, output), token), cancellationToken)];
    }

    /// <summary>
    /// As the server compressed it: a fraction of the bytes goes through its connection, the program and the pipe. It is decompressed beside that, to see that
    /// it is whole, and to list its files, which the program cannot do then.
    /// </summary>
    private async Task<ImmutableArray<BackupObject>> StoreCompressedAsync(Task followed, CancellationToken cancellationToken)
    {
        var list = new FileManifest();
        var watch = new TarWatch(list);
        var stored = await writer.WriteCompressedAsync(_archive, (compressed, token) => RunAsync(followed, watch, (pipe, inner) => (compressed.Open(pipe, inner), Stream.Null), token), cancellationToken);
        return [stored, await writer.WriteAsync($"{subject.Service.Name}/{FileManifest.Name}", list.WriteAsync, cancellationToken)];
    }

    private async Task<BaseCopy> CopiedAsync(Task storing)
    {
        var copied = _copied.Task;
        await Task.WhenAny(copied, storing);
        if (!copied.IsCompleted) await storing;
        return copied.IsCompleted ? await copied : throw new InvalidOperationException("The writer did not ask for the content.");
    }

    /// <param name="way">From the pipe: where the archive is read, and where it goes.</param>
    private async Task RunAsync(Task followed, TarWatch watch, Func<Stream, CancellationToken, (Stream From, Stream To)> way, CancellationToken cancellationToken)
    {
        // On a thread of its own: each read and write that is waited for in another way costs a change of threads, a twentieth of the whole copy.
        await tool.RunAsync(
            subject, login, Program(), followed,
            (pipe, token) => Task.Factory.StartNew(() => Copy(way(pipe, token), watch, token), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default),
            cancellationToken);
        _copied.SetResult(Judge(watch));
    }

    /// <summary>
    /// Without the log, which is followed apart. Where the server archives, the log is asked for nevertheless: without it PostgreSQL waits at the end until its
    /// archive command has succeeded, for ever if it does not.
    /// </summary>
    private ImmutableArray<string> Program() =>
    [
        "pg_basebackup", .. login.Arguments, "-d", PostgresLogin.Keepalives,
        "-D", "-", "-F", "t", "-X", facts.Archives ? "fetch" : "none", "--checkpoint=fast", "--label=basmalin",
        .. facts.Compresses ? (string[])[string.Create(CultureInfo.InvariantCulture, $"--compress=server-zstd:level={writer.Level},workers={Workers}"), "--no-manifest"] : [],
    ];

    /// <summary>Of the server; no more than its container may use.</summary>
    private int Workers => subject.Service.Container.Resources.Cpus is { } cpus ? Math.Min(writer.Workers, Math.Max(1, (int)cpus)) : writer.Workers;

    private void Copy((Stream From, Stream To) way, TarWatch watch, CancellationToken cancellationToken)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
        try
        {
            int read;
            while ((read = way.From.Read(buffer)) > 0)
            {
                cancellationToken.ThrowIfCancellationRequested();
                Began = true;
                watch.Feed(buffer.AsSpan(0, read));
                way.To.Write(buffer.AsSpan(0, read));
                writer.Report($"{subject.Service.Name}: database files", watch.Bytes, Math.Max(facts.Bytes, watch.Bytes));
            }

            cancellationToken.ThrowIfCancellationRequested();
        }
        catch (EndOfStreamException)
        {
            // Why it is cut the program's code tells, if anything does.
            _cut = true;
        }
        catch (InvalidDataException none)
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw Broken($"pg_basebackup wrote no archive: {none.Message}", none);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private BackupFailedException Broken(string what, Exception? inner = null) => new(
        $"{subject.Stack}/{subject.Service.Name}: {what}", "Nothing was kept of it. The next run begins anew; if it happens again, see the database's log.", inner);

    private BaseCopy Judge(TarWatch watch)
    {
        BackupFailedException Broken(string what) => this.Broken($"pg_basebackup ended with 0, but {what}");

        if (!watch.Ended || _cut) throw Broken("its archive has no end");
        if (!watch.Has("PG_VERSION")) throw Broken("its archive holds no PG_VERSION");
        if (watch.Has("tablespace_map") && watch.Find("tablespace_map") is { Length: > 0 }) throw Broken("it has tablespaces, which are in no archive of ours");
        if (watch.Find("backup_label") is not { } label || StartLine().Match(label) is not { Success: true } start) throw Broken("its backup_label does not say where it began");
        var timeline = TimelineLine().Match(label);
        var stop = watch.Find(FileManifest.Name) is { } manifest ? EndPosition().Match(manifest) : null;
        // Manifests came with version 13.
        if (!facts.Compresses && facts.VersionNumber >= 130000 && stop is not { Success: true }) throw Broken("its backup_manifest is missing or cut");
        return new()
        {
            Start = Lsn.Parse(start.Groups[1].Value),
            Stop = stop is { Success: true } ? Lsn.Parse(stop.Groups[1].Value) : null,
            Timeline = timeline.Success ? uint.Parse(timeline.Groups[1].Value, CultureInfo.InvariantCulture) : 1,
            Files = watch.Files,
        };
    }

    [GeneratedRegex(@"(?m)^START WAL LOCATION: ([0-9A-F]+/[0-9A-F]+) ")]
    private static partial Regex StartLine();

    [GeneratedRegex(@"(?m)^START TIMELINE: (\d+)")]
    private static partial Regex TimelineLine();

    [GeneratedRegex(@"""End-LSN"": ""([0-9A-F]+/[0-9A-F]+)"" \}\s*\],\s*""Manifest-Checksum"": ""[0-9a-f]{64}""\}\s*$")]
    private static partial Regex EndPosition();
}

/// <summary>A copy of the files, and the range of the log that makes them consistent.</summary>
internal sealed record BaseCopy
{
    public required Lsn Start { get; init; }

    /// <summary>Null where it is not said: before version 13, and where the server compresses.</summary>
    public required Lsn? Stop { get; init; }

    public required uint Timeline { get; init; }

    public required int Files { get; init; }
}
