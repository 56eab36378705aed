using System.Collections.Immutable;
using Orchestrator.Journal.Sqlite;

namespace Orchestrator.Backups.Sets;

/// <summary>Why a stream needs a new base, from when on, and the set that met it.</summary>
/// <param name="Hole">A part of the stream is lost.</param>
/// <param name="MetBy">Null: none yet.</param>
public sealed record StreamNeed(string Stack, string Service, DateTimeOffset At, string Why, bool Hole, string? MetBy);

/// <summary>Holes in streams, in the daemon's journal: a daemon that ends between a hole and the set that answers it asks for the set after its next start.</summary>
public sealed class StreamLedger(SqliteDatabase database, TimeProvider time)
{
    /// <summary>Writes a need down, unless the same one is open.</summary>
    /// <returns>False: it was known.</returns>
    public Task<bool> NeedAsync(string stack, string service, string why, bool hole, CancellationToken cancellationToken) => database.WriteAsync(session =>
    {
        var open = session.Scalar<long>("SELECT COUNT(*) FROM stream_needs WHERE stack = @Stack AND service = @Service AND why = @Why AND met_by IS NULL", new { Stack = stack, Service = service, Why = why });
        if (open > 0) return false;

        session.Execute(
            "INSERT OR REPLACE INTO stream_needs (stack, service, at, why, hole) VALUES (@Stack, @Service, @At, @Why, @Hole)",
            new { Stack = stack, Service = service, At = Timestamp.Write(time.GetUtcNow()), Why = why, Hole = hole });
        return true;
    }, cancellationToken);

    /// <summary>Needs that no set has met, oldest first.</summary>
    public async Task<ImmutableArray<StreamNeed>> OpenAsync(CancellationToken cancellationToken) => [.. (await ListAsync(null, cancellationToken)).Where(need => need.MetBy is null)];

    /// <summary>All that are known, oldest first.</summary>
    /// <param name="stack">Null: of all stacks.</param>
    public Task<ImmutableArray<StreamNeed>> ListAsync(string? stack, CancellationToken cancellationToken) => database.ReadAsync<ImmutableArray<StreamNeed>>(
        session =>
        [
            .. session.Query<Row>("SELECT stack, service, at, why, hole, met_by AS metBy FROM stream_needs WHERE @Stack IS NULL OR stack = @Stack ORDER BY at, stack, service", new { Stack = stack })
                .Select(row => new StreamNeed(row.Stack, row.Service, Timestamp.Read(row.At), row.Why, row.Hole != 0, row.MetBy)),
        ],
        cancellationToken);

    /// <summary>A set that was begun after the needs of its stack has met them.</summary>
    public Task MeetAsync(BackupSetRecord set, CancellationToken cancellationToken) => database.WriteAsync(
        session => session.Execute(
            "UPDATE stream_needs SET met_by = @Set WHERE stack = @Stack AND met_by IS NULL AND at <= @Begun", new { set.Stack, Set = set.Id.Value, Begun = Timestamp.Write(set.StartedAt) }),
        cancellationToken);

    private sealed record Row(string Stack, string Service, string At, string Why, long Hole, string? MetBy);
}
