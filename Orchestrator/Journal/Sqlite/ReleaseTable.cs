using System.Collections.Immutable;
using System.Text.Json;
using Orchestrator.Deployments;

namespace Orchestrator.Journal.Sqlite;

/// <summary>Manifests, each under a number that is given once.</summary>
internal static class ReleaseTable
{
    private const string Table = "releases";
    private const string Columns = "stack, number, committed, manifest, checksum";

    public static Release Add(SqliteSession session, Release release)
    {
        var stack = release.Stack.Name;
        var number = session.Scalar<long>(
            "INSERT INTO release_numbers (stack, last) VALUES (@Stack, 1) ON CONFLICT (stack) DO UPDATE SET last = last + 1 RETURNING last",
            new { Stack = stack });
        var numbered = release with { Number = checked((int)number), Committed = false };
        var manifest = JournalJson.Write(numbered);
        session.Execute(
            "INSERT INTO releases (stack, number, committed, manifest, checksum) VALUES (@Stack, @Number, @Committed, @Manifest, @Checksum)",
            new { Stack = stack, Number = number, release.Committed, Manifest = manifest, Checksum = Checksum.Of(Table, stack, number, manifest) });
        return numbered with { Committed = release.Committed };
    }

    /// <summary>Under the number that it has. One that is there and whole stays.</summary>
    public static void Put(SqliteSession session, Release release)
    {
        var stack = release.Stack.Name;
        var there = session.Find<Row>($"SELECT {Columns} FROM releases WHERE stack = @Stack AND number = @Number", new { Stack = stack, release.Number });
        if (there is not null && Read(there, out _) is not null) return;

        var manifest = JournalJson.Write(release with { Committed = false });
        session.Execute(
            "INSERT OR REPLACE INTO releases (stack, number, committed, manifest, checksum) VALUES (@Stack, @Number, @Committed, @Manifest, @Checksum)",
            new { Stack = stack, release.Number, release.Committed, Manifest = manifest, Checksum = Checksum.Of(Table, stack, release.Number, manifest) });
        Reserve(session, stack, release.Number);
    }

    /// <summary>No number up to this one is given again.</summary>
    /// <returns>True when it might have been.</returns>
    public static bool Reserve(SqliteSession session, string stack, int number) => session.Execute(
        "INSERT INTO release_numbers (stack, last) VALUES (@Stack, @Number) ON CONFLICT (stack) DO UPDATE SET last = @Number WHERE last < @Number",
        new { Stack = stack, Number = number }) > 0;

    /// <summary>Null also when it is damaged.</summary>
    public static Release? FindWhole(SqliteSession session, string stack, int number) =>
        session.Find<Row>($"SELECT {Columns} FROM releases WHERE stack = @Stack AND number = @Number", new { Stack = stack, Number = number }) is { } row ? Read(row, out _) : null;

    public static ImmutableArray<(string Stack, int Number)> DamagedNumbers(SqliteSession session) =>
        [.. session.Query<Row>($"SELECT {Columns} FROM releases ORDER BY stack, number").Where(row => Read(row, out _) is null).Select(row => (row.Stack, checked((int)row.Number)))];

    public static Release? Find(SqliteSession session, string stack, int number)
    {
        var row = session.Find<Row>($"SELECT {Columns} FROM releases WHERE stack = @Stack AND number = @Number", new { Stack = stack, Number = number });
        if (row is null) return null;

        return Read(row, out var problem) ?? throw new JournalException($"A record of stack {stack} is damaged: {problem}", null, JournalFault.Damaged);
    }

    /// <summary>Newest first, without those that are damaged.</summary>
    public static ImmutableArray<Release> List(SqliteSession session, string stack) =>
        [.. session.Query<Row>($"SELECT {Columns} FROM releases WHERE stack = @Stack ORDER BY number DESC", new { Stack = stack })
            .Select(row => Read(row, out _))
            .OfType<Release>()];

    public static void Commit(SqliteSession session, string stack, int number)
    {
        var changed = session.Execute("UPDATE releases SET committed = 1 WHERE stack = @Stack AND number = @Number", new { Stack = stack, Number = number });
        if (changed == 0) throw new JournalException($"Release {number} of stack {stack} cannot be committed: it was never written down.", null);
    }

    public static void Remove(SqliteSession session, string stack, int number) =>
        session.Execute("DELETE FROM releases WHERE stack = @Stack AND number = @Number", new { Stack = stack, Number = number });

    public static ImmutableArray<(string Stack, string Problem)> Damaged(SqliteSession session)
    {
        var damaged = ImmutableArray.CreateBuilder<(string, string)>();
        foreach (var row in session.Query<Row>($"SELECT {Columns} FROM releases ORDER BY stack, number"))
        {
            if (Read(row, out var problem) is null) damaged.Add((row.Stack, problem));
        }

        return damaged.ToImmutable();
    }

    private static Release? Read(Row row, out string problem)
    {
        problem = $"release {row.Number} does not fit its checksum";
        if (!Checksum.Fits(row.Checksum, Table, row.Stack, row.Number, row.Manifest)) return null;

        try
        {
            return JournalJson.Read<Release>(row.Manifest) with { Committed = row.Committed != 0 };
        }
        catch (JsonException failure)
        {
            problem = $"release {row.Number} is not understood: {failure.Message}";
            return null;
        }
    }

    private sealed record Row(string Stack, long Number, long Committed, string Manifest, byte[] Checksum);
}
