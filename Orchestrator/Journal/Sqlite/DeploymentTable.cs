using System.Collections.Immutable;
using System.Text.Json;
using Orchestrator.Deployments;
using Orchestrator.Planning;

namespace Orchestrator.Journal.Sqlite;

/// <summary>Deployments and the rows of their steps.</summary>
internal static class DeploymentTable
{
    private const string Columns =
        "id, stack, state, request, created_at AS createdAt, started_at AS startedAt, ended_at AS endedAt, release, before, plan, failure, " +
        "requests_total AS requestsTotal, requests_failed AS requestsFailed, suspended, cancel_requested AS cancelRequested";

    private const string Unfinished = "state IN ('queued', 'running')";

    public static Deployment Add(SqliteSession session, DeploymentRequest request, DateTimeOffset at)
    {
        var id = session.Scalar<long>(
            "INSERT INTO deployments (stack, state, request, created_at) VALUES (@Stack, @State, @Request, @At) RETURNING id",
            new { request.Stack, State = Word(DeploymentState.Queued), Request = JournalJson.Write(request), At = Timestamp.Write(at) });
        return new Deployment { Id = new DeploymentId(id), Request = request, State = DeploymentState.Queued, CreatedAt = at };
    }

    public static Deployment? Find(SqliteSession session, DeploymentId id)
    {
        var rows = session.Query<Row>($"SELECT {Columns} FROM deployments WHERE id = @Id", new { Id = id.Value });
        return rows.IsEmpty ? null : ReadAll(session, rows).Single() is { Deployment: { } deployment } ? deployment
            : throw new JournalException($"The record of deployment {id} is damaged; 'basmalin doctor' says how.", null, JournalFault.Damaged);
    }

    /// <summary>Newest first, without those that are damaged.</summary>
    public static ImmutableArray<Deployment> List(SqliteSession session, string? stack, int limit) => WithSteps(session, session.Query<Row>(
        $"SELECT {Columns} FROM deployments WHERE @Stack IS NULL OR stack = @Stack ORDER BY id DESC LIMIT @Limit", new { Stack = stack, Limit = limit }));

    /// <summary>Oldest first, without those that are damaged.</summary>
    public static ImmutableArray<Deployment> ListUnfinished(SqliteSession session) =>
        WithSteps(session, session.Query<Row>($"SELECT {Columns} FROM deployments WHERE {Unfinished} ORDER BY id"));

    /// <summary>Those that cannot be read, by number.</summary>
    /// <param name="all">False: only those that have not ended.</param>
    public static ImmutableArray<DamagedDeployment> Damaged(SqliteSession session, bool all)
    {
        var rows = session.Query<Row>($"SELECT {Columns} FROM deployments WHERE @All OR {Unfinished} ORDER BY id", new { All = all });
        return [.. ReadAll(session, rows).Where(read => read.Deployment is null).Select(read =>
            new DamagedDeployment(new DeploymentId(read.Row.Id), read.Row.Stack, read.Row.State is "queued" or "running", read.Problem))];
    }

    /// <summary>Forgets one that cannot be read.</summary>
    public static void Remove(SqliteSession session, DeploymentId id) => session.Execute("DELETE FROM deployments WHERE id = @Id", new { Id = id.Value });

    /// <summary>Newest first.</summary>
    public static ImmutableArray<Deployment> ListQueued(SqliteSession session, string stack) => WithSteps(session, session.Query<Row>(
        $"SELECT {Columns} FROM deployments WHERE stack = @Stack AND {Unfinished} AND state = 'queued' ORDER BY id DESC", new { Stack = stack }));

    public static void Supersede(SqliteSession session, DeploymentId id, DateTimeOffset at) => session.Execute(
        "UPDATE deployments SET state = @State, ended_at = @At WHERE id = @Id",
        new { Id = id.Value, State = Word(DeploymentState.Superseded), At = Timestamp.Write(at) });

    /// <summary>Everything but the steps. What has ended stays ended: a superseded deployment must not be begun by whoever still held it as queued.</summary>
    public static void Save(SqliteSession session, Deployment deployment)
    {
        var changed = session.Execute(
            $"""
             UPDATE deployments SET state = @State, request = @Request, started_at = @StartedAt, ended_at = @EndedAt, release = @Release, before = @Before,
                 plan = @Plan, failure = @Failure, requests_total = @Total, requests_failed = @Failed, suspended = @Suspended
             WHERE id = @Id AND ({Unfinished} OR @Ended)
             """,
            new
            {
                Id = deployment.Id.Value,
                State = Word(deployment.State),
                Request = JournalJson.Write(deployment.Request),
                StartedAt = Timestamp.Write(deployment.StartedAt),
                EndedAt = Timestamp.Write(deployment.EndedAt),
                deployment.Release,
                Before = JournalJson.WriteOptional(deployment.Before),
                Plan = JournalJson.WriteOptional(deployment.Plan),
                Failure = JournalJson.WriteOptional(deployment.Failure),
                deployment.Requests.Total,
                deployment.Requests.Failed,
                deployment.Suspended,
                deployment.Ended,
            });
        if (changed == 1) return;

        var state = session.Find<string>("SELECT state FROM deployments WHERE id = @Id", new { Id = deployment.Id.Value });
        throw new JournalException(
            state is null ? $"There is no deployment {deployment.Id}." : $"Deployment {deployment.Id} is {state}: it cannot become {Word(deployment.State)}.", null);
    }

    public static bool RequestCancel(SqliteSession session, DeploymentId id) => session.Execute(
        $"""
         UPDATE deployments SET cancel_requested = 1
         WHERE id = @Id AND {Unfinished} AND NOT EXISTS (SELECT 1 FROM steps WHERE deployment = @Id AND name = @Commit)
         """,
        new { Id = id.Value, Commit = Word(StepKind.Commit) }) == 1;

    /// <summary>No number up to this one is given again.</summary>
    /// <returns>True when it might have been.</returns>
    public static bool Reserve(SqliteSession session, long number) =>
        session.Execute("UPDATE sqlite_sequence SET seq = @Number WHERE name = 'deployments' AND seq < @Number", new { Number = number }) > 0
        || (session.Find<long?>("SELECT seq FROM sqlite_sequence WHERE name = 'deployments'") is null
            && session.Execute("INSERT INTO sqlite_sequence (name, seq) VALUES ('deployments', @Number)", new { Number = number }) > 0);

    public static int Prune(SqliteSession session, string stack, int keep, DateTimeOffset oldestKey) => session.Execute(
        """
        DELETE FROM deployments WHERE stack = @Stack AND ended_at IS NOT NULL
            AND id NOT IN (SELECT deployment FROM idempotency_keys WHERE created_at >= @OldestKey)
            AND id NOT IN (SELECT id FROM deployments WHERE stack = @Stack ORDER BY id DESC LIMIT @Keep)
        """,
        new { Stack = stack, Keep = keep, OldestKey = Timestamp.Write(oldestKey) });

    public static void BeginStep(SqliteSession session, DeploymentId id, StepKind step, DateTimeOffset at) => session.Execute(
        """
        INSERT INTO steps (deployment, name, state, started_at) VALUES (@Id, @Name, @State, @At)
        ON CONFLICT (deployment, name) DO UPDATE SET state = @State, started_at = @At, ended_at = NULL, detail = NULL
        """,
        new { Id = id.Value, Name = Word(step), State = Word(StepState.Running), At = Timestamp.Write(at) });

    public static void EndStep(SqliteSession session, DeploymentId id, StepKind step, StepState state, string? detail, DateTimeOffset at) => session.Execute(
        """
        INSERT INTO steps (deployment, name, state, started_at, ended_at, detail) VALUES (@Id, @Name, @State, @At, @At, @Detail)
        ON CONFLICT (deployment, name) DO UPDATE SET state = @State, ended_at = coalesce(ended_at, @At), detail = @Detail
        """,
        new { Id = id.Value, Name = Word(step), State = Word(state), At = Timestamp.Write(at), Detail = detail });

    private static ImmutableArray<Deployment> WithSteps(SqliteSession session, ImmutableArray<Row> rows) =>
        [.. ReadAll(session, rows).Select(read => read.Deployment).OfType<Deployment>()];

    private static IEnumerable<(Row Row, Deployment? Deployment, string Problem)> ReadAll(SqliteSession session, ImmutableArray<Row> rows)
    {
        if (rows.IsEmpty) return [];

        var steps = session.Query<StepRow>(
                "SELECT deployment, name, state, started_at AS startedAt, ended_at AS endedAt, detail FROM steps " +
                "WHERE deployment IN (SELECT value FROM json_each(@Ids))",
                new { Ids = JournalJson.Write(rows.Select(row => row.Id).ToArray()) })
            .ToLookup(step => step.Deployment);
        return rows.Select(row => (row, Read(row, steps[row.Id], out var problem), problem));
    }

    /// <returns>Null when it is not understood.</returns>
    private static Deployment? Read(Row row, IEnumerable<StepRow> steps, out string problem)
    {
        problem = "";
        try
        {
            return new Deployment
            {
                Id = new DeploymentId(row.Id),
                Request = JournalJson.Read<DeploymentRequest>(row.Request),
                State = Enum.Parse<DeploymentState>(row.State, ignoreCase: true),
                CreatedAt = Timestamp.Read(row.CreatedAt),
                StartedAt = Timestamp.ReadOptional(row.StartedAt),
                EndedAt = Timestamp.ReadOptional(row.EndedAt),
                Release = checked((int?)row.Release),
                Before = JournalJson.ReadOptional<StackState>(row.Before),
                Plan = JournalJson.ReadOptional<Plan>(row.Plan),
                Failure = JournalJson.ReadOptional<StepFailure>(row.Failure),
                Requests = new RequestCount(row.RequestsTotal, row.RequestsFailed),
                Suspended = row.Suspended != 0,
                CancelRequested = row.CancelRequested != 0,
                Steps = [.. steps.Select(Read).OrderBy(step => step.Name)],
            };
        }
        catch (Exception failure) when (failure is JsonException or ArgumentException or FormatException or OverflowException)
        {
            problem = $"deployment {row.Id} ({row.State}) is not understood: {failure.Message}";
            return null;
        }
    }

    private static StepRecord Read(StepRow row) => new(
        Enum.Parse<StepKind>(row.Name, ignoreCase: true),
        Enum.Parse<StepState>(row.State, ignoreCase: true),
        Timestamp.Read(row.StartedAt),
        Timestamp.ReadOptional(row.EndedAt),
        row.Detail);

    private static string Word<T>(T value) where T : struct, Enum => JsonNamingPolicy.CamelCase.ConvertName(value.ToString());

    private sealed record Row(
        long Id, string Stack, string State, string Request, string CreatedAt, string? StartedAt, string? EndedAt, long? Release, string? Before, string? Plan,
        string? Failure, long RequestsTotal, long RequestsFailed, long Suspended, long CancelRequested);

    private sealed record StepRow(long Deployment, string Name, string State, string StartedAt, string? EndedAt, string? Detail);
}
