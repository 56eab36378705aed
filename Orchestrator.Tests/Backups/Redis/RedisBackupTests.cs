using System.Globalization;
using Orchestrator.Backups;
using Orchestrator.Secrets;
using Orchestrator.Stacks;
using Orchestrator.Tests.GardenApp;

namespace Orchestrator.Tests.Backups.Redis;

/// <summary>Copies of a real Redis, restored into new volumes and started by the image's own command. DEBUG DIGEST, Redis's own sum, is the judge.</summary>
public sealed class RedisBackupTests
{
    [TestCase("no")]
    [TestCase("yes")]
    public async Task Every_kind_of_value_comes_back_with_and_without_an_append_only_file(string appendOnly)
    {
        await using var bed = await RedisBed.MakeAsync();
        await using var server = await RedisServer.StartAsync("--appendonly", appendOnly);
        await FillAsync(server);
        var digest = await server.DigestAsync();

        var part = await bed.BackupAsync(server);
        await using var restored = await bed.RestoredAsync(part, server);

        await Assert.MultipleAsync(async () =>
        {
            Assert.That(await restored.DigestAsync(), Is.EqualTo(digest));
            Assert.That(part.Fingerprints.Keys, Is.EquivalentTo(new[] { "db0", "db3", "functions" }));
            Assert.That(await bed.Source.FingerprintsAsync(await restored.SubjectAsync(), CancellationToken.None), Is.EqualTo(part.Fingerprints));
            Assert.That(part.Facts["offset"], Does.Match("^[0-9]+$"));
            Assert.That(part.Facts["replid"], Does.Match("^[0-9a-f]{40}$"));
            Assert.That(part.Facts["version"], Does.StartWith("7."));
            Assert.That(part.Facts["method"], Is.EqualTo("psync"));
            Assert.That(part.Facts["appendonly"], Is.EqualTo(appendOnly));
            Assert.That(part.Facts["db0.expiring"], Is.EqualTo("1"));
        });
    }

    [Test]
    public async Task A_file_alone_would_be_ignored_by_a_server_that_appends()
    {
        // What others do, and why it loses everything: the reason for the layout that is restored.
        await using var bed = await RedisBed.MakeAsync();
        await using var server = await RedisServer.StartAsync();
        await server.AskAsync("SET", "kept", "yes");
        var part = await bed.BackupAsync(server);
        var volume = await RedisServer.NewVolumeAsync();
        try
        {
            await File.WriteAllBytesAsync(Path.Combine(await RedisServer.DirectoryOfAsync(volume), "dump.rdb"), await bed.Store.ContentAsync(part.Objects[0]));
            await using var naive = await RedisServer.StartAsync(volume, ["--appendonly", "yes"]);

            Assert.That(await naive.AskAsync("DBSIZE"), Is.EqualTo("0"));
        }
        finally
        {
            await DockerCli.TryAsync("volume", "rm", "-f", volume);
        }
    }

    [Test]
    public async Task A_changed_value_a_missing_key_and_another_type_each_change_the_fingerprint()
    {
        await using var bed = await RedisBed.MakeAsync();
        await using var server = await RedisServer.StartAsync();
        await FillAsync(server);
        var subject = await server.SubjectAsync();
        async Task<string> Db0Async() => (await bed.Source.FingerprintsAsync(subject, CancellationToken.None))["db0"];
        var before = await Db0Async();

        var seen = new HashSet<string> { before };
        foreach (string[] change in (string[][])[["LSET", "list", "1", "x"], ["HSET", "hash", "f1", "x"], ["ZADD", "zset", "7", "m1"], ["SREM", "set", "s1"], ["APPEND", "text", "x"], ["RENAME", "text", "text2"], ["XADD", "stream", "9-9", "a", "b"]])
        {
            await server.AskAsync([.. change]);
            Assert.That(seen.Add(await Db0Async()), Is.True, string.Join(' ', change));
        }

        // An expiring key comes and goes by itself, so it is counted, and not compared.
        var last = await Db0Async();
        await server.AskAsync("SET", "session", "x", "EX", "1000");
        Assert.That(await Db0Async(), Is.EqualTo(last));
    }

    [Test]
    public async Task The_same_content_has_one_fingerprint_however_Redis_keeps_it()
    {
        await using var bed = await RedisBed.MakeAsync();
        await using var packed = await RedisServer.StartAsync();
        await using var tables = await RedisServer.StartAsync(
            "--hash-max-listpack-entries", "0", "--zset-max-listpack-entries", "0", "--set-max-intset-entries", "0", "--list-max-listpack-size", "1", "--rdbcompression", "no");
        foreach (var server in (RedisServer[])[packed, tables])
        {
            await FillAsync(server);
            await server.AskAsync("DEL", "stream");         // its groups say when somebody read
        }

        var one = await bed.Source.FingerprintsAsync(await packed.SubjectAsync(), CancellationToken.None);
        var other = await bed.Source.FingerprintsAsync(await tables.SubjectAsync(), CancellationToken.None);

        Assert.That(other, Is.EqualTo(one));
    }

    [Test]
    public async Task Where_replication_is_refused_Redis_saves_and_the_file_is_fetched()
    {
        await using var bed = await RedisBed.MakeAsync();
        await using var server = await RedisServer.StartAsync();
        await FillAsync(server);
        await server.AskAsync("ACL", "SETUSER", "keeper", "on", ">word", "~*", "+ping", "+info", "+bgsave", "+lastsave", "+config|get");
        await bed.Secrets.SetAsync("garden", "keeper", new Secret("word"), CancellationToken.None);
        server.With(new BackupSpec { Kind = "redis", User = "keeper", PasswordSecret = "keeper" });

        var part = await bed.BackupAsync(server);
        var findings = await bed.Source.CheckAsync(await server.SubjectAsync(), CancellationToken.None);
        await using var restored = await bed.RestoredAsync(part, server);
        Assert.That(bed.Said, Is.Empty);
        await using var latest = await bed.RestoredAsync(part, server, new RestorePoint.Latest());
        var at = await Assert.ThrowsAsync<BackupFailedException>(() => bed.RestoredAsync(part, server, new RestorePoint.At(TimeProvider.System.GetUtcNow().AddMinutes(1))));

        await Assert.MultipleAsync(async () =>
        {
            Assert.That(await latest.DigestAsync(), Is.EqualTo(await server.DigestAsync()), "nothing newer was received, so it is the set");
            Assert.That(bed.Said, Is.EqualTo(new[] { "cache: Redis saved the set itself, and nothing newer was received: it goes to the moment of the set" }));
            Assert.That(at!.Message, Does.Contain("does not say where in the stream of commands it stands"), "a moment that was asked for is not replaced by another one");
            Assert.That(part.Facts["method"], Is.EqualTo("bgsave"));
            Assert.That(part.Facts["not-replicated"], Does.Contain("NOPERM"));
            Assert.That(part.Facts, Does.Not.ContainKey("offset"));
            Assert.That(await restored.DigestAsync(), Is.EqualTo(await server.DigestAsync()));
            Assert.That(findings.Select(finding => finding.Hint), Has.Some.Contains("ACL SETUSER keeper +psync +replconf +ping"));
        });
    }

    [Test]
    public async Task A_wrong_password_and_a_stopped_server_are_failures_that_say_what_to_do()
    {
        await using var bed = await RedisBed.MakeAsync();
        await using var server = await RedisServer.StartAsync("--requirepass", "right");
        await bed.Secrets.SetAsync("garden", "cache", new Secret("wrong"), CancellationToken.None);
        server.With(new BackupSpec { Kind = "redis", PasswordSecret = "cache" });

        var wrong = (await Assert.ThrowsAsync<BackupFailedException>(() => bed.BackupAsync(server)))!;
        var finding = (await bed.Source.CheckAsync(await server.SubjectAsync(), CancellationToken.None)).Single();
        server.With(new BackupSpec { Kind = "redis" });             // its own command says the right one
        var right = await bed.BackupAsync(server);
        await server.StopAsync();
        var stopped = (await Assert.ThrowsAsync<BackupFailedException>(() => bed.BackupAsync(server)))!;

        Assert.Multiple(() =>
        {
            Assert.That(wrong.Message, Does.Contain("refused the password"));
            Assert.That(wrong.Message + wrong.Hint, Does.Not.Contain("wrong").And.Not.Contain("right"));
            Assert.That(finding.Blocking, Is.True);
            Assert.That(finding.Hint, Does.Contain("password_secret"));
            Assert.That(right.Objects, Has.Length.EqualTo(1));
            Assert.That(stopped.Message, Does.Contain("cannot be reached"));
            Assert.That(bed.Store.Keys.Count(), Is.EqualTo(1));
        });
    }

    [Test]
    public async Task A_user_that_may_only_replicate_is_enough()
    {
        await using var bed = await RedisBed.MakeAsync();
        await using var server = await RedisServer.StartAsync();
        await FillAsync(server);
        await server.AskAsync("ACL", "SETUSER", "keeper", "on", ">word", "+ping", "+psync", "+replconf");
        await bed.Secrets.SetAsync("garden", "keeper", new Secret("word"), CancellationToken.None);
        server.With(new BackupSpec { Kind = "redis", User = "keeper", PasswordSecret = "keeper" });

        var part = await bed.BackupAsync(server);
        var findings = await bed.Source.CheckAsync(await server.SubjectAsync(), CancellationToken.None);
        await using var restored = await bed.RestoredAsync(part, server);

        Assert.That(await restored.DigestAsync(), Is.EqualTo(await server.DigestAsync()));
        Assert.That(findings.Where(finding => finding.Blocking), Is.Empty);
    }

    [Test]
    public async Task A_service_that_runs_as_another_user_can_write_what_was_restored()
    {
        await using var bed = await RedisBed.MakeAsync();
        await using var server = await RedisServer.StartAsync("--appendonly", "yes");
        await server.AskAsync("SET", "kept", "yes");
        var part = await bed.BackupAsync(server);
        var volume = await RedisServer.NewVolumeAsync();
        var name = $"basmalin-redis-user-{Guid.NewGuid():n}"[..32];
        try
        {
            await bed.Source.RestoreAsync(part, server.Target(await RedisServer.DirectoryOfAsync(volume)), bed.Store.Reader, CancellationToken.None);
            await DockerCli.RunAsync("run", "-d", "--name", name, "--network", "none", "--user", part.Facts["owner"], "-v", $"{volume}:/data", RedisServer.Image, "redis-server", "--appendonly", "yes");

            await Eventually.TrueAsync(async () => (await DockerCli.TryAsync("exec", name, "redis-cli", "GET", "kept")).Output.Trim() == "yes", "the value is there");
            Assert.That(await DockerCli.RunAsync("exec", name, "redis-cli", "SET", "new", "1"), Is.EqualTo("OK"));
        }
        finally
        {
            await DockerCli.TryAsync("rm", "-f", name);
            await DockerCli.TryAsync("volume", "rm", "-f", volume);
        }
    }

    /// <summary>Values of every type, in every form that this Redis has, in two databases.</summary>
    internal static async Task FillAsync(RedisServer server)
    {
        await using var connection = await server.ConnectAsync();
        async Task Run(params string[] command) => await connection.AskAsync([.. command], CancellationToken.None);

        await Run("SET", "text", "value");
        await Run("SET", "number", "12345");
        await Run("SET", "negative", "-70000");
        await Run("SET", "long", new string('a', 5000) + "b" + new string('c', 5000));
        await Run("SET", "large", string.Concat(Enumerable.Range(0, 60_000).Select(number => number.ToString("x5", CultureInfo.InvariantCulture))));
        await Run("SET", "expiring", "x", "EX", "100000");
        await Run("RPUSH", "list", "a", "b", "300", "-5", new string('l', 100));
        await Run(["RPUSH", "biglist", .. Enumerable.Range(0, 3000).Select(number => $"element {number}"), new string('x', 20_000)]);
        await Run("SADD", "ints", "1", "2", "70000", "-3");
        await Run("SADD", "set", "s1", "s2", "17");
        await Run(["SADD", "bigset", .. Enumerable.Range(0, 2000).Select(number => $"m{number}")]);
        await Run("HSET", "hash", "f1", "v1", "f2", "99999999999", "f3", new string('h', 63));
        await Run(["HSET", "bighash", .. Enumerable.Range(0, 1000).SelectMany(number => (string[])[$"field{number}", $"{number}"])]);
        await Run("ZADD", "zset", "1", "m1", "2.5", "m2", "-inf", "m3", "0.1", "m4", "1e300", "m5", "4095", "m6", "-4096", "m7", "8388607", "m8");
        await Run(["ZADD", "bigzset", .. Enumerable.Range(0, 1000).SelectMany(number => (string[])[(number / 3.0).ToString(CultureInfo.InvariantCulture), $"z{number}"])]);
        await Run("XADD", "stream", "1-1", "name", "value", "other", "2");
        await Run("XADD", "stream", "2-1", "name", "value2");
        await Run("XGROUP", "CREATE", "stream", "group", "0");
        await Run("XREADGROUP", "GROUP", "group", "reader", "COUNT", "1", "STREAMS", "stream", ">");
        await Run("FUNCTION", "LOAD", "REPLACE", "#!lua name=mine\nredis.register_function('one', function() return 1 end)");
        await Run("SELECT", "3");
        await Run("SET", "elsewhere", "yes");
    }
}
