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

    public static Release? Find(SqliteSession session, string stack, int number)
    {
        var row = session.Find<Row>($"SELECT {Columns} FROM releases WHERE stack = @Stack AND number = @Number", new { Stack = stack, Number = number });
        if (row is null) return null;

        return Read(row, out var problem) ?? throw new JournalException($"A record of stack {stack} is damaged: {problem}", null);
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
