using Dapper;
using GardenApp.Database;
using Npgsql;

namespace GardenApp.Migrations;

/// <summary>
/// Brings the schema up to what this build knows. Safe to run twice and from several containers at once: an advisory lock makes one
/// of them work and the others find nothing to do. Steps of a newer build are left alone, so that an older one can come back.
/// </summary>
internal sealed class Migrator
{
    // Any number will do, as long as it never changes.
    private const long LockKey = 0x6261_736d_616c_696e;

    private readonly GardenDatabase _database;
    private readonly TimeProvider _time;
    private readonly TextWriter _output;

    internal Migrator(GardenDatabase database, TimeProvider time, TextWriter output)
    {
        _database = database;
        _time = time;
        _output = output;
    }

    /// <summary>Waits up to <paramref name="patience"/> for the database. Returns false, having said why, when nothing more can be done.</summary>
    internal async Task<bool> RunAsync(TimeSpan patience, CancellationToken cancellationToken)
    {
        await using var connection = await OpenAsync(patience, cancellationToken);
        await connection.ExecuteAsync(new CommandDefinition("SELECT pg_advisory_lock(@LockKey)", new { LockKey }, commandTimeout: 0, cancellationToken: cancellationToken));
        // The lock belongs to the connection, so that a migration that dies lets go of it.
        await connection.ExecuteAsync(new CommandDefinition(
            "CREATE TABLE IF NOT EXISTS schema_migrations (number integer PRIMARY KEY, name text NOT NULL, sha256 text NOT NULL, applied_at timestamptz NOT NULL)",
            cancellationToken: cancellationToken));
        var applied = (await connection.QueryAsync<(int Number, string Sha256)>(new CommandDefinition(
            "SELECT number, sha256 FROM schema_migrations", cancellationToken: cancellationToken))).ToDictionary(row => row.Number, row => row.Sha256);

        foreach (var migration in Migration.All)
        {
            if (!applied.TryGetValue(migration.Number, out var hash))
            {
                await ApplyAsync(connection, migration, cancellationToken);
            }
            else if (hash != migration.Sha256)
            {
                await _output.WriteLineAsync($"migrate: {migration.Name} was applied with another content: a migration is never changed, add a new one");
                return false;
            }
        }

        var newer = applied.Keys.Count(number => number > Migration.All[^1].Number);
        await _output.WriteLineAsync($"migrate: the schema is at {Migration.All[^1].Name}{(newer > 0 ? $" and {newer} newer" : "")}");
        await connection.ExecuteAsync(new CommandDefinition("SELECT pg_advisory_unlock(@LockKey)", new { LockKey }, cancellationToken: cancellationToken));
        return true;
    }

    private async Task ApplyAsync(NpgsqlConnection connection, Migration migration, CancellationToken cancellationToken)
    {
        var started = _time.GetTimestamp();
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await connection.ExecuteAsync(new CommandDefinition(migration.Sql, transaction: transaction, commandTimeout: 0, cancellationToken: cancellationToken));
        await connection.ExecuteAsync(new CommandDefinition(
            "INSERT INTO schema_migrations (number, name, sha256, applied_at) VALUES (@Number, @Name, @Sha256, @now)",
            new { migration.Number, migration.Name, migration.Sha256, now = _time.GetUtcNow() }, transaction, cancellationToken: cancellationToken));
        await transaction.CommitAsync(cancellationToken);
        await _output.WriteLineAsync($"migrate: applied {migration.Name} in {_time.GetElapsedTime(started).TotalMilliseconds:0} ms");
    }

    // A database that has just been started refuses for a second or two.
    private async Task<NpgsqlConnection> OpenAsync(TimeSpan patience, CancellationToken cancellationToken)
    {
        var started = _time.GetTimestamp();
        var said = "";
        while (true)
        {
            try
            {
                return await _database.OpenAsync(cancellationToken);
            }
            catch (NpgsqlException exception) when (Passes(exception) && _time.GetElapsedTime(started) < patience)
            {
                var reason = GardenDatabase.Describe(exception);
                if (reason != said) await _output.WriteLineAsync($"migrate: waiting for the database: {reason}");
                said = reason;
                await Task.Delay(TimeSpan.FromMilliseconds(500), _time, cancellationToken);
            }
        }
    }

    private static bool Passes(NpgsqlException exception) => exception is not PostgresException { SqlState: not PostgresErrorCodes.CannotConnectNow };
}
