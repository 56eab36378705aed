using GardenApp.Hosting;
using GardenApp.Migrations;

namespace Orchestrator.Tests.GardenApp;

public sealed class MigrationTests
{
    [Test]
    public void Migrations_are_numbered_without_gaps() =>
        Assert.That(Migration.All.Select(migration => migration.Number), Is.EqualTo(Enumerable.Range(1, Migration.All.Length)));

    [Test]
    public async Task Migrating_twice_changes_nothing_the_second_time()
    {
        var settings = await SettingsAsync();
        Assert.That(await MigrateAsync(settings), Does.Contain("applied 001_gardens"));
        Assert.That(await MigrateAsync(settings), Does.Not.Contain("applied").And.Contain("the schema is at"));
    }

    [Test]
    public async Task Many_containers_may_migrate_at_once_and_each_step_runs_once()
    {
        var settings = await SettingsAsync();
        var outputs = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => MigrateAsync(settings)));
        foreach (var migration in Migration.All)
            Assert.That(outputs.Count(output => output.Contains($"applied {migration.Name} ", StringComparison.Ordinal)), Is.EqualTo(1), migration.Name);
    }

    [Test]
    public async Task A_migration_that_was_changed_after_it_was_applied_is_refused()
    {
        var url = await Backing.NewDatabaseAsync();
        var settings = RunningGarden.SettingsOf(("DATABASE_URL", url));
        await MigrateAsync(settings);
        await ExecuteAsync(url, "UPDATE schema_migrations SET sha256 = 'other' WHERE number = 2");
        Assert.That(await MigrateAsync(settings, exitCode: 1), Does.Contain("002_sensors was applied with another content"));
    }

    [Test]
    public async Task An_older_version_runs_on_a_newer_schema()
    {
        var url = await Backing.NewDatabaseAsync();
        var settings = RunningGarden.SettingsOf(("DATABASE_URL", url));
        await MigrateAsync(settings);
        await ExecuteAsync(url, "INSERT INTO schema_migrations VALUES (9000, '9000_future', 'x', now()); ALTER TABLE gardens ADD COLUMN season text");
        Assert.That(await MigrateAsync(settings), Does.Contain("and 1 newer"));

        await using var garden = await RunningGarden.StartBareAsync(("DATABASE_URL", url));
        await RunningGarden.CreateGardenAsync(garden.Client, "of the past");
        Assert.That((string?)(await garden.HealthAsync())["status"], Is.EqualTo("healthy"));
    }

    [Test]
    public async Task Without_a_database_it_gives_up_after_its_patience_and_says_why()
    {
        var settings = RunningGarden.SettingsOf(("DATABASE_URL", Backing.DatabaseUrl("garden", Backing.FreePort())), ("MIGRATE_WAIT_SECONDS", "0.1"));
        var output = await MigrateAsync(settings, exitCode: 1);
        Assert.That(output, Does.Contain("refused").IgnoreCase.And.Not.Contain("p@ss"));
        Assert.That(await MigrateAsync(new GardenSettings(), exitCode: 1), Does.Contain("DATABASE_URL is not set"));
    }

    private static async Task<GardenSettings> SettingsAsync() => RunningGarden.SettingsOf(("DATABASE_URL", await Backing.NewDatabaseAsync()));

    private static async Task<string> MigrateAsync(GardenSettings settings, int exitCode = 0)
    {
        using var output = new StringWriter();
        Assert.That(await MigrateVerb.RunAsync(settings, output, CancellationToken.None), Is.EqualTo(exitCode), output.ToString());
        return output.ToString();
    }

    private static async Task ExecuteAsync(string url, string sql)
    {
        await using var source = Backing.Open(url);
        await using var command = source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }
}
