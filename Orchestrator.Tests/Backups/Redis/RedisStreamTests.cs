using System.Collections.Immutable;
using System.Globalization;
using Orchestrator.Backups;
using Orchestrator.Backups.Redis.Streams;
using Orchestrator.Tests.GardenApp;

namespace Orchestrator.Tests.Backups.Redis;

/// <summary>The stream of commands of a real Redis, received, sliced into a store, and restored to any moment. DEBUG DIGEST is the judge.</summary>
public sealed class RedisStreamTests
{
    [TestCase("yes")]
    [TestCase("no")]
    public async Task What_was_written_during_copy_and_stream_is_all_there_from_the_store_alone(string appendOnly)
    {
        await using var bed = await RedisBed.MakeAsync();
        await using var server = await RedisServer.StartAsync("--appendonly", appendOnly);
        await RedisBackupTests.FillAsync(server);
        using var writing = new CancellationTokenSource();
        var load = WriteAsync(server, writing.Token);
        await using var stream = await RunningStream.StartAsync(bed, server);
        var part = await bed.BackupAsync(server);
        await TransactionAsync(server);
        await writing.CancelAsync();
        var written = await load;
        await stream.UntilStoredAsync(await OffsetAsync(server));
        var digest = await server.DigestAsync();

        await using var restored = await bed.RestoredAsync(part, server, new RestorePoint.Latest());

        Assert.That(await restored.DigestAsync(), Is.EqualTo(digest));
        Assert.That(await restored.AskAsync("GET", "counter"), Is.EqualTo(written.ToString(CultureInfo.InvariantCulture)));
        Assert.That(await restored.AskAsync("GET", "moved"), Is.EqualTo("1"));
    }

    [Test]
    public async Task A_restore_to_a_time_has_what_was_before_and_nothing_after()
    {
        await using var bed = await RedisBed.MakeAsync();
        await using var server = await RedisServer.StartAsync("--appendonly", "yes");
        await server.AskAsync("SET", "first", "1");
        await using var stream = await RunningStream.StartAsync(bed, server);
        var part = await bed.BackupAsync(server);
        await NextSecondAsync();
        await server.AskAsync("SET", "before", "1");
        await stream.UntilAsync(status => status.LagBytes == 0 && status.LocalOffset >= OffsetAsync(server).Result);
        var position = await OffsetAsync(server);
        await NextSecondAsync();
        var moment = DateTimeOffset.FromUnixTimeSeconds(TimeProvider.System.GetUtcNow().ToUnixTimeSeconds());
        await server.AskAsync("SET", "after", "1");
        await server.AskAsync("FLUSHALL");
        await stream.UntilStoredAsync(await OffsetAsync(server));

        await using var byTime = await bed.RestoredAsync(part, server, new RestorePoint.At(moment));
        await using var byOffset = await bed.RestoredAsync(
            part, server, new RestorePoint.Position(ImmutableSortedDictionary<string, string>.Empty.Add("cache", $"{stream.Status.History}:{position}")));
        await using var latest = await bed.RestoredAsync(part, server, new RestorePoint.Latest());

        Assert.That(await Values(byTime), Is.EqualTo("1 1 "));
        Assert.That(await Values(byOffset), Is.EqualTo("1 1 "));
        Assert.That(await latest.AskAsync("DBSIZE"), Is.EqualTo("0"));
        static async Task<string> Values(RedisServer of) => $"{await of.AskAsync("GET", "first")} {await of.AskAsync("GET", "before")} {await of.AskAsync("GET", "after")}";
    }

    [Test]
    public async Task Small_slices_are_merged_and_the_merged_one_leads_to_the_same_state()
    {
        await using var bed = await RedisBed.MakeAsync();
        await using var server = await RedisServer.StartAsync("--appendonly", "yes");
        await using var stream = await RunningStream.StartAsync(bed, server);
        var part = await bed.BackupAsync(server);
        using var writing = new CancellationTokenSource();
        var load = WriteAsync(server, writing.Token);
        await Eventually.TrueAsync(() => Task.FromResult(stream.Deleted >= RunningStream.Merged), "slices were merged and removed");
        await writing.CancelAsync();
        var written = await load;
        await stream.UntilStoredAsync(await OffsetAsync(server));

        await using var restored = await bed.RestoredAsync(part, server, new RestorePoint.Latest());

        Assert.That(await restored.AskAsync("GET", "counter"), Is.EqualTo(written.ToString(CultureInfo.InvariantCulture)));
        Assert.That(await restored.DigestAsync(), Is.EqualTo(await server.DigestAsync()));
    }

    [Test]
    public async Task A_receiver_that_is_killed_goes_on_where_it_was()
    {
        await using var bed = await RedisBed.MakeAsync();
        await using var server = await RedisServer.StartAsync("--appendonly", "yes");
        await server.AskAsync("SET", "first", "1");
        string directory;
        await using (var stream = await RunningStream.StartAsync(bed, server))
        {
            await server.AskAsync("SET", "second", "1");
            await stream.UntilAsync(status => status.LocalOffset >= OffsetAsync(server).Result);
            directory = stream.Directory;
        }

        // As a power cut leaves it: the last command is there by half.
        var last = Directory.EnumerateFiles(directory, "*.incr.aof", SearchOption.AllDirectories).Order().Last();
        await File.AppendAllTextAsync(last, "*3\r\n$3\r\nSET\r\n$9\r\nhal");
        await server.AskAsync("SET", "third", "1");
        await using var again = await RunningStream.StartAsync(bed, server, directory);
        await again.UntilStoredAsync(await OffsetAsync(server));
        var part = await bed.BackupAsync(server);
        await server.AskAsync("SET", "fourth", "1");
        await again.UntilStoredAsync(await OffsetAsync(server));

        await using var restored = await bed.RestoredAsync(part, server, new RestorePoint.Latest());

        Assert.That(again.Status.Copies, Is.EqualTo(0), "no new copy was needed");
        Assert.That(await restored.DigestAsync(), Is.EqualTo(await server.DigestAsync()));
        Assert.That(await restored.AskAsync("DBSIZE"), Is.EqualTo("4"));
    }

    [Test]
    public async Task A_Redis_that_was_killed_gets_a_new_copy_and_the_break_is_told()
    {
        await using var bed = await RedisBed.MakeAsync();
        await using var server = await RedisServer.StartAsync("--appendonly", "yes", "--appendfsync", "always");
        await server.AskAsync("SET", "first", "1");
        await using var stream = await RunningStream.StartAsync(bed, server);
        await stream.UntilStoredAsync(await OffsetAsync(server));
        var part = await bed.BackupAsync(server);
        var history = stream.Status.History;

        await DockerCli.RunAsync("kill", "--signal", "KILL", server.Name);
        await DockerCli.RunAsync("start", server.Name);
        await server.UntilItAnswersAsync();
        await stream.UntilAsync(status => status is { State: RedisStreamState.Streaming, Copies: 2 });
        await server.AskAsync("SET", "second", "1");
        await stream.UntilStoredAsync(await OffsetAsync(server));

        await using var restored = await bed.RestoredAsync(part, server, new RestorePoint.Latest());
        Assert.That(await restored.DigestAsync(), Is.EqualTo(await server.DigestAsync()));
        Assert.That(stream.Status.History, Is.Not.EqualTo(history));
        Assert.That(stream.Status.Gaps, Is.EqualTo(1));
        Assert.That(bed.Store.Keys.Count(key => key.Contains("-at-", StringComparison.Ordinal)), Is.EqualTo(2), "the stream has a copy of its own for each history");
    }

    [Test]
    public async Task After_a_failover_the_history_goes_on_under_its_new_name()
    {
        await using var bed = await RedisBed.MakeAsync();
        await using var master = await RedisServer.StartAsync("--appendonly", "yes");
        await using var replica = await RedisServer.StartAsync("--appendonly", "yes");
        await master.AskAsync("SET", "first", "1");
        await DockerCli.RunAsync("network", "connect", "--alias", "master", master.Name, replica.Name);
        await replica.AskAsync("REPLICAOF", (await DockerCli.RunAsync("inspect", "--format", $"{{{{(index .NetworkSettings.Networks \"{master.Name}\").IPAddress}}}}", master.Name)), "6379");
        await Eventually.TrueAsync(async () => await replica.AskAsync("GET", "first") == "1", "the replica has the data");
        var asked = master;
        await using var stream = await RunningStream.StartAsync(bed, () => asked);
        await stream.UntilStoredAsync(await OffsetAsync(master));
        var part = await bed.BackupAsync(master);
        await master.AskAsync("SET", "second", "1");
        await stream.UntilStoredAsync(await OffsetAsync(master));
        await Eventually.TrueAsync(async () => await OffsetAsync(replica) >= await OffsetAsync(master), "the replica has caught up");
        var before = stream.Status.History;

        asked = replica;
        await DockerCli.RunAsync("kill", "--signal", "KILL", master.Name);
        await replica.AskAsync("REPLICAOF", "NO", "ONE");
        await replica.AskAsync("SET", "third", "1");
        await stream.UntilStoredAsync(await OffsetAsync(replica));

        await using var restored = await bed.RestoredAsync(part, master, new RestorePoint.Latest());
        Assert.That(stream.Status.History, Is.Not.EqualTo(before));
        Assert.That(stream.Status.Copies, Is.EqualTo(1), "nothing had to be copied again");
        Assert.That(await restored.DigestAsync(), Is.EqualTo(await replica.DigestAsync()));
    }

    [Test]
    public async Task A_damaged_slice_is_a_failure_that_names_it_and_never_a_wrong_restore()
    {
        await using var bed = await RedisBed.MakeAsync();
        await using var server = await RedisServer.StartAsync("--appendonly", "yes");
        await using var stream = await RunningStream.StartAsync(bed, server);
        var part = await bed.BackupAsync(server);
        await server.AskAsync("SET", "key", "value");
        await stream.UntilStoredAsync(await OffsetAsync(server));
        await stream.DisposeAsync();
        var slice = bed.Store.Keys.Last(key => key.Contains(".aof", StringComparison.Ordinal));
        var path = bed.Store.PathOf(slice);
        var bytes = await File.ReadAllBytesAsync(path);

        foreach (var spoil in (Func<byte[]>[])[() => [.. bytes[..^9], (byte)(bytes[^9] ^ 1), .. bytes[^8..]], () => bytes[..^20], () => []])
        {
            await File.WriteAllBytesAsync(path, spoil());
            using var directory = new Journal.TemporaryDirectory();
            var failure = (await Assert.ThrowsAsync<BackupFailedException>(
                () => bed.Source.RestoreAsync(part, server.Target(directory.Path, new RestorePoint.Latest()), bed.Store.Reader, CancellationToken.None)))!;
            Assert.That(failure.Message, Does.Contain(slice[^60..]));
        }
    }

    private static async Task<long> WriteAsync(RedisServer server, CancellationToken cancellationToken)
    {
        await using var connection = await server.ConnectAsync();
        long count = 0;
        while (!cancellationToken.IsCancellationRequested)
        {
            await connection.AskAsync(["INCR", "counter"], CancellationToken.None);
            count++;
            if (count % 3 == 0) await connection.AskAsync(["HSET", "load", $"f{count % 500}", $"{count}"], CancellationToken.None);
            if (count % 7 == 0) await connection.AskAsync(["SET", $"short{count % 50}", "x", "PX", "5000000"], CancellationToken.None);
        }

        return count;
    }

    internal static async Task TransactionAsync(RedisServer server)
    {
        await using var connection = await server.ConnectAsync();
        foreach (var command in (string[][])[["MULTI"], ["INCR", "moved"], ["SELECT", "3"], ["INCR", "moved"], ["EXEC"], ["SELECT", "0"], ["EVAL", "redis.call('SET', 'scripted', ARGV[1]) return 1", "0", "yes"]])
            await connection.AskAsync([.. command], CancellationToken.None);
    }

    internal static async Task<long> OffsetAsync(RedisServer server) => long.Parse(
        (await server.AskAsync("INFO", "replication")).Split('\n').First(line => line.StartsWith("master_repl_offset:", StringComparison.Ordinal)).Split(':')[1].Trim(), CultureInfo.InvariantCulture);

    internal static async Task NextSecondAsync()
    {
        // The grain of restores by time is a second: what is compared must lie in different ones.
        var now = TimeProvider.System.GetUtcNow();
        await Task.Delay(TimeSpan.FromMilliseconds(1000 - now.Millisecond + 50), TimeProvider.System, CancellationToken.None);
    }
}
