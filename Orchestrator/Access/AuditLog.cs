using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text.Json;
using Orchestrator.Journal.Sqlite;

namespace Orchestrator.Access;

/// <summary>
/// Who did what, append-only. Each row's hash covers the row and the hash before it, so that a row that was changed, taken out or slipped in
/// shows from there on. (Rows cut off at the end show only to whoever has noted an earlier last hash.)
/// </summary>
public sealed class AuditLog(SqliteDatabase database, TimeProvider time)
{
    private const string Columns = "number, at, who, what, stack, outcome, hash";
    private const int Page = 1000;
    private static readonly byte[] Beginning = new byte[SHA256.HashSizeInBytes];

    public Task AppendAsync(string who, string what, string? stack, string outcome, CancellationToken cancellationToken) => database.WriteAsync(session =>
    {
        var last = session.Find<Row>($"SELECT {Columns} FROM audit ORDER BY number DESC LIMIT 1");
        var row = new Row((last?.Number ?? 0) + 1, Timestamp.Write(time.GetUtcNow()), who, what, stack, outcome, []);
        session.Execute(
            "INSERT INTO audit (number, at, who, what, stack, outcome, hash) VALUES (@Number, @At, @Who, @What, @Stack, @Outcome, @Hash)",
            row with { Hash = Hash(row, last?.Hash ?? Beginning) });
    }, cancellationToken);

    /// <summary>Newest first.</summary>
    /// <param name="stack">Null: of all stacks, and of none.</param>
    public Task<ImmutableArray<AuditEntry>> ListAsync(
        string? stack, int limit, CancellationToken cancellationToken) => database.ReadAsync<ImmutableArray<AuditEntry>>(
        session =>
        [
            .. session.Query<Row>(
                    $"SELECT {Columns} FROM audit WHERE @Stack IS NULL OR stack = @Stack ORDER BY number DESC LIMIT @Limit", new { Stack = stack, Limit = limit })
                .Select(row => new AuditEntry(row.Number, Timestamp.Read(row.At), row.Who, row.What, row.Stack, row.Outcome)),
        ],
        cancellationToken);

    /// <returns>The number of the first row that does not fit what is before it; null: all fit.</returns>
    public Task<long?> VerifyAsync(CancellationToken cancellationToken) => database.ReadAsync(
        session =>
        {
            var before = Beginning;
            long number = 0;
            while (true)
            {
                var rows = session.Query<Row>($"SELECT {Columns} FROM audit WHERE number > @Number ORDER BY number LIMIT @Page", new { Number = number, Page });
                foreach (var row in rows)
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    if (row.Number != number + 1 || !row.Hash.AsSpan().SequenceEqual(Hash(row, before))) return number + 1;

                    before = row.Hash;
                    number = row.Number;
                }

                if (rows.Length < Page) return (long?)null;
            }
        },
        cancellationToken);

    // JSON, so that no two rows can read alike when their fields are put together.
    private static byte[] Hash(Row row, byte[] before) => SHA256.HashData(
        [.. before, .. JsonSerializer.SerializeToUtf8Bytes(new object?[] { row.Number, row.At, row.Who, row.What, row.Stack, row.Outcome })]);

    private sealed record Row(long Number, string At, string Who, string What, string? Stack, string Outcome, byte[] Hash);
}
