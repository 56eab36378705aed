using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text.Json;
using Npgsql;
using Orchestrator.Stacks;

namespace Orchestrator.Backups.Postgres.Dumps;

/// <summary>
/// Takes something out of a server into which a dump was loaded, and which is thrown away afterwards: one person's rows, or a copy in which nobody can be
/// recognised. Production is neither read nor slowed down by it.
/// </summary>
public sealed class DumpExports(PostgresLogins logins, ImageTool tool)
{
    /// <summary>Every row of the tables under <c>backup.export</c> whose column there has the key, as one JSON document.</summary>
    /// <param name="taken">The moment of the dump.</param>
    /// <exception cref="BackupFailedException">A table or column is not there.</exception>
    public async Task PersonAsync(BackupSubject subject, string key, DateTimeOffset taken, Func<Task<Stream>> open, CancellationToken cancellationToken)
    {
        var (login, database) = await TargetAsync(subject, cancellationToken);
        await GuardAsync(subject, login, async () =>
        {
            await using var connection = await login.OpenAsync(database, cancellationToken);
            await TableFingerprints.PrepareAsync(connection, cancellationToken);
            var tables = new List<(string Name, string Query)>();
            foreach (var (table, column) in subject.Backup.Export) tables.Add((Whole(table), await QueryAsync(connection, subject, table, column, cancellationToken)));

            var output = await open();
            await using var writer = new Utf8JsonWriter(output, new() { Indented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
            writer.WriteStartObject();
            writer.WriteString("stack", subject.Stack);
            writer.WriteString("service", subject.Service.Name);
            writer.WriteString("takenAt", taken.UtcDateTime);
            writer.WriteString("user", key);
            writer.WriteStartObject("tables");
            foreach (var (name, query) in tables)
            {
                writer.WriteStartArray(name);
                await RowsAsync(connection, query, key, writer, cancellationToken);
                writer.WriteEndArray();
            }

            writer.WriteEndObject();
            writer.WriteEndObject();
        });
    }

    /// <summary>Masks, empties or keeps each table as <c>backup.anonymise</c> says, and writes what is left as <c>pg_dump</c> does in its custom format. Large objects are left out.</summary>
    /// <exception cref="BackupFailedException">A table of the database is not listed: nobody has decided about it. Nothing was written.</exception>
    public async Task AnonymousAsync(BackupSubject subject, Func<Task<Stream>> open, CancellationToken cancellationToken)
    {
        var (login, database) = await TargetAsync(subject, cancellationToken);
        await GuardAsync(subject, login, async () =>
        {
            await using (var connection = await login.OpenAsync(database, cancellationToken))
            {
                await TableFingerprints.PrepareAsync(connection, cancellationToken);
                await MaskAsync(connection, subject, cancellationToken);
            }

            await tool.RunAsync(
                DumpLoading.Own(subject), login, [.. PostgresDumpSource.Program(login, database), "--no-blobs"],
                async (pipe, token) =>
                {
                    var output = await open();
                    await pipe.CopyToAsync(output, token);
                }, cancellationToken);
        });
    }

    private static async Task MaskAsync(NpgsqlConnection connection, BackupSubject subject, CancellationToken cancellationToken)
    {
        var masks = subject.Backup.Anonymise.ToDictionary(mask => Whole(mask.Key), mask => mask.Value, StringComparer.Ordinal);
        var tables = await TableColumns.ListAsync(connection, cancellationToken);
        var undecided = tables.Keys.Where(table => !masks.ContainsKey(table)).ToList();
        if (undecided.Count > 0)
            throw Refused(subject, $"nothing is said under backup.anonymise of {string.Join(", ", undecided)}", "For each table say keep, drop, or what becomes of which of its columns.");
        if (masks.Keys.FirstOrDefault(table => !tables.ContainsKey(table)) is { } missing)
            throw Refused(subject, $"backup.anonymise names {missing}, and the dump has no such table", "Correct its name, or take it out.");

        // Triggers would see, and might copy, what is there.
        await TableFingerprints.ExecuteAsync(connection, "SET session_replication_role = replica", cancellationToken);
        var dropped = masks.Where(mask => mask.Value.GetValueOrDefault(Masking.Table) == Masking.Drop).Select(mask => tables[mask.Key].Sql).ToList();
        if (dropped.Count > 0) await TableFingerprints.ExecuteAsync(connection, $"TRUNCATE ONLY {string.Join(", ONLY ", dropped)}", cancellationToken);
        var salt = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32));       // known to nobody once this is done
        foreach (var (table, columns) in masks.Where(mask => !mask.Value.ContainsKey(Masking.Table)))
        {
            if (columns.Keys.FirstOrDefault(column => !tables[table].Columns.ContainsKey(column)) is { } none)
                throw Refused(subject, $"backup.anonymise names the column {none} of {table}, and it has none", "Correct its name, or take it out.");
            var sets = columns.Select(column => $"{tables[table].Columns[column.Key]} = {Masking.Sql(column.Value, tables[table].Columns[column.Key], salt)}");
            await TableFingerprints.ExecuteAsync(connection, $"UPDATE ONLY {tables[table].Sql} SET {string.Join(", ", sets)}", cancellationToken);
        }
    }

    private static async Task<string> QueryAsync(NpgsqlConnection connection, BackupSubject subject, string table, string column, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(
            """
            SELECT format('SELECT to_jsonb(t)::text FROM %I.%I t WHERE t.%I::text = @key', n.nspname, c.relname, a.attname)
            FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
            WHERE c.relkind IN ('r', 'p') AND n.nspname || '.' || c.relname = @table AND a.attname = @column
            """, connection);
        command.Parameters.AddWithValue("table", Whole(table));
        command.Parameters.AddWithValue("column", column);
        return (string?)await command.ExecuteScalarAsync(cancellationToken) ?? throw Refused(subject, $"backup.export names {table}.{column}, and the dump has no such column", "Correct its name, or take it out.");
    }

    private static async Task RowsAsync(NpgsqlConnection connection, string query, string key, Utf8JsonWriter writer, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(query, connection);
        command.Parameters.AddWithValue("key", key);
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        while (await rows.ReadAsync(cancellationToken))
        {
            writer.WriteRawValue(rows.GetString(0));
            await writer.FlushAsync(cancellationToken);
        }
    }

    /// <summary>The database that the image makes for the application.</summary>
    private async Task<(PostgresLogin Login, string Database)> TargetAsync(BackupSubject subject, CancellationToken cancellationToken)
    {
        var own = DumpLoading.Own(subject);
        return (await logins.OfAsync(own, cancellationToken), own.Service.Container.Environment.GetValueOrDefault("POSTGRES_DB", PostgresLogins.UserOf(own)));
    }

    private static async Task GuardAsync(BackupSubject subject, PostgresLogin login, Func<Task> work)
    {
        try
        {
            await work();
        }
        catch (PostgresException refused) when (refused.SqlState is not ("28P01" or "28000"))
        {
            throw Refused(subject, $"the throw-away database refused: {refused.MessageText}{(refused.Detail is { } detail ? $" ({detail})" : "")}", "See backup.export and backup.anonymise in the stack's file against the tables that there are.");
        }
        catch (Exception failure) when (failure is NpgsqlException or TimeoutException)
        {
            throw PostgresChecks.Failed(subject, login, failure);
        }
    }

    /// <summary>With its schema, which is <c>public</c> unless it is said.</summary>
    private static string Whole(string table) => table.Contains('.', StringComparison.Ordinal) ? table : $"public.{table}";

    private static BackupFailedException Refused(BackupSubject subject, string what, string hint) => new($"{subject.Stack}/{subject.Service.Name}: {what}", hint);
}
