using Microsoft.Data.Sqlite;

namespace Orchestrator.Journal.Sqlite;

/// <summary>The rows of a damaged table that can be read: from its beginning up to the damage, and from its end back to it.</summary>
internal sealed class SalvagedTable(SqliteConnection source, string table)
{
    private readonly List<IReadOnlyDictionary<string, object?>> _rows = [];

    public IReadOnlyList<IReadOnlyDictionary<string, object?>> Rows => _rows;

    public IReadOnlyList<string> Columns { get; private set; } = [];

    /// <summary>Why it could not be read to its end; null: it could.</summary>
    public string? Problem { get; private set; }

    /// <returns>False when nothing can be read, or there is no such table.</returns>
    public bool Read()
    {
        Problem = Pass($"SELECT * FROM \"{table}\"");
        if (Problem is not null && Columns.Count > 0) Pass($"SELECT * FROM \"{table}\" ORDER BY rowid DESC");
        return _rows.Count > 0;
    }

    private string? Pass(string sql)
    {
        try
        {
            using var command = source.CreateCommand();
            command.CommandText = sql;
            using var reader = command.ExecuteReader();
            Columns = [.. Enumerable.Range(0, reader.FieldCount).Select(reader.GetName)];
            while (reader.Read())
                _rows.Add(Enumerable.Range(0, reader.FieldCount).ToDictionary(reader.GetName, column => reader.IsDBNull(column) ? null : reader.GetValue(column)));
            return null;
        }
        catch (SqliteException damage)
        {
            return damage.Message;
        }
    }
}
