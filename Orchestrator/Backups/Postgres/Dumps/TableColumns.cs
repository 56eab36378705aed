using Npgsql;

namespace Orchestrator.Backups.Postgres.Dumps;

/// <summary>A table that holds rows of its own.</summary>
/// <param name="Sql">Schema and name, quoted.</param>
/// <param name="Columns">Name → quoted.</param>
internal sealed record TableColumns(string Sql, Dictionary<string, string> Columns)
{
    /// <summary>Unlogged ones as well, since a dump has them; not those that belong to an extension.</summary>
    private const string Query =
        """
        SELECT n.nspname || '.' || c.relname, format('%I.%I', n.nspname, c.relname), coalesce(a.attname, ''), coalesce(format('%I', a.attname), '')
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        WHERE c.relkind = 'r' AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)'
          AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
        ORDER BY 1, a.attnum
        """;

    /// <returns>Schema and name, with a dot between them → the table.</returns>
    public static async Task<SortedDictionary<string, TableColumns>> ListAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(Query, connection);
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        var found = new SortedDictionary<string, TableColumns>(StringComparer.Ordinal);
        while (await rows.ReadAsync(cancellationToken))
        {
            if (!found.TryGetValue(rows.GetString(0), out var table)) found[rows.GetString(0)] = table = new(rows.GetString(1), []);
            if (rows.GetString(2).Length > 0) table.Columns[rows.GetString(2)] = rows.GetString(3);
        }

        return found;
    }
}
