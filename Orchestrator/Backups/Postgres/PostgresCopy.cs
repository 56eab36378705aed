using System.Collections.Immutable;
using Orchestrator.Backups.Pipeline;

namespace Orchestrator.Backups.Postgres;

/// <summary>One copy of a running cluster: its files, a point at which every table was hashed, and the log that takes the files there.</summary>
internal sealed class PostgresCopy(ImageTool tool, BackupSubject subject, PostgresLogin login, ServerFacts server, BackupWriter writer, TimeProvider time)
{
    /// <summary>In the message of a failure: the program ended by itself, of what it or the server found wrong.</summary>
    public const string Refused = "pg_basebackup ended with 1:";

    private readonly BaseBackup _files = new(tool, subject, login, server, writer);

    /// <summary>Something of the files has come.</summary>
    public bool Began => _files.Began;

    /// <summary>Once.</summary>
    /// <exception cref="BackupFailedException">It cannot be copied, or no store took it. Nothing was published, or what was is discarded with the set.</exception>
    public async Task<CopiedCluster> RunAsync(CancellationToken cancellationToken)
    {
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var following = SetLog.OpenAsync(login, server.VersionNumber, stopping.Token);
        var (copied, storing) = _files.Begin(following, stopping.Token);

        // The stores write and read back while the tables are hashed; whatever fails first ends the other.
        var (stored, proof) = await Together.RunAsync(
            token => StoredAsync(storing, stopping, token),
            token => ProveAsync(copied, following, token),
            cancellationToken);
        return new(proof.Base, proof.Point, [.. stored, proof.Log], proof.Fingerprints);
    }

    /// <summary>It was begun before, with a token of its own: that ends with the other, and the other with it.</summary>
    private static async Task<ImmutableArray<BackupObject>> StoredAsync(Task<ImmutableArray<BackupObject>> storing, CancellationTokenSource stopping, CancellationToken cancellationToken)
    {
        await using var told = cancellationToken.Register(stopping.Cancel);
        try
        {
            return await storing;
        }
        catch
        {
            await stopping.CancelAsync();
            throw;
        }
    }

    /// <summary>The views of the tables and the slot of the log, which hold back what the server cleans up, last no longer than this.</summary>
    private async Task<Proof> ProveAsync(Task<BaseCopy> copied, Task<SetLog> following, CancellationToken cancellationToken)
    {
        var service = subject.Service.Name;
        await using var log = await following;
        var copy = await copied;
        if (copy.Timeline != log.Timeline)
            throw new BackupFailedException($"{subject.Stack}/{service}: the server was promoted while it was copied", "The next run begins anew.");

        await using var point = await QuietPoint.TakeAsync(login, $"basmalin_{Guid.CreateVersion7():N}", time, cancellationToken);
        var (stored, fingerprints) = await Together.RunAsync(
            token => log.WriteAsync($"{service}/wal.tar", copy.Start, point.Lsn, server.SegmentSize, writer, token),
            token => point.FingerprintsAsync((done, all) => writer.Report($"{service}: tables hashed", done, all), token),
            cancellationToken);

        return new(copy, point, stored, fingerprints);
    }

    private sealed record Proof(BaseCopy Base, QuietPoint Point, BackupObject Log, ImmutableSortedDictionary<string, string> Fingerprints);
}

/// <summary>A cluster's files, what they have to equal when they are restored, and the log that takes them there.</summary>
/// <param name="Point">Let go of already; what it says of itself stays.</param>
internal sealed record CopiedCluster(BaseCopy Base, QuietPoint Point, ImmutableArray<BackupObject> Objects, ImmutableSortedDictionary<string, string> Fingerprints);
