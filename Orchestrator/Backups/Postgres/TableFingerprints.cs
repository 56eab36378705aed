using System.Globalization;
using Npgsql;

namespace Orchestrator.Backups.Postgres;

/// <summary>
/// What a table holds, in two numbers: how many rows, and the sum of a hash of each. The order of rows does not matter, every value does. Tables whose
/// types have no hash are hashed by their text. Unlogged and temporary tables are left out: no restore brings them back.
/// </summary>
internal static class TableFingerprints
{
    private const string NoHash = "42883";
    private const string NoRight = "42501";
    private const int HashesRecords = 14;
    private const string ByText = "hashtextextended((t.*)::text, 0)";

    private const string Tables =
        """
        SELECT n.nspname, c.relname, format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind = 'r' AND c.relpersistence = 'p' AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)'
        ORDER BY 1, 2
        """;

    /// <summary>
    /// Settings by which text looks the same on every server, and by which a table that seems small is scanned by several processes, too: the planner does not count what
    /// its rows keep outside of it, which may be nearly all (192 MB in 24,000 rows took 0.7 s of one processor while the other had nothing to do). No limit of time ends
    /// it: hashing takes as long as it takes, and one of the two connections has nothing to do meanwhile. (Of the last two, versions 14 and 17 were the first.)
    /// </summary>
    private const string Neutral =
        """
        SET search_path = ''; SET datestyle = 'ISO, MDY'; SET intervalstyle = 'postgres'; SET timezone = 'UTC'; SET extra_float_digits = 1;
        SET bytea_output = 'hex'; SET lc_monetary = 'C'; SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0;
        SET lock_timeout = 0; SET synchronous_commit = local; SET parallel_setup_cost = 0; SET min_parallel_table_scan_size = '256kB';
        SELECT set_config(name, '0', false) FROM pg_settings WHERE name IN ('idle_session_timeout', 'transaction_timeout')
        """;

    public static async Task PrepareAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(Neutral, connection);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    public static async Task<IReadOnlyList<TableName>> ListAsync(NpgsqlConnection connection, string database, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(Tables, connection);
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        var tables = new List<TableName>();
        while (await rows.ReadAsync(cancellationToken)) tables.Add(new(database, rows.GetString(0), rows.GetString(1), rows.GetString(2)));
        return tables;
    }

    /// <summary>Within the transaction that is open; a failure of one table does not end it.</summary>
    /// <returns>Null: this role may not read the table, or it was altered since the transaction began to see it.</returns>
    public static async Task<string?> OfAsync(NpgsqlConnection connection, TableName table, RowHash hash, CancellationToken cancellationToken)
    {
        try
        {
            return await HashAsync(connection, table, await ExpressionAsync(connection, table, hash, cancellationToken), cancellationToken);
        }
        catch (PostgresException without) when (without.SqlState == NoHash)
        {
            return await HashAsync(connection, table, ByText, cancellationToken);
        }
        catch (PostgresException refused) when (refused.SqlState is NoRight or PostgresErrorCodes.UndefinedColumn or PostgresErrorCodes.UndefinedTable)
        {
            return null;
        }
    }

    private static async Task<string> ExpressionAsync(NpgsqlConnection connection, TableName table, RowHash hash, CancellationToken cancellationToken) => hash switch
    {
        RowHash.Columns => await ColumnHashes.OfAsync(connection, table, cancellationToken),
        RowHash.Records when connection.PostgreSqlVersion.Major >= HashesRecords => "hash_record_extended(t.*, 0)",
        _ => ByText,
    };

    private static async Task<string> HashAsync(NpgsqlConnection connection, TableName table, string hash, CancellationToken cancellationToken)
    {
        await ExecuteAsync(connection, "SAVEPOINT basmalin_table", cancellationToken);
        try
        {
            // Hashes are int8: their sum is a numeric without overflow, and far cheaper than one of numerics.
            await using var command = new NpgsqlCommand($"SELECT count(*), coalesce(sum({hash}), 0)::text FROM ONLY {table.Sql} t", connection);
            await using var row = await command.ExecuteReaderAsync(cancellationToken);
            await row.ReadAsync(cancellationToken);
            return string.Create(CultureInfo.InvariantCulture, $"{row.GetInt64(0)}:{row.GetString(1)}");
        }
        catch (PostgresException)
        {
            await ExecuteAsync(connection, "ROLLBACK TO SAVEPOINT basmalin_table", cancellationToken);
            throw;
        }
    }

    public static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}

/// <param name="Sql">Schema and name, quoted.</param>
internal sealed record TableName(string Database, string Schema, string Name, string Sql)
{
    /// <summary>As it is called among fingerprints.</summary>
    public string Key => $"table {Database}.{Schema}.{Name}";
}
