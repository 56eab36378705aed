using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using Orchestrator.Journal.Sqlite;

namespace Orchestrator.Restores;

/// <summary>Restores, and what was made to be thrown away, in the daemon's journal.</summary>
public sealed class RestoreLedger(SqliteDatabase database, TimeProvider time)
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) } };

    /// <summary>Numbers it and writes it down.</summary>
    public Task<RestoreRecord> AddAsync(RestoreRecord record, CancellationToken cancellationToken) => database.WriteAsync(session =>
    {
        var id = session.Scalar<long>(
            "INSERT INTO restores (stack, state, content, created_at) VALUES (@Stack, @State, '{}', @At) RETURNING id",
            new { record.Stack, State = Word(record.State), At = Timestamp.Write(record.CreatedAt) });
        var numbered = record with { Id = id };
        Save(session, numbered);
        return numbered;
    }, cancellationToken);

    public Task SaveAsync(RestoreRecord record, CancellationToken cancellationToken) => database.WriteAsync(session => Save(session, record), cancellationToken);

    public Task<RestoreRecord?> FindAsync(long id, CancellationToken cancellationToken) => database.ReadAsync(
        session => session.Find<string>("SELECT content FROM restores WHERE id = @Id", new { Id = id }) is { } content ? Read(content) : null, cancellationToken);

    /// <summary>Newest first.</summary>
    /// <param name="stack">Null: of all stacks.</param>
    public Task<ImmutableArray<RestoreRecord>> ListAsync(string? stack, int limit, CancellationToken cancellationToken) => database.ReadAsync<ImmutableArray<RestoreRecord>>(
        session => [.. session.Query<string>("SELECT content FROM restores WHERE @Stack IS NULL OR stack = @Stack ORDER BY id DESC LIMIT @Limit", new { Stack = stack, Limit = limit }).Select(Read)],
        cancellationToken);

    /// <summary>Those that were under way, and those whose old volumes are kept still.</summary>
    public Task<ImmutableArray<RestoreRecord>> OpenAsync(CancellationToken cancellationToken) => database.ReadAsync<ImmutableArray<RestoreRecord>>(
        session => [.. session.Query<string>("SELECT content FROM restores WHERE state IN ('preparing', 'swapping', 'done', 'undone') ORDER BY id").Select(Read)],
        cancellationToken);

    /// <summary>Written before anything of it is made.</summary>
    public Task BeginShadowAsync(string name, string stack, CancellationToken cancellationToken) => database.WriteAsync(
        session => session.Execute("INSERT INTO shadows (name, stack, begun_at) VALUES (@Name, @Stack, @At)", new { Name = name, Stack = stack, At = Timestamp.Write(time.GetUtcNow()) }),
        cancellationToken);

    /// <summary>Removed after all of it is gone.</summary>
    public Task EndShadowAsync(string name, CancellationToken cancellationToken) => database.WriteAsync(
        session => session.Execute("DELETE FROM shadows WHERE name = @Name", new { Name = name }), cancellationToken);

    /// <summary>Names of what was not removed when the daemon ended.</summary>
    public Task<ImmutableArray<string>> ShadowsAsync(CancellationToken cancellationToken) => database.ReadAsync(
        session => session.Query<string>("SELECT name FROM shadows ORDER BY name"), cancellationToken);

    private static void Save(SqliteSession session, RestoreRecord record) => session.Execute(
        "UPDATE restores SET state = @State, content = @Content WHERE id = @Id", new { record.Id, State = Word(record.State), Content = JsonSerializer.Serialize(record, Json) });

    private static RestoreRecord Read(string content) =>
        JsonSerializer.Deserialize<RestoreRecord>(content, Json) ?? throw new Journal.JournalException("The record of a restore is empty.", null);

    private static string Word(RestoreState state) => state.ToString().ToLowerInvariant();
}
