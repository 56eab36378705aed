using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Orchestrator.Journal.Sqlite;

namespace Orchestrator.Restores;

/// <summary>
/// The records of drills, append-only. Each row's hash covers the row and the hash before it: a record that was changed, taken out or slipped in shows
/// from there on.
/// </summary>
public sealed class DrillLedger(SqliteDatabase database)
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);
    private static readonly byte[] Beginning = new byte[SHA256.HashSizeInBytes];

    /// <summary>Numbers the record and writes it down.</summary>
    public Task<DrillRecord> AppendAsync(DrillRecord record, CancellationToken cancellationToken) => database.WriteAsync(session =>
    {
        var last = session.Find<Row>("SELECT number, content, hash FROM drills ORDER BY number DESC LIMIT 1");
        var numbered = record with { Number = (last?.Number ?? 0) + 1 };
        var content = JsonSerializer.Serialize(numbered, Json);
        session.Execute(
            "INSERT INTO drills (number, stack, set_id, at, passed, content, hash) VALUES (@Number, @Stack, @Set, @At, @Passed, @Content, @Hash)",
            new { numbered.Number, numbered.Stack, numbered.Set, At = Timestamp.Write(numbered.EndedAt), numbered.Passed, Content = content, Hash = HashOf(numbered.Number, content, last?.Hash ?? Beginning) });
        return numbered;
    }, cancellationToken);

    /// <summary>Newest first.</summary>
    /// <param name="stack">Null: of all stacks.</param>
    public Task<ImmutableArray<DrillRecord>> ListAsync(string? stack, int limit, CancellationToken cancellationToken) => database.ReadAsync<ImmutableArray<DrillRecord>>(
        session =>
        [
            .. session.Query<Row>("SELECT number, content, hash FROM drills WHERE @Stack IS NULL OR stack = @Stack ORDER BY number DESC LIMIT @Limit", new { Stack = stack, Limit = limit })
                .Select(row => JsonSerializer.Deserialize<DrillRecord>(row.Content, Json)).OfType<DrillRecord>(),
        ],
        cancellationToken);

    /// <returns>The number of the first record that does not fit what is before it; null: all fit.</returns>
    public Task<long?> VerifyAsync(CancellationToken cancellationToken) => database.ReadAsync(session =>
    {
        var before = Beginning;
        long number = 0;
        foreach (var row in session.Query<Row>("SELECT number, content, hash FROM drills ORDER BY number"))
        {
            number++;
            if (row.Number != number || !row.Hash.AsSpan().SequenceEqual(HashOf(row.Number, row.Content, before))) return (long?)number;
            before = row.Hash;
        }

        return null;
    }, cancellationToken);

    private static byte[] HashOf(long number, string content, byte[] before) => SHA256.HashData([.. before, .. Encoding.UTF8.GetBytes($"{number}\n{content}")]);

    private sealed record Row(long Number, string Content, byte[] Hash);
}
