using System.Collections.Immutable;
using System.Text.Json;
using Orchestrator.Journal;
using Orchestrator.Journal.Sqlite;

namespace Orchestrator.Backups.Sets;

/// <summary>The sets, in the daemon's journal. The stores are the truth about what can be restored; this is what was done, and why.</summary>
public sealed class SetLedger(SqliteDatabase database, TimeProvider time)
{
    private const string Columns =
        "stack, sequence, id, state, reason, started_at AS startedAt, ended_at AS endedAt, problem, hint, manifest, zones, proved_at AS provedAt";

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);

    /// <summary>Writes down that a set is begun, and names it.</summary>
    /// <param name="above">A number that the set's own must exceed: the highest that the stores know.</param>
    public Task<BackupSetRecord> BeginAsync(string stack, string reason, long above, CancellationToken cancellationToken) => database.WriteAsync(session =>
    {
        var now = time.GetUtcNow();
        var last = session.Scalar<long>("SELECT COALESCE(MAX(sequence), 0) FROM backup_sets WHERE stack = @Stack", new { Stack = stack });
        var sequence = Math.Max(last, above) + 1;
        var record = new BackupSetRecord { Stack = stack, Sequence = sequence, Id = BackupSetId.Of(sequence, now), State = BackupSetState.Running, Reason = reason, StartedAt = now };
        Insert(session, record);
        return record;
    }, cancellationToken);

    /// <summary>Takes over a set that a store has and the journal does not know: after a recovery, or from another machine.</summary>
    public Task AdoptAsync(BackupManifest manifest, long sequence, ImmutableSortedDictionary<string, string> zones, CancellationToken cancellationToken) => database.WriteAsync(session =>
    {
        if (session.Find<long?>("SELECT sequence FROM backup_sets WHERE stack = @Stack AND (id = @Id OR sequence = @Sequence)", new { manifest.Stack, Id = manifest.Id.Value, Sequence = sequence }) is not null) return;

        Insert(session, new()
        {
            Stack = manifest.Stack,
            Sequence = sequence,
            Id = manifest.Id,
            State = BackupSetState.Succeeded,
            Reason = manifest.Reason,
            StartedAt = manifest.CreatedAt,
            EndedAt = manifest.CreatedAt,
            Manifest = manifest,
            Zones = zones,
        });
    }, cancellationToken);

    public Task SaveAsync(BackupSetRecord record, CancellationToken cancellationToken) => database.WriteAsync(session => session.Execute(
        """
        UPDATE backup_sets SET state = @State, ended_at = @EndedAt, problem = @Problem, hint = @Hint, manifest = @Manifest, zones = @Zones, proved_at = @ProvedAt
        WHERE stack = @Stack AND sequence = @Sequence
        """,
        Arguments(record)), cancellationToken);

    public Task<BackupSetRecord?> FindAsync(string stack, BackupSetId id, CancellationToken cancellationToken) => database.ReadAsync(
        session => session.Find<Row>($"SELECT {Columns} FROM backup_sets WHERE stack = @Stack AND id = @Id", new { Stack = stack, Id = id.Value }) is { } row ? Read(row) : null,
        cancellationToken);

    /// <summary>Newest first.</summary>
    /// <param name="stack">Null: of all stacks.</param>
    public Task<ImmutableArray<BackupSetRecord>> ListAsync(string? stack, int limit, CancellationToken cancellationToken) => database.ReadAsync<ImmutableArray<BackupSetRecord>>(
        session =>
        [
            .. session.Query<Row>(
                $"SELECT {Columns} FROM backup_sets WHERE @Stack IS NULL OR stack = @Stack ORDER BY started_at DESC, sequence DESC LIMIT @Limit", new { Stack = stack, Limit = limit }).Select(Read),
        ],
        cancellationToken);

    /// <summary>Sets that can be restored, newest first.</summary>
    public Task<ImmutableArray<BackupSetRecord>> StandingAsync(string stack, CancellationToken cancellationToken) => database.ReadAsync<ImmutableArray<BackupSetRecord>>(
        session => [.. session.Query<Row>($"SELECT {Columns} FROM backup_sets WHERE stack = @Stack AND state = 'succeeded' ORDER BY sequence DESC", new { Stack = stack }).Select(Read)],
        cancellationToken);

    /// <summary>The newest set that can be restored; null: none.</summary>
    public Task<BackupSetRecord?> NewestAsync(string stack, CancellationToken cancellationToken) => database.ReadAsync(
        session => session.Find<Row>($"SELECT {Columns} FROM backup_sets WHERE stack = @Stack AND state = 'succeeded' ORDER BY sequence DESC LIMIT 1", new { Stack = stack }) is { } row ? Read(row) : null,
        cancellationToken);

    /// <summary>What is known of the sets of a stack that failed or were removed.</summary>
    public Task<ImmutableHashSet<BackupSetId>> OverAsync(string stack, CancellationToken cancellationToken) => database.ReadAsync<ImmutableHashSet<BackupSetId>>(
        session => [.. session.Query<string>("SELECT id FROM backup_sets WHERE stack = @Stack AND state IN ('failed', 'deleted')", new { Stack = stack }).Select(id => new BackupSetId(id))],
        cancellationToken);

    /// <summary>Sets that were being made when the daemon ended: they failed, and say so.</summary>
    public Task<ImmutableArray<BackupSetRecord>> InterruptedAsync(CancellationToken cancellationToken) => database.WriteAsync<ImmutableArray<BackupSetRecord>>(session =>
    {
        var left = session.Query<Row>($"SELECT {Columns} FROM backup_sets WHERE state = 'running' ORDER BY stack, sequence").Select(Read).ToImmutableArray();
        session.Execute(
            "UPDATE backup_sets SET state = 'failed', ended_at = @At, problem = @Problem, hint = @Hint WHERE state = 'running'",
            new { At = Timestamp.Write(time.GetUtcNow()), Problem = "The daemon ended in the middle of it.", Hint = "What was left of it is swept from the stores; the next run makes a new one." });
        return left;
    }, cancellationToken);

    private static void Insert(SqliteSession session, BackupSetRecord record) => session.Execute(
        """
        INSERT INTO backup_sets (stack, sequence, id, state, reason, started_at, ended_at, problem, hint, manifest, zones, proved_at)
        VALUES (@Stack, @Sequence, @Id, @State, @Reason, @StartedAt, @EndedAt, @Problem, @Hint, @Manifest, @Zones, @ProvedAt)
        """,
        Arguments(record));

    private static object Arguments(BackupSetRecord record) => new
    {
        record.Stack,
        record.Sequence,
        Id = record.Id.Value,
        State = record.State.ToString().ToLowerInvariant(),
        record.Reason,
        StartedAt = Timestamp.Write(record.StartedAt),
        EndedAt = Timestamp.Write(record.EndedAt),
        record.Problem,
        record.Hint,
        Manifest = record.Manifest is { } manifest ? JsonSerializer.Serialize(manifest, Json) : null,
        Zones = JsonSerializer.Serialize(record.Zones, Json),
        ProvedAt = Timestamp.Write(record.ProvedAt),
    };

    private static BackupSetRecord Read(Row row)
    {
        try
        {
            return new()
            {
                Stack = row.Stack,
                Sequence = row.Sequence,
                Id = new(row.Id),
                State = Enum.Parse<BackupSetState>(row.State, ignoreCase: true),
                Reason = row.Reason,
                StartedAt = Timestamp.Read(row.StartedAt),
                EndedAt = Timestamp.ReadOptional(row.EndedAt),
                Problem = row.Problem,
                Hint = row.Hint,
                Manifest = row.Manifest is { } manifest ? JsonSerializer.Deserialize<BackupManifest>(manifest, Json) : null,
                Zones = JsonSerializer.Deserialize<ImmutableSortedDictionary<string, string>>(row.Zones, Json) ?? ImmutableSortedDictionary<string, string>.Empty,
                ProvedAt = Timestamp.ReadOptional(row.ProvedAt),
            };
        }
        catch (Exception damaged) when (damaged is JsonException or ArgumentException or FormatException)
        {
            throw new JournalException($"The record of set {row.Id} of {row.Stack} is not understood: {damaged.Message}", damaged);
        }
    }

    private sealed record Row(
        string Stack, long Sequence, string Id, string State, string Reason, string StartedAt, string? EndedAt, string? Problem, string? Hint, string? Manifest, string Zones, string? ProvedAt);
}
