using System.Collections.Immutable;
using Npgsql;

namespace Orchestrator.Backups.Postgres;

/// <summary>
/// The hash of a row as an expression of SQL: each column's hash is the seed of the next one's, so that what is hashed is which values stand together. A type
/// whose own function hashes all of a value goes by that, in every version from 12 on; any other by its text. Text is hashed by its bytes, whatever its collation takes for equal.
/// </summary>
internal static class ColumnHashes
{
    /// <summary>Expressions within expressions: the server's stack bears some thousands.</summary>
    private const int Chained = 64;

    private const string Columns =
        """
        SELECT format('t.%I', a.attname), CASE WHEN b.typnamespace = 'pg_catalog'::regnamespace THEN b.typname ELSE '' END,
            a.attnotnull AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conrelid = a.attrelid AND c.contype = 'n' AND NOT c.convalidated AND a.attnum = ANY (c.conkey))
        FROM pg_class r JOIN pg_namespace n ON n.oid = r.relnamespace JOIN pg_attribute a ON a.attrelid = r.oid JOIN pg_type t ON t.oid = a.atttypid JOIN pg_type b ON b.oid = coalesce(nullif(t.typbasetype, 0), t.oid)
        WHERE n.nspname = @schema AND r.relname = @name AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated <> 'v'
        ORDER BY a.attnum
        """;

    /// <summary>What a NULL is hashed as.</summary>
    private const string Null = "5872136403215843217";

    /// <summary>
    /// Functions that hash all of a value, and always with the seed. Others do not: those of numeric and jsonb pass over signs, those of floats, arrays and multiranges give the
    /// seed or a constant for zero or nothing, since all that they owe is that equal values are hashed alike. Those types go by their text.
    /// </summary>
    private static readonly ImmutableDictionary<string, string> Functions = ImmutableDictionary.CreateRange<string, string>(
    [
        new("int2", "hashint2extended"), new("int4", "hashint4extended"), new("oid", "hashoidextended"), new("char", "hashcharextended"),
        new("name", "hashnameextended"), new("uuid", "uuid_hash_extended"), new("timestamp", "timestamp_hash_extended"), new("time", "time_hash_extended"),
        new("timetz", "timetz_hash_extended"), new("inet", "hashinetextended"), new("macaddr", "hashmacaddrextended"), new("macaddr8", "hashmacaddr8extended"),
    ]);

    /// <summary>Of a table as it is now, by the server's catalogue. To be used as <c>FROM table t</c>.</summary>
    public static async Task<string> OfAsync(NpgsqlConnection connection, TableName table, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(Columns, connection);
        command.Parameters.AddWithValue("schema", table.Schema);
        command.Parameters.AddWithValue("name", table.Name);
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        var columns = new List<TableColumn>();
        while (await rows.ReadAsync(cancellationToken))
            columns.Add(new(rows.GetString(0), rows.GetString(1), rows.GetBoolean(2)));
        return Of(columns);
    }

    /// <summary>Pure.</summary>
    public static string Of(IReadOnlyCollection<TableColumn> columns)
    {
        var chains = columns.Chunk(Chained).Select(chunk => chunk.Aggregate("0", Link)).ToList();
        return chains switch
        {
            [] => "0",
            [var only] => only,
            _ => $"hashtextextended(ARRAY[{string.Join(", ", chains)}]::text COLLATE \"C\", 0)",
        };
    }

    /// <summary>These functions are NULL for NULL: what came before must not be.</summary>
    private static string Link(string before, TableColumn column) =>
        column.NotNull ? Call(column, before) : $"hashint8extended(coalesce({Call(column, "0")}, {Null}), {before})";

    private static string Call(TableColumn column, string seed) => column switch
    {
        // Alone it takes the upper half for as good as the lower one: 1 and 2^32 would be the same. Times are hashed in that way too: two that are taken for the same lie more than an hour apart.
        { Type: "int8" } => $"hashint8extended({column.Sql}, hashint4extended(({column.Sql} >> 32)::int4, {seed}))",
        { Type: "bool" } => $"hashint4extended({column.Sql}::int4, {seed})",
        // Its text would be the name that has been given to it since.
        { Type: ['r', 'e', 'g', ..] } => $"hashoidextended({column.Sql}::oid, {seed})",
        // Their functions cannot be called in all versions. An array finds its elements' function by itself.
        { Type: "bytea" or "date" or "timestamptz" } => $"hash_array_extended(ARRAY[{column.Sql}], {seed})",
        // Its conversion to text looks at every character for where its blanks begin.
        { Type: "bpchar" } => $"hashbpcharextended({column.Sql} COLLATE \"C\", {seed})",
        _ when Functions.TryGetValue(column.Type, out var function) => $"{function}({column.Sql}, {seed})",
        _ => $"hashtextextended({column.Sql}::text COLLATE \"C\", {seed})",
    };
}

/// <param name="Sql">Quoted, of <c>t</c>.</param>
/// <param name="Type">Of PostgreSQL's own types, of a domain that which it is made of; otherwise empty.</param>
/// <param name="NotNull">There is no NULL in any row.</param>
internal readonly record struct TableColumn(string Sql, string Type, bool NotNull);
