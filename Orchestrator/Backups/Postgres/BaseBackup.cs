using System.Buffers;
using System.Collections.Immutable;
using System.Globalization;
using System.Text.RegularExpressions;
using Orchestrator.Backups.Pipeline;

namespace Orchestrator.Backups.Postgres;

/// <summary>Copies a cluster's files while it runs. Nothing is published unless the program ended well, the archive is whole, and it says where it began.</summary>
internal sealed partial class BaseBackup(ImageTool tool)
{
    private const int BufferSize = 256 * 1024;

    /// <param name="followed">From its end on the log is kept: no file is read before.</param>
    /// <returns>
    /// The copy, as soon as all files have been read, and the object that it becomes, when the stores have it. Both fail where there is no copy.
    /// </returns>
    public (Task<BaseCopy> Copied, Task<BackupObject> Stored) Begin(
        BackupSubject subject, PostgresLogin login, ServerFacts facts, Task followed, BackupWriter writer, CancellationToken cancellationToken)
    {
        var copied = new TaskCompletionSource<BaseCopy>(TaskCreationOptions.RunContinuationsAsynchronously);
        var storing = writer.WriteAsync(
            $"{subject.Service.Name}/base.tar",
            async (output, token) =>
            {
                var watch = new TarWatch();
                await tool.RunAsync(subject, login, Program(login, facts), followed, (pipe, inner) => CopyAsync(subject, facts, pipe, output, watch, writer, inner), token);
                copied.SetResult(Judge(subject, facts, watch));
            },
            cancellationToken);
        return (CopiedAsync(copied.Task, storing), storing);
    }

    private static async Task<BaseCopy> CopiedAsync(Task<BaseCopy> copied, Task<BackupObject> storing)
    {
        await Task.WhenAny(copied, storing);
        if (!copied.IsCompleted) await storing;
        return copied.IsCompleted ? await copied : throw new InvalidOperationException("The writer did not ask for the content.");
    }

    /// <summary>
    /// Without the log, which is followed apart. Where the server archives, the log is asked for nevertheless: without it PostgreSQL waits at the end until its
    /// archive command has succeeded, for ever if it does not.
    /// </summary>
    private static ImmutableArray<string> Program(PostgresLogin login, ServerFacts facts) =>
    [
        "pg_basebackup", .. login.Arguments, "-d", PostgresLogin.Keepalives,
        "-D", "-", "-F", "t", "-X", facts.Archives ? "fetch" : "none", "--checkpoint=fast", "--label=basmalin",
    ];

    /// <summary>On a thread of its own: each read and write that is waited for in another way costs a change of threads, a twentieth of the whole copy.</summary>
    private static Task CopyAsync(
        BackupSubject subject, ServerFacts facts, Stream pipe, Stream output, TarWatch watch, BackupWriter writer, CancellationToken cancellationToken) =>
        Task.Factory.StartNew(() => Copy(subject, facts, pipe, output, watch, writer, cancellationToken), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private static void Copy(
        BackupSubject subject, ServerFacts facts, Stream pipe, Stream output, TarWatch watch, BackupWriter writer, CancellationToken cancellationToken)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
        var copied = 0L;
        try
        {
            int read;
            while ((read = pipe.Read(buffer)) > 0)
            {
                cancellationToken.ThrowIfCancellationRequested();
                watch.Feed(buffer.AsSpan(0, read));
                output.Write(buffer.AsSpan(0, read));
                copied += read;
                writer.Report($"{subject.Service.Name}: database files", copied, Math.Max(facts.Bytes, copied));
            }

            cancellationToken.ThrowIfCancellationRequested();
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static BaseCopy Judge(BackupSubject subject, ServerFacts facts, TarWatch watch)
    {
        var who = $"{subject.Stack}/{subject.Service.Name}";
        BackupFailedException Broken(string what) => new($"{who}: pg_basebackup ended with 0, but {what}", "Nothing was kept of it. The next run begins anew; if it happens again, see the database's log.");

        if (!watch.Ended) throw Broken("its archive has no end");
        if (!watch.Has("PG_VERSION")) throw Broken("its archive holds no PG_VERSION");
        if (watch.Has("tablespace_map") && watch.Find("tablespace_map") is { Length: > 0 }) throw Broken("it has tablespaces, which are in no archive of ours");
        if (watch.Find("backup_label") is not { } label || StartLine().Match(label) is not { Success: true } start) throw Broken("its backup_label does not say where it began");
        var timeline = TimelineLine().Match(label);
        var stop = watch.Find("backup_manifest") is { } manifest ? EndPosition().Match(manifest) : null;
        // Manifests came with version 13.
        if (facts.VersionNumber >= 130000 && stop is not { Success: true }) throw Broken("its backup_manifest is missing or cut");
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

    /// <summary>Null before version 13, which does not say it.</summary>
    public required Lsn? Stop { get; init; }

    public required uint Timeline { get; init; }

    public required int Files { get; init; }
}
