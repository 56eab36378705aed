using System.Collections.Immutable;
using Npgsql;
using Orchestrator.Backups.Keeping;
using Orchestrator.Backups.Pipeline;
using Orchestrator.Docker;

namespace Orchestrator.Backups.Postgres;

/// <summary>
/// A PostgreSQL cluster, physically: its files, the log that makes them consistent, and a named restore point at which every table was hashed. A set can be
/// restored with nothing but itself; the continuous log beside the sets takes it to any later moment.
/// </summary>
public sealed class PostgresSource(IContainerEngine engine, PostgresLogins logins, ImageTool tool, TimeProvider time) : IBackupSource
{
    public const string KindName = "postgres";

    public string Kind => KindName;

    public async Task<ImmutableArray<BackupFinding>> CheckAsync(BackupSubject subject, CancellationToken cancellationToken)
    {
        try
        {
            return await PostgresChecks.RunAsync(subject, await logins.OfAsync(subject, cancellationToken), cancellationToken);
        }
        catch (BackupFailedException without)
        {
            return [new(true, without.Message, without.Hint)];
        }
    }

    public async Task<BackupPart> BackupAsync(BackupSubject subject, BackupWriter writer, CancellationToken cancellationToken)
    {
        var login = await logins.OfAsync(subject, cancellationToken);
        var findings = await PostgresChecks.RunAsync(subject, login, cancellationToken);
        if (findings.FirstOrDefault(finding => finding.Blocking) is { } blocking)
            throw new BackupFailedException($"{subject.Stack}/{subject.Service.Name}: {blocking.What}", blocking.Hint);

        try
        {
            return await CopyAsync(subject, login, writer, cancellationToken);
        }
        catch (Exception failure) when (failure is NpgsqlException or TimeoutException)
        {
            throw PostgresChecks.Failed(subject, login, failure);
        }
        catch (EngineException failure)
        {
            throw new BackupFailedException($"{subject.Stack}/{subject.Service.Name}: {failure.Message}", "Nothing was kept of it; the next run begins anew.", failure);
        }
    }

    public RecoverySection? Recovery(BackupPart part) => PostgresRecovery.Section(part);

    public Task RestoreAsync(BackupPart part, RestoreTarget target, BackupReader reader, CancellationToken cancellationToken) =>
        new PostgresRestore(part, target, reader).RunAsync(cancellationToken);

    public Task<ImmutableSortedDictionary<string, string>> FingerprintsAsync(BackupSubject subject, CancellationToken cancellationToken) =>
        FingerprintsAsync(subject, RowHash.Columns, cancellationToken);

    public Task<ImmutableSortedDictionary<string, string>> FingerprintsLikeAsync(BackupPart part, BackupSubject subject, CancellationToken cancellationToken) =>
        FingerprintsAsync(subject, PostgresFacts.RowHashOf(part), cancellationToken);

    private async Task<ImmutableSortedDictionary<string, string>> FingerprintsAsync(BackupSubject subject, RowHash hash, CancellationToken cancellationToken)
    {
        var login = await logins.OfAsync(subject, cancellationToken);
        try
        {
            return await LiveFingerprints.OfAsync(login, hash, cancellationToken);
        }
        catch (Exception failure) when (failure is NpgsqlException or TimeoutException)
        {
            throw PostgresChecks.Failed(subject, login, failure);
        }
    }

    /// <summary>
    /// Sets a named restore point without copying anything: a moment that the continuous log can be recovered to, once it has reached the stores
    /// (<see cref="WalReceiver.UntilOffHostAsync"/>).
    /// </summary>
    /// <param name="name">At most 63 characters; not the name of an earlier one, since recovery ends at the first.</param>
    public async Task<Lsn> MarkAsync(BackupSubject subject, string name, CancellationToken cancellationToken)
    {
        var login = await logins.OfAsync(subject, cancellationToken);
        try
        {
            await using var connection = await login.OpenAsync("postgres", cancellationToken);
            await TableFingerprints.PrepareAsync(connection, cancellationToken);
            await using var command = new NpgsqlCommand("SELECT pg_create_restore_point(@name)::text", connection);
            command.Parameters.AddWithValue("name", name);
            var lsn = Lsn.Parse((string)(await command.ExecuteScalarAsync(cancellationToken) ?? ""));
            await QuietPoint.FlushAsync(connection, cancellationToken);
            return lsn;
        }
        catch (Exception failure) when (failure is NpgsqlException or TimeoutException)
        {
            throw PostgresChecks.Failed(subject, login, failure);
        }
    }

    private async Task<BackupPart> CopyAsync(BackupSubject subject, PostgresLogin login, BackupWriter writer, CancellationToken cancellationToken)
    {
        ServerFacts server;
        string dataDirectory;
        await using (var connection = await login.OpenAsync("postgres", cancellationToken))
        {
            server = await ServerFacts.ReadAsync(connection, sized: true, cancellationToken);
            dataDirectory = await DataDirectoryAsync(subject, connection, cancellationToken);
        }

        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var following = SetLog.OpenAsync(login, stopping.Token);
        var (copied, storing) = new BaseBackup(tool).Begin(subject, login, server, following, writer, stopping.Token);
        try
        {
            await using var log = await following;
            var copy = await copied;
            if (copy.Timeline != log.Timeline)
                throw new BackupFailedException($"{subject.Stack}/{subject.Service.Name}: the server was promoted while it was copied", "The next run begins anew.");

            // The stores write and read back while the tables are hashed.
            return await ProveAsync(subject, login, new(server, dataDirectory, copy, storing), log, writer, cancellationToken);
        }
        catch
        {
            await stopping.CancelAsync();
            await ((Task)storing).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);       // what went wrong first is what counts
            throw;
        }
    }

    private async Task<BackupPart> ProveAsync(BackupSubject subject, PostgresLogin login, CopiedCluster cluster, SetLog log, BackupWriter writer, CancellationToken cancellationToken)
    {
        var (service, server, copy) = (subject.Service.Name, cluster.Server, cluster.Copy);
        await using var point = await QuietPoint.TakeAsync(login, $"basmalin_{Guid.CreateVersion7():N}", time, cancellationToken);
        var (stored, fingerprints) = await Together.RunAsync(
            token => log.WriteAsync($"{service}/wal.tar", copy.Start, point.Lsn, server.SegmentSize, writer, token),
            token => point.FingerprintsAsync((done, all) => writer.Report($"{service}: tables hashed", done, all), token),
            cancellationToken);

        var facts = new PostgresFacts
        {
            SystemIdentifier = server.SystemIdentifier,
            Timeline = copy.Timeline,
            Start = copy.Start,
            PointLsn = point.Lsn,
            PointName = point.Name,
            PointAt = point.At,
            // Before version 13 the end of the copying is not said; the point lies after it.
            Consistent = copy.Stop ?? point.Lsn,
            SegmentSize = server.SegmentSize,
            Version = server.Version,
            Image = subject.Image,
            DataDirectory = cluster.DataDirectory,
        };
        return new()
        {
            Service = service,
            Kind = KindName,
            Objects = [await cluster.Storing, stored],
            Facts = facts.Write(subject.Stack, service, subject.Backup.Wal, point.Uncovered),
            Fingerprints = fingerprints,
        };
    }

    /// <summary>Only a privileged role is told; everybody else's is where the image's users put it.</summary>
    private async Task<string> DataDirectoryAsync(BackupSubject subject, NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        try
        {
            await using var command = new NpgsqlCommand("SHOW data_directory", connection);
            return (string)(await command.ExecuteScalarAsync(cancellationToken) ?? "");
        }
        catch (PostgresException refused) when (refused.SqlState == PostgresErrorCodes.InsufficientPrivilege)
        {
            var asked = await engine.ExecAsync(subject.Container.Id, ["sh", "-c", "printf %s \"$PGDATA\""], null, cancellationToken);
            return asked is { ExitCode: 0, Output.Length: > 0 } ? asked.Output : PostgresRestore.UsualDirectory;
        }
    }

    /// <param name="Storing">The copy's way into the stores.</param>
    private sealed record CopiedCluster(ServerFacts Server, string DataDirectory, BaseCopy Copy, Task<BackupObject> Storing);
}
