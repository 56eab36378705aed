using System.Collections.Immutable;
using System.Text.Json;
using Orchestrator.Planning;

namespace Orchestrator.Journal.Sqlite;

/// <summary>What serves each stack: the current generation of the record, and the one before it for whoever has to repair it.</summary>
internal static class StateTable
{
    private const string Table = "stack_states";
    private const string Columns = "stack, generation, content, checksum, saved_at AS savedAt";

    public static void Save(SqliteSession session, StackState state, DateTimeOffset at)
    {
        var generation = session.Scalar<long>("SELECT COALESCE(MAX(generation), 0) + 1 FROM stack_states WHERE stack = @Stack", new { state.Stack });
        var content = JournalJson.Write(state);
        session.Execute(
            "INSERT INTO stack_states (stack, generation, content, checksum, saved_at) VALUES (@Stack, @Generation, @Content, @Checksum, @At)",
            new
            {
                state.Stack,
                Generation = generation,
                Content = content,
                Checksum = Checksum.Of(Table, state.Stack, generation, content),
                At = Timestamp.Write(at),
            });
        session.Execute("DELETE FROM stack_states WHERE stack = @Stack AND generation < @Oldest", new { state.Stack, Oldest = generation - 1 });
    }

    public static StackState? Find(SqliteSession session, string stack)
    {
        var row = session.Find<Row>($"SELECT {Columns} FROM stack_states WHERE stack = @Stack ORDER BY generation DESC LIMIT 1", new { Stack = stack });
        if (row is null) return null;

        return Read(row, out var problem) ?? throw new JournalException($"The record of stack {stack} is damaged: {problem}. It is served as far as what runs tells; nothing is deployed until 'basmalin doctor --repair'.", null, JournalFault.Damaged);
    }

    /// <summary>The generation before the current one.</summary>
    public static StackState? Previous(SqliteSession session, string stack) =>
        session.Find<Row>($"SELECT {Columns} FROM stack_states WHERE stack = @Stack ORDER BY generation DESC LIMIT 1 OFFSET 1", new { Stack = stack }) is { } row ? Read(row, out _) : null;

    public static ImmutableArray<StackState> List(SqliteSession session) =>
        [.. Current(session).Select(row => Read(row, out _)).OfType<StackState>()];

    /// <summary>Stack → what is wrong with its current record.</summary>
    public static ImmutableArray<(string Stack, string Problem)> Damaged(SqliteSession session)
    {
        var damaged = ImmutableArray.CreateBuilder<(string, string)>();
        foreach (var row in Current(session))
        {
            if (Read(row, out var problem) is not null) continue;

            damaged.Add((row.Stack, $"{problem}; {Before(session, row)}"));
        }

        return damaged.ToImmutable();
    }

    private static string Before(SqliteSession session, Row row)
    {
        var older = session.Find<Row>(
            $"SELECT {Columns} FROM stack_states WHERE stack = @Stack AND generation < @Generation ORDER BY generation DESC LIMIT 1",
            new { row.Stack, row.Generation });
        return older switch
        {
            null => "there is no generation before it",
            _ when Read(older, out _) is not null => $"generation {older.Generation} of {older.SavedAt} is intact",
            _ => $"generation {older.Generation} is damaged as well",
        };
    }

    private static ImmutableArray<Row> Current(SqliteSession session) => session.Query<Row>(
        $"SELECT {Columns} FROM stack_states AS s WHERE generation = (SELECT MAX(generation) FROM stack_states WHERE stack = s.stack) ORDER BY stack");

    private static StackState? Read(Row row, out string problem)
    {
        problem = $"generation {row.Generation} of {row.SavedAt} does not fit its checksum";
        if (!Checksum.Fits(row.Checksum, Table, row.Stack, row.Generation, row.Content)) return null;

        try
        {
            return JournalJson.Read<StackState>(row.Content);
        }
        catch (JsonException failure)
        {
            problem = $"generation {row.Generation} of {row.SavedAt} is not understood: {failure.Message}";
            return null;
        }
    }

    private sealed record Row(string Stack, long Generation, string Content, byte[] Checksum, string SavedAt);
}
