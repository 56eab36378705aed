using System.Globalization;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging.Abstractions;
using Orchestrator.Backups;
using Orchestrator.Backups.Encryption;
using Orchestrator.Backups.Pipeline;
using Orchestrator.Backups.Stores;

namespace Orchestrator.Tests.Backups.Pipeline;

/// <summary>What a backup may take: memory that does not grow with its size, and a disk that is really full.</summary>
public sealed class LimitTests
{
    private const long Mebibyte = 1 << 20;

    [Test]
    public async Task Memory_is_bounded_and_does_not_grow_with_the_size_of_the_backup()
    {
        var small = await PeakAsync(64 * Mebibyte);
        var large = await PeakAsync(640 * Mebibyte);
        TestContext.Out.WriteLine($"peak resident memory of the whole process: {small / Mebibyte} MiB for 64 MiB, {large / Mebibyte} MiB for 640 MiB");

        Assert.That(large, Is.LessThan(150 * Mebibyte));
        Assert.That(large - small, Is.LessThan(32 * Mebibyte), "ten times the content");
    }

    [Test]
    public async Task A_disk_that_is_full_in_the_middle_costs_that_store_and_leaves_nothing_on_it_while_the_others_get_the_whole()
    {
        var root = Directory.CreateTempSubdirectory("basmalin-limit-").FullName;
        var full = Directory.CreateDirectory(Path.Combine(root, "full")).FullName;
        Assert.That((await Encryption.Command.RunAsync("mount", ["-t", "tmpfs", "-o", "size=8m,mode=700", "tmpfs", full])).Code, Is.Zero);
        try
        {
            var key = AgeIdentity.Generate();
            var content = RandomNumberGenerator.GetBytes((int)(24 * Mebibyte));
            BackupWriter Writer(params IBackupStore[] stores) =>
                new BackupRepository("garden", [.. stores], [key.Recipient], new CopyOptions(), TimeProvider.System, NullLogger<BackupRepository>.Instance).WriterOfSet(BackupSetId.Of(1, DateTimeOffset.UnixEpoch), [], null);

            var alone = await Assert.ThrowsAsync<BackupFailedException>(() => Writer(new DirectoryStore("full", full, TimeProvider.System)).WriteAsync("db/base.tar", (output, token) => output.WriteAsync(content, token).AsTask(), CancellationToken.None));
            var room = new DirectoryStore("room", Path.Combine(root, "room"), TimeProvider.System);
            var both = Writer(new DirectoryStore("full", full, TimeProvider.System), room);
            var item = await both.WriteAsync("db/base.tar", (output, token) => output.WriteAsync(content, token).AsTask(), CancellationToken.None);

            Assert.Multiple(async () =>
            {
                Assert.That(alone!.Message, Does.Contain("full").And.Contain("No space left on device"));
                Assert.That(both.HoldersOf(item), Is.EquivalentTo(new[] { "room" }));
                Assert.That(both.Failures.Single().Message, Does.Contain("No space left on device"));
                Assert.That(await StoredObjectCheck.ReadBackAsync(room, item, CancellationToken.None), Is.Null);
                Assert.That(Directory.EnumerateFiles(full, "*", SearchOption.AllDirectories), Is.Empty, "what was begun there is gone, and its room is free again");
            });
        }
        finally
        {
            await Encryption.Command.RunAsync("umount", [full]);
            Directory.Delete(root, recursive: true);
        }
    }

    private static async Task<long> PeakAsync(long bytes)
    {
        var root = Directory.CreateTempSubdirectory("basmalin-limit-").FullName;
        try
        {
            var (code, output, errors) = await Encryption.Command.RunAsync(Environment.ProcessPath!, [LimitRun.Verb, root, bytes.ToString(CultureInfo.InvariantCulture)]);
            Assert.That(code, Is.Zero, errors);
            var said = System.Text.Encoding.UTF8.GetString(output).Trim().Split(' ');
            Assert.That(said[1], Is.EqualTo("True"), "what came back is what went in");
            return long.Parse(said[0], CultureInfo.InvariantCulture);
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }
    }
}
