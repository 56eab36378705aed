using System.Collections.Immutable;
using Npgsql;
using Orchestrator.Backups.Pipeline;
using Orchestrator.Docker;

namespace Orchestrator.Backups.Postgres.Dumps;

/// <summary>
/// A PostgreSQL cluster, logically: roles, and each database as <c>pg_dump</c> writes it in its custom format. A second format that shares nothing with the
/// physical one: it goes to other major versions, and damage that is in the files is not in it. Each database is dumped from one view of it, and every table
/// is hashed in that same view; between databases there may be a moment.
/// </summary>
public sealed class PostgresDumpSource(PostgresLogins logins, ImageTool tool) : IBackupSource
{
    public const string KindName = BackupManifest.DumpKind;

    private const int BufferSize = 256 * 1024;

    public string Kind => KindName;

    public async Task<ImmutableArray<BackupFinding>> CheckAsync(BackupSubject subject, CancellationToken cancellationToken)
    {
        PostgresLogin? login = null;
        try
        {
            login = await logins.OfAsync(subject, cancellationToken);
            await using var connection = await login.OpenAsync("postgres", cancellationToken);
            var server = await ServerFacts.ReadAsync(connection, sized: false, cancellationToken);
            return server.MayRead ? [] : [new(true, $"role {login.User} cannot read all tables, so it cannot dump them", $"GRANT pg_read_all_data TO \"{login.User}\"")];
        }
        catch (BackupFailedException without)
        {
            return [new(true, without.Message, without.Hint)];
        }
        catch (Exception failure) when (login is not null && failure is NpgsqlException or TimeoutException)
        {
            return [PostgresChecks.Explain(login!, failure)];
        }
    }

    public async Task<BackupPart> BackupAsync(BackupSubject subject, BackupWriter writer, CancellationToken cancellationToken)
    {
        var login = await logins.OfAsync(subject, cancellationToken);
        if ((await CheckAsync(subject, cancellationToken)).FirstOrDefault(finding => finding.Blocking) is { } blocking)
            throw new BackupFailedException($"{subject.Stack}/{subject.Service.Name}: {blocking.What}", blocking.Hint);

        try
        {
            return await DumpAsync(subject, login, writer, cancellationToken);
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

    /// <exception cref="BackupFailedException">Always: a dump is loaded into a server that runs (<see cref="DumpLoading"/>), it is no directory.</exception>
    public Task RestoreAsync(BackupPart part, RestoreTarget target, BackupReader reader, CancellationToken cancellationToken) => throw new BackupFailedException(
        $"The dump of {part.Service} cannot be laid into a volume", "Restore a set of the physical copy; or load the dump by hand: docs/postgres.md says how.");

    public async Task<ImmutableSortedDictionary<string, string>> FingerprintsAsync(BackupSubject subject, CancellationToken cancellationToken)
    {
        var login = await logins.OfAsync(subject, cancellationToken);
        try
        {
            return await LiveFingerprints.OfAsync(login, RowHash.Text, cancellationToken);
        }
        catch (Exception failure) when (failure is NpgsqlException or TimeoutException)
        {
            throw PostgresChecks.Failed(subject, login, failure);
        }
    }

    private async Task<BackupPart> DumpAsync(BackupSubject subject, PostgresLogin login, BackupWriter writer, CancellationToken cancellationToken)
    {
        var service = subject.Service.Name;
        var objects = ImmutableArray.CreateBuilder<BackupObject>();
        var facts = ImmutableSortedDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        var prints = ImmutableSortedDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        IReadOnlyList<string> databases;
        ServerFacts server;
        await using (var connection = await login.OpenAsync("postgres", cancellationToken))
        {
            server = await ServerFacts.ReadAsync(connection, sized: true, cancellationToken);
            databases = await ServerFacts.DatabasesAsync(connection, cancellationToken);
        }

        // Passwords of roles can be read by superusers only.
        string[] hidden = server.Superuser ? [] : ["--no-role-passwords"];
        objects.Add(await CopyAsync(subject, login, ["pg_dumpall", .. login.Arguments, "-d", PostgresLogin.Keepalives, "--globals-only", .. hidden], DumpContents.Globals, "roles", null, writer, cancellationToken));
        foreach (var database in databases)
        {
            await using var view = await login.OpenAsync(database, cancellationToken);
            await TableFingerprints.PrepareAsync(view, cancellationToken);
            await TableFingerprints.ExecuteAsync(view, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", cancellationToken);
            await using var export = new NpgsqlCommand("SELECT pg_export_snapshot()", view);
            var snapshot = (string)(await export.ExecuteScalarAsync(cancellationToken) ?? "");
            var name = DumpContents.NameOf(database, facts.Count);
            objects.Add(await CopyAsync(subject, login, [.. Program(login, database), $"--snapshot={snapshot}"], name, database, server.Bytes, writer, cancellationToken));
            facts[DumpContents.FactOf(database)] = name;
            foreach (var table in await TableFingerprints.ListAsync(view, database, cancellationToken))
            {
                if (await TableFingerprints.OfAsync(view, table, RowHash.Text, cancellationToken) is { } print) prints[table.Key] = print;
            }
        }

        facts["server_version"] = server.Version;
        facts["system_identifier"] = server.SystemIdentifier;
        facts["image"] = subject.Image;
        facts["format"] = "pg_dump custom, uncompressed";
        return new() { Service = service, Kind = KindName, Objects = objects.ToImmutable(), Facts = facts.ToImmutable(), Fingerprints = prints.ToImmutable() };
    }

    /// <summary>Not compressed by itself: zstd does it better, and for all of it.</summary>
    internal static ImmutableArray<string> Program(PostgresLogin login, string database) => ["pg_dump", .. login.Arguments, "-F", "c", "-Z", "0", "-d", PostgresLogin.Conninfo(database)];

    private async Task<BackupObject> CopyAsync(
        BackupSubject subject, PostgresLogin login, ImmutableArray<string> program, string name, string what, long? of, BackupWriter writer, CancellationToken cancellationToken)
    {
        var said = $"{subject.Service.Name}: dump of {what}";
        return await writer.WriteAsync(
            $"{subject.Service.Name}/{name}",
            (output, token) => tool.RunAsync(subject, login, program, (pipe, inner) => ReadAsync(pipe, output, (bytes) => writer.Report(said, bytes, of), inner), token),
            cancellationToken);
    }

    private static async Task ReadAsync(Stream pipe, Stream output, Action<long> copied, CancellationToken cancellationToken)
    {
        var buffer = new byte[BufferSize];
        var bytes = 0L;
        int read;
        while ((read = await pipe.ReadAsync(buffer, cancellationToken)) > 0)
        {
            await output.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
            copied(bytes += read);
        }
    }
}
