using System.Globalization;
using Orchestrator.Backups;
using Orchestrator.Secrets;
using Orchestrator.Stacks;
using Orchestrator.Tests.Docker;

namespace Orchestrator.Tests.Backups.Redis;

/// <summary>The script beside the recovery card gives what this program gives, with nothing but the tools of a distribution and Redis itself.</summary>
public sealed class RedisByHandTests
{
    [OneTimeSetUp]
    public async Task ToolsAsync()
    {
        await Command.EnsureAsync("/usr/bin/age", "age");
        await Command.EnsureAsync("/usr/bin/zstd", "zstd");
    }

    [Test]
    public async Task A_Redis_is_restored_to_its_set_to_a_second_and_to_the_last_command_by_a_shell_with_age_and_zstd()
    {
        await using var bed = await RedisBed.MakeAsync();
        await using var server = await RedisServer.StartAsync("--appendonly", "yes");
        await RedisBackupTests.FillAsync(server);
        await using var stream = await RunningStream.StartAsync(bed, server);
        // Before the set: the slice that reaches into it has commands that must not be done again.
        foreach (var value in (string[])["a\r\n#OFFSET:9999999999\r\n#TS:9999999999\r\n", "*3\r\n$3\r\nSET\r\n", "\0\0\n$", ""]) await server.AskAsync("APPEND", "odd", value);
        for (var count = 0; count < 50; count++) await server.AskAsync("INCR", "counter");
        var (part, set) = await bed.Store.PublishAsync(
            async writer => await bed.Source.BackupAsync(await server.SubjectAsync(), writer, CancellationToken.None), made => ((IBackupSource)bed.Source).Recovery(made)!);
        var ofSet = await server.DigestAsync();

        for (var count = 0; count < 50; count++) await server.AskAsync("INCR", "counter");
        await server.AskAsync("APPEND", "odd", "b\n#TS:1\r\n\0");
        await RedisStreamTests.TransactionAsync(server);
        await RedisStreamTests.NextSecondAsync();
        var moment = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        var before = await server.DigestAsync();
        await server.AskAsync("FLUSHALL");
        await server.AskAsync("SET", "after", "1");
        await stream.UntilStoredAsync(await RedisStreamTests.OffsetAsync(server));

        await using var asSet = await bed.RestoredByHandAsync(set, server, "");
        await using var asOf = await bed.RestoredByHandAsync(set, server, DateTimeOffset.FromUnixTimeSeconds(moment).ToString("yyyy-MM-dd HH:mm:ss'+00'", CultureInfo.InvariantCulture));
        await using var latest = await bed.RestoredByHandAsync(set, server, "latest");
        await using var ours = await bed.RestoredAsync(part, server, new RestorePoint.At(DateTimeOffset.FromUnixTimeSeconds(moment)));

        await Assert.MultipleAsync(async () =>
        {
            Assert.That(await asSet.DigestAsync(), Is.EqualTo(ofSet));
            Assert.That(await asOf.DigestAsync(), Is.EqualTo(before));
            Assert.That(await ours.DigestAsync(), Is.EqualTo(before));
            Assert.That(await latest.DigestAsync(), Is.EqualTo(await server.DigestAsync()));
            Assert.That(await File.ReadAllTextAsync(bed.Store.PathOf("garden/RECOVERY.txt")), Does.Contain("bash garden/restore-redis.sh KEYFILE SETID cache TARGET TIME"));
        });
    }

    [Test]
    public async Task A_set_that_Redis_saved_itself_comes_back_as_one_file_and_a_damaged_one_does_not()
    {
        await using var bed = await RedisBed.MakeAsync();
        await using var server = await RedisServer.StartAsync();
        await RedisBackupTests.FillAsync(server);
        await server.AskAsync("ACL", "SETUSER", "keeper", "on", ">word", "~*", "+ping", "+info", "+bgsave", "+lastsave", "+config|get");
        await bed.Secrets.SetAsync("garden", "keeper", new Secret("word"), CancellationToken.None);
        server.With(new BackupSpec { Kind = "redis", User = "keeper", PasswordSecret = "keeper" });
        var (part, set) = await bed.Store.PublishAsync(
            async writer => await bed.Source.BackupAsync(await server.SubjectAsync(), writer, CancellationToken.None), made => ((IBackupSource)bed.Source).Recovery(made)!);

        await using var restored = await bed.RestoredByHandAsync(set, server, "latest");
        Assert.That(await restored.DigestAsync(), Is.EqualTo(await server.DigestAsync()));

        var path = bed.Store.PathOf(part.Objects.Single().Key);
        var bytes = await File.ReadAllBytesAsync(path);
        bytes[^9] ^= 1;
        await File.WriteAllBytesAsync(path, bytes);
        Assert.That(async () => await bed.RestoredByHandAsync(set, server, ""), Throws.InstanceOf<InvalidOperationException>());
    }
}
