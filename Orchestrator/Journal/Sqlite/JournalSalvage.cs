using System.Collections.Immutable;
using System.Globalization;
using Dapper;
using Microsoft.Data.Sqlite;

namespace Orchestrator.Journal.Sqlite;

/// <summary>
/// Takes out of a damaged journal what can still be read, row by row, and adds what is missing to a good one. Works on a copy of the damaged file: the evidence is not
/// touched. Rows with a checksum have to fit it; secrets are sealed and show by themselves whether they are whole.
/// </summary>
internal sealed class JournalSalvage(string damaged, string? headerFrom)
{
    private const int HeaderBytes = 100;
    private const string Interrupted = """{"reason":"interrupted","detail":"The journal was damaged while it was under way, and repaired.","hint":"What serves was found out from what runs. Ask for it again."}""";

    // What is in another place (the schema), or only has a meaning for a moment.
    private static readonly ImmutableArray<string> NotTaken = ["schema_migrations", "idempotency_keys", "deliveries"];

    /// <returns>What was added to the good journal, and what could not be read, for people.</returns>
    public (ImmutableArray<string> Found, ImmutableArray<string> Lost) MergeInto(SqliteSession good)
    {
        var directory = Directory.CreateTempSubdirectory("basmalin-salvage-");
        try
        {
            var copy = Path.Combine(directory.FullName, "journal.db");
            if (!File.Exists(damaged)) return ([], [$"{damaged} is not there: nothing can be taken from it"]);

            File.Copy(damaged, copy);
            if (File.Exists(damaged + "-wal")) File.Copy(damaged + "-wal", copy + "-wal");
            return Merge(copy, good);
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    private (ImmutableArray<string> Found, ImmutableArray<string> Lost) Merge(string copy, SqliteSession good)
    {
        if (TryOpen(copy) is not { } source)
        {
            GiveHeader(copy);
            source = TryOpen(copy);
            if (source is null) return ([], ["nothing can be read from the damaged file: its first page, which says what is where, is lost"]);
        }

        using (source)
        {
            var (found, lost) = (ImmutableArray.CreateBuilder<string>(), ImmutableArray.CreateBuilder<string>());
            foreach (var table in Tables(good))
            {
                var rows = new SalvagedTable(source, table);
                var added = rows.Read() ? Add(good, table, rows) : 0;
                if (added > 0) found.Add(string.Create(CultureInfo.InvariantCulture, $"{table}: {added} rows from the damaged file"));
                if (rows.Problem is { } problem) lost.Add($"{table}: not all of it can be read from the damaged file ({problem}): what was written after the copy may be missing");
                if (table == "tokens" && rows.Problem is null) found.AddRange(Revoke(good, rows));
            }

            good.Execute("UPDATE deployments SET state = 'failed', ended_at = coalesce(ended_at, created_at), failure = @Failure, suspended = 0 WHERE state IN ('queued', 'running')", new { Failure = Interrupted });
            return (found.ToImmutable(), lost.ToImmutable());
        }
    }

    private static SqliteConnection? TryOpen(string path)
    {
        var connection = new SqliteConnection(SqliteFile.ReadWrite(path));
        try
        {
            connection.Open();
            _ = connection.QuerySingle<long>("SELECT COUNT(*) FROM sqlite_schema");
            return connection;
        }
        catch (SqliteException)
        {
            connection.Dispose();
            return null;
        }
    }

    /// <summary>Where only the first bytes are lost, those of a good copy serve, with this file's own number of pages.</summary>
    private void GiveHeader(string copy)
    {
        if (headerFrom is null) return;

        var header = new byte[HeaderBytes];
        using (var good = File.OpenRead(headerFrom)) good.ReadExactly(header);
        using var file = new FileStream(copy, FileMode.Open, FileAccess.ReadWrite);
        if (file.Length < HeaderBytes) return;

        // Bytes 16 and 17: the size of a page; from 28: their number; from 92: for which change that number holds, as at 24 (the file format of SQLite, 1.3).
        var size = (header[16] << 8) | header[17];
        System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(28), (int)(file.Length / (size == 1 ? 65536 : size)));
        header.AsSpan(24, 4).CopyTo(header.AsSpan(92));
        file.Write(header);
    }

    private static ImmutableArray<string> Tables(SqliteSession good) =>
        [.. good.Query<string>("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY rowid").Except(NotTaken)];

    private static int Add(SqliteSession good, string table, SalvagedTable rows)
    {
        if (table == "audit" && !Continues(good, rows)) return 0;       // its own rows go on from where the copy ends: two ends cannot be tied together

        var columns = rows.Columns.Intersect(good.Query<string>("SELECT name FROM pragma_table_info(@Table)", new { Table = table })).ToList();
        var statement = $"INSERT OR IGNORE INTO \"{table}\" ({string.Join(", ", columns.Select(column => $"\"{column}\""))}) VALUES ({string.Join(", ", columns.Select(column => "@" + column))})";
        var added = 0;
        foreach (var row in rows.Rows.Where(row => Fits(table, row)))
        {
            var values = new DynamicParameters();
            foreach (var column in columns) values.Add(column, row[column]);
            try
            {
                added += good.Execute(statement, values);
            }
            catch (SqliteException unfit) when (unfit.SqliteErrorCode == 19)
            {
                // A constraint says that it cannot be so, or what it belongs to is lost.
            }
        }

        return added;
    }

    private static bool Fits(string table, IReadOnlyDictionary<string, object?> row) => table switch
    {
        "releases" => row["checksum"] is byte[] sum && Checksum.Fits(sum, table, $"{row["stack"]}", (long)(row["number"] ?? 0L), $"{row["manifest"]}"),
        "stack_states" => row["checksum"] is byte[] sum && Checksum.Fits(sum, table, $"{row["stack"]}", (long)(row["generation"] ?? 0L), $"{row["content"]}"),
        _ => true,
    };

    private static bool Continues(SqliteSession good, SalvagedTable rows)
    {
        if (good.Find<long?>("SELECT MAX(number) FROM audit") is not { } last) return true;

        var hash = good.Find<byte[]>("SELECT hash FROM audit WHERE number = @Last", new { Last = last }) ?? [];
        return rows.Rows.FirstOrDefault(row => row["number"] is long number && number == last)?["hash"] is byte[] same && same.AsSpan().SequenceEqual(hash);
    }

    /// <summary>A token that is in the copy and no longer in the journal was revoked since.</summary>
    private static IEnumerable<string> Revoke(SqliteSession good, SalvagedTable rows)
    {
        var valid = rows.Rows.Select(row => row["hash"]).OfType<byte[]>().Select(Convert.ToHexString).ToHashSet();
        foreach (var hash in good.Query<byte[]>("SELECT hash FROM tokens").Where(hash => !valid.Contains(Convert.ToHexString(hash))))
        {
            good.Execute("DELETE FROM tokens WHERE hash = @Hash", new { Hash = hash });
            yield return "tokens: one that was revoked after the copy was made is revoked again";
        }
    }
}
