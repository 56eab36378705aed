using GardenApp.Database;
using GardenApp.Redis;
using Npgsql;

namespace Orchestrator.Tests.GardenApp;

public sealed class SettingsTests
{
    [Test]
    public void Every_wrong_setting_is_reported_at_once_and_no_password_is_quoted()
    {
        var problems = new List<string>();
        RunningGarden.TryRead(problems, ("PORT", "70000"), ("DATABASE_URL", "mysql://root:hush@host/db"), ("REDIS_URL", "host:hush"), ("LOG_LEVEL", "loud"), ("INSIGHTS_PROVIDER", "oracle"),
            ("GARDEN_FAULT_ERROR_RATIO", "1.1"), ("GARDEN_FAULT_NEVER_HEALTHY", "maybe"), ("GARDEN_FAULT_BROKEN_PATH", "api"), ("GARDEN_FAULT_SLOW", "1"));
        Assert.That(problems.Select(problem => problem.Split(' ')[0]).Order(StringComparer.Ordinal), Is.EqualTo(new[]
        {
            "DATABASE_URL", "GARDEN_FAULT_BROKEN_PATH", "GARDEN_FAULT_ERROR_RATIO", "GARDEN_FAULT_NEVER_HEALTHY", "GARDEN_FAULT_SLOW", "INSIGHTS_PROVIDER", "LOG_LEVEL", "PORT", "REDIS_URL",
        }));
        Assert.That(problems, Has.None.Contains("hush"));
    }

    [Test]
    public void A_secret_may_be_a_file_but_not_both()
    {
        var file = Path.GetTempFileName();
        File.WriteAllText(file, "postgres://u:p@h/d\n");
        Assert.That(RunningGarden.SettingsOf(("DATABASE_URL_FILE", file)).DatabaseConnection, Does.Contain("Host=h"));

        var problems = new List<string>();
        RunningGarden.TryRead(problems, ("DATABASE_URL_FILE", file), ("DATABASE_URL", "postgres://u:p@h/d"));
        RunningGarden.TryRead(problems, ("REDIS_URL_FILE", "/nowhere"));
        File.Delete(file);
        Assert.That(problems, Has.Count.EqualTo(2));
    }

    [Test]
    public void An_empty_variable_counts_as_unset() => Assert.That(RunningGarden.SettingsOf(("PORT", ""), ("DATABASE_URL", ""), ("GARDEN_FAULT_ERROR_RATIO", "")).Port, Is.EqualTo(3000));

    [TestCase("postgres://garden:pw@db:5433/garden", "db", 5433, "garden", "pw", "garden")]
    [TestCase("postgresql://g%40x:p%2Fw%25@db/the%20garden", "db", 5432, "g@x", "p/w%", "the garden")]
    [TestCase("postgres://garden@[::1]:5432/garden?sslmode=verify-full", "::1", 5432, "garden", null, "garden")]
    public void A_database_url_is_read_as_everybody_writes_it(string url, string host, int port, string user, string? password, string database)
    {
        var built = new NpgsqlConnectionStringBuilder(DatabaseUrl.ToConnectionString(url));
        Assert.That((built.Host, built.Port, built.Username, built.Password, built.Database), Is.EqualTo((host, port, user, password, database)));
    }

    [TestCase("postgres://db/garden")]
    [TestCase("postgres://garden@db")]
    [TestCase("postgres://garden@db/garden?colour=blue")]
    [TestCase("postgres://garden@db/garden?sslmode=sometimes")]
    [TestCase("http://garden@db/garden")]
    [TestCase("garden")]
    public void A_database_url_that_makes_no_sense_is_refused(string url) => Assert.That(DatabaseUrl.ToConnectionString(url), Is.Null);

    [TestCase("redis://redis", "redis", 6379, null, null, 0, false)]
    [TestCase("redis://:p%40ss@redis:6380/3", "redis", 6380, null, "p@ss", 3, false)]
    [TestCase("rediss://garden:pw@redis", "redis", 6379, "garden", "pw", 0, true)]
    public void A_redis_url_is_read_as_everybody_writes_it(string url, string host, int port, string? user, string? password, int database, bool tls)
    {
        var options = RedisUrl.ToOptions(url)!;
        var endpoint = (System.Net.DnsEndPoint)options.EndPoints.Single();
        Assert.That((endpoint.Host, endpoint.Port, options.User, options.Password, options.DefaultDatabase, options.Ssl), Is.EqualTo((host, port, user, password, (int?)database, tls)));
    }

    [TestCase("redis")]
    [TestCase("redis://redis/first")]
    [TestCase("http://redis")]
    public void A_redis_url_that_makes_no_sense_is_refused(string url) => Assert.That(RedisUrl.ToOptions(url), Is.Null);
}
