using System.Collections.Immutable;
using Npgsql;
using Orchestrator.Backups;
using Orchestrator.Backups.Postgres;

namespace Orchestrator.Tests.Backups.Postgres;

/// <summary>Servers that cannot be backed up as they are: what is missing is said, and is a failure, never a skip.</summary>
public sealed class OnboardingTests
{
    [Test]
    public async Task A_server_that_lets_nobody_replicate_names_the_line_and_one_that_was_stopped_is_a_failure()
    {
        await using var cluster = await Cluster.StartAsync(hba: false, "wal_level=minimal", "max_wal_senders=0");
        var minimal = await cluster.Source.CheckAsync(cluster.Subject, CancellationToken.None);
        await cluster.ExecuteAsync("ALTER SYSTEM SET wal_level = 'replica'");

        ImmutableArray<BackupFinding> unmarked;
        await using var open = await Cluster.StartAsync(hba: false);
        var refused = await open.Source.CheckAsync(open.Subject, CancellationToken.None);
        await open.ExecuteAsync("CREATE ROLE copier LOGIN REPLICATION PASSWORD 'copied'");
        await using (var limited = NpgsqlDataSource.Create($"Host={open.Subject.Address};Username=copier;Password=copied;Database=postgres"))
        await using (var connection = await limited.OpenConnectionAsync())
            unmarked = PostgresChecks.Settings(open.Subject, "copier", await ServerFacts.ReadAsync(connection, sized: false, CancellationToken.None));
        await open.Lab.Engine.StopAsync(open.Subject.Container.Id, TimeSpan.Zero, CancellationToken.None);
        var stopped = await open.Source.CheckAsync(open.Subject, CancellationToken.None);
        var failure = await Assert.ThrowsAsync<BackupFailedException>(() => open.Source.BackupAsync(open.Subject, open.Store().Writer, CancellationToken.None));

        Assert.Multiple(() =>
        {
            Assert.That(minimal.Where(finding => finding.Blocking).Select(finding => finding.Hint), Has.Some.Contain("ALTER SYSTEM SET wal_level = 'replica'"));
            Assert.That(
                unmarked.Where(finding => finding.Blocking).Select(finding => finding.Hint),
                Has.Some.EndsWith("GRANT EXECUTE ON FUNCTION pg_catalog.pg_create_restore_point(text) TO \"copier\""));
            Assert.That(refused.Single().Hint, Does.Contain("'host replication garden samenet scram-sha-256'"));
            Assert.That(stopped.Single(), Has.Property("Blocking").True.And.Property("What").Contain("cannot be reached"));
            Assert.That(failure!.Message, Does.Contain("cannot be reached"));
        });
    }
}
