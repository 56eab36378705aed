using System.Collections.Immutable;
using Orchestrator.Deployments;
using Orchestrator.Planning;

namespace Orchestrator.Journal.Sqlite;

/// <summary>The record in a SQLite file.</summary>
public sealed class SqliteJournal(SqliteDatabase database, TimeProvider time) : IJournal
{
    /// <summary>How long an idempotency key is remembered.</summary>
    public static readonly TimeSpan KeysKept = TimeSpan.FromDays(30);

    /// <summary>A deployment writes some dozen rows, and the log grows by some pages for each.</summary>
    private const long RoomToBegin = 8 << 20;

    public Task<StackState?> FindStackAsync(string stack, CancellationToken cancellationToken) =>
        database.ReadAsync(session => StateTable.Find(session, stack), cancellationToken);

    public Task<ImmutableArray<StackState>> ListStacksAsync(CancellationToken cancellationToken) =>
        database.ReadAsync(StateTable.List, cancellationToken);

    public Task<ImmutableArray<(string Stack, string Problem)>> DamagedStacksAsync(CancellationToken cancellationToken) =>
        database.ReadAsync<ImmutableArray<(string, string)>>(session => [.. StateTable.Damaged(session), .. ReleaseTable.Damaged(session), .. DeploymentTable.Damaged(session, all: false).Select(one => (one.Stack, one.Problem))], cancellationToken);

    public Task<StackState?> PreviousStackAsync(string stack, CancellationToken cancellationToken) =>
        database.ReadAsync(session => StateTable.Previous(session, stack), cancellationToken);

    public Task SaveStackAsync(StackState state, CancellationToken cancellationToken) =>
        database.WriteAsync(session => StateTable.Save(session, state, time.GetUtcNow()), cancellationToken);

    public Task<Release> AddReleaseAsync(Release release, CancellationToken cancellationToken) =>
        database.WriteAsync(session => ReleaseTable.Add(session, release), cancellationToken);

    public Task PutReleaseAsync(Release release, CancellationToken cancellationToken) =>
        database.WriteAsync(session => ReleaseTable.Put(session, release), cancellationToken);

    public Task<int> LastReleaseAsync(string stack, CancellationToken cancellationToken) =>
        database.ReadAsync(session => checked((int)(session.Find<long?>("SELECT last FROM release_numbers WHERE stack = @Stack", new { Stack = stack }) ?? 0)), cancellationToken);

    public Task<Release?> FindReleaseAsync(string stack, int number, CancellationToken cancellationToken) =>
        database.ReadAsync(session => ReleaseTable.Find(session, stack, number), cancellationToken);

    public Task<ImmutableArray<Release>> ListReleasesAsync(string stack, CancellationToken cancellationToken) =>
        database.ReadAsync(session => ReleaseTable.List(session, stack), cancellationToken);

    public Task RemoveReleaseAsync(string stack, int number, CancellationToken cancellationToken) =>
        database.WriteAsync(session => ReleaseTable.Remove(session, stack, number), cancellationToken);

    public async Task<Admission> AdmitAsync(DeploymentRequest request, string? idempotencyKey, CancellationToken cancellationToken)
    {
        database.Health.RefuseIfDamaged();
        if (SqliteFile.RoomBeside(database.Path) is { } room && room < RoomToBegin)
        {
            var problem = $"{room >> 20} MiB are free on the disk of the journal {database.Path}, {RoomToBegin >> 20} MiB are needed to begin a deployment: it could not be written down to its end.";
            database.Health.ReportFull(problem);
            throw new JournalException(problem, null, JournalFault.Full);
        }

        return await database.WriteAsync(session => Admit(session, request, idempotencyKey, time.GetUtcNow()), cancellationToken);
    }

    public JournalHealth Health => database.Health;

    public Task<Deployment?> FindDeploymentAsync(DeploymentId id, CancellationToken cancellationToken) =>
        database.ReadAsync(session => DeploymentTable.Find(session, id), cancellationToken);

    public Task<ImmutableArray<Deployment>> ListDeploymentsAsync(string? stack, int limit, CancellationToken cancellationToken) =>
        database.ReadAsync(session => DeploymentTable.List(session, stack, limit), cancellationToken);

    public Task<ImmutableArray<Deployment>> UnfinishedAsync(CancellationToken cancellationToken) =>
        database.ReadAsync(DeploymentTable.ListUnfinished, cancellationToken);

    public Task<ImmutableArray<DamagedDeployment>> DamagedDeploymentsAsync(CancellationToken cancellationToken) =>
        database.ReadAsync(session => DeploymentTable.Damaged(session, all: true), cancellationToken);

    public Task SaveDeploymentAsync(Deployment deployment, CancellationToken cancellationToken) =>
        database.WriteAsync(session => DeploymentTable.Save(session, deployment), cancellationToken);

    public Task<int> PruneDeploymentsAsync(string stack, int keep, CancellationToken cancellationToken) =>
        database.WriteAsync(session => DeploymentTable.Prune(session, stack, keep, time.GetUtcNow() - KeysKept), cancellationToken);

    public Task<bool> RequestCancelAsync(DeploymentId id, CancellationToken cancellationToken) =>
        database.WriteAsync(session => DeploymentTable.RequestCancel(session, id), cancellationToken);

    public Task BeginStepAsync(DeploymentId id, StepKind step, CancellationToken cancellationToken) =>
        database.WriteAsync(session => DeploymentTable.BeginStep(session, id, step, time.GetUtcNow()), cancellationToken);

    public Task EndStepAsync(StepEnd end, CancellationToken cancellationToken) => database.WriteAsync(session =>
    {
        var at = time.GetUtcNow();
        DeploymentTable.Save(session, end.Deployment);
        DeploymentTable.EndStep(session, end.Deployment.Id, end.Step, end.State, end.Detail, at);
        if (end.Stack is { } state) StateTable.Save(session, state, at);
        if (!end.CommitRelease) return;

        var release = end.Deployment.Release ?? throw new JournalException($"Deployment {end.Deployment.Id} has no release to commit.", null);
        ReleaseTable.Commit(session, end.Deployment.Request.Stack, release);
    }, cancellationToken);

    private static Admission Admit(SqliteSession session, DeploymentRequest request, string? key, DateTimeOffset now)
    {
        // A damaged record is refused here, not in the middle of it.
        if (StateTable.Find(session, request.Stack) is { CurrentRelease: > 0 } state) _ = ReleaseTable.Find(session, request.Stack, state.CurrentRelease);
        if (DeploymentTable.Damaged(session, all: false).FirstOrDefault(one => one.Stack == request.Stack) is { } unread)
            throw new JournalException($"Of stack {request.Stack}, {unread.Problem}. It is served; nothing is deployed until 'basmalin doctor --repair'.", null, JournalFault.Damaged);

        session.Execute("DELETE FROM idempotency_keys WHERE created_at < @Oldest", new { Oldest = Timestamp.Write(now - KeysKept) });
        if (key is not null && Known(session, request.Stack, key) is { } known) return new Admission(known, [], Known: true);

        // Newest first, so that what it says wins over what an older one said.
        var queued = DeploymentTable.ListQueued(session, request.Stack);
        var deployment = DeploymentTable.Add(session, queued.Aggregate(request, (merged, older) => merged.InPlaceOf(older.Request)), now);
        foreach (var older in queued) DeploymentTable.Supersede(session, older.Id, now);
        if (key is not null)
        {
            session.Execute(
                "INSERT INTO idempotency_keys (stack, key, deployment, created_at) VALUES (@Stack, @Key, @Deployment, @At)",
                new { request.Stack, Key = key, Deployment = deployment.Id.Value, At = Timestamp.Write(now) });
        }

        return new Admission(deployment, [.. queued.Select(older => older.Id)], Known: false);
    }

    private static Deployment? Known(SqliteSession session, string stack, string key) =>
        session.Find<long?>("SELECT deployment FROM idempotency_keys WHERE stack = @Stack AND key = @Key", new { Stack = stack, Key = key }) is { } id
            ? DeploymentTable.Find(session, new DeploymentId(id))
            : null;
}
