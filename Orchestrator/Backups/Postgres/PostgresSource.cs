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
        var server = await PostgresChecks.FitAsync(subject, login, cancellationToken);
        var dataDirectory = server.DataDirectory ?? await DataDirectoryAsync(subject, cancellationToken);
        var copy = new PostgresCopy(tool, subject, login, server, writer, time);
        CopiedCluster copied;
        string? refused = null;
        try
        {
            copied = await copy.RunAsync(cancellationToken);
        }
        catch (BackupFailedException failure) when (server.Compresses && !copy.Began && failure.Message.Contains(PostgresCopy.Refused, StringComparison.Ordinal))
        {
            // A server that was built with a zstd which knows no threads, for instance: that cannot be asked for beforehand. Whatever else it was comes again.
            refused = failure.Message;
            copied = await new PostgresCopy(tool, subject, login, server with { Compresses = false }, writer, time).RunAsync(cancellationToken);
        }

        var (@base, point) = (copied.Base, copied.Point);
        var facts = new PostgresFacts
        {
            SystemIdentifier = server.SystemIdentifier,
            Timeline = @base.Timeline,
            Start = @base.Start,
            PointLsn = point.Lsn,
            PointName = point.Name,
            PointAt = point.At,
            // Where the end of the copying is not said, the point lies after it.
            Consistent = @base.Stop ?? point.Lsn,
            SegmentSize = server.SegmentSize,
            Version = server.Version,
            Image = subject.Image,
            DataDirectory = dataDirectory,
            NotCompressed = refused,
        };
        return new()
        {
            Service = subject.Service.Name,
            Kind = KindName,
            Objects = copied.Objects,
            Facts = facts.Write(subject.Stack, subject.Service.Name, subject.Backup.Wal, point.Uncovered),
            Fingerprints = copied.Fingerprints,
        };
    }

    /// <summary>Where the image's users put it.</summary>
    private async Task<string> DataDirectoryAsync(BackupSubject subject, CancellationToken cancellationToken)
    {
        var asked = await engine.ExecAsync(subject.Container.Id, ["sh", "-c", "printf %s \"$PGDATA\""], null, cancellationToken);
        return asked is { ExitCode: 0, Output.Length: > 0 } ? asked.Output : PostgresRestore.UsualDirectory;
    }
}
