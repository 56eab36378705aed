using System.Text;
using Orchestrator.Backups;
using Orchestrator.Backups.Encryption;
using Orchestrator.Backups.Keeping;
using Orchestrator.Backups.Pipeline;
using Orchestrator.Backups.Stores;
using Orchestrator.Tests.Backups.Encryption;
using Orchestrator.Tests.Backups.Pipeline;

namespace Orchestrator.Tests.Backups.Keeping;

/// <summary>The recovery card is followed with the tools of the distribution; the drill key is proved each day.</summary>
public sealed class WithoutUsTests
{
    private readonly AgeIdentity _offline = AgeIdentity.Generate();
    private string _root = "";
    private DrillKey _drill = null!;
    private BackupRepository _repository = null!;

    [SetUp]
    public void Make()
    {
        _root = Directory.CreateTempSubdirectory("basmalin-card-").FullName;
        _drill = new DrillKey(Path.Combine(_root, "drill.key"));
        var recipient = _drill.Create().Recipient;
        _repository = new BackupRepository("garden", [new DirectoryStore("near", Path.Combine(_root, "near"), TimeProvider.System)], [_offline.Recipient, recipient], new CopyOptions(), TimeProvider.System);
    }

    [TearDown]
    public void Remove() => Directory.Delete(_root, recursive: true);

    [Test]
    public async Task The_card_is_followed_with_nothing_of_ours()
    {
        await File.WriteAllTextAsync(Path.Combine(_root, "seeds.txt"), "beans\n");
        var (_, tar, _) = await Command.RunAsync("tar", ["-C", _root, "-cf", "-", "seeds.txt"]);
        var id = await PublishAsync(1, ("postgres/base.tar", tar), ("redis/base.rdb", Encoding.ASCII.GetBytes("REDIS0011")));
        Assert.That(await RecoveryCard.PutAsync(_repository, [new RecoverySection("postgres", "   tar -xf TARGET/postgres/base.tar -C NEW-VOLUME")], CancellationToken.None), Is.Empty);
        var key = Path.Combine(_root, "offline.key");
        await File.WriteAllTextAsync(key, _offline.Export());

        var card = await File.ReadAllTextAsync(Path.Combine(_root, "near/garden/RECOVERY.txt"));
        var list = await Command.RunAsync("bash", [Path.Combine(_root, "near/garden/restore.sh")]);
        var restore = await Command.RunAsync("bash", [Path.Combine(_root, "near/garden/restore.sh"), key, id.Value, Path.Combine(_root, "target")]);
        var untar = await Command.RunAsync("tar", ["-xOf", Path.Combine(_root, "target/postgres/base.tar"), "seeds.txt"]);

        Assert.That(card, Does.Contain(_offline.Recipient.Value).And.Contains("bash garden/restore.sh KEYFILE SETID TARGET").And.Contains("4. postgres"));
        Assert.That(card, Does.Not.Contain("SECRET-KEY-1Q"));
        Assert.That(Encoding.ASCII.GetString(list.Output), Does.Contain(id.Value));
        Assert.That(restore.Code, Is.Zero, restore.Errors);
        Assert.That(Encoding.ASCII.GetString(untar.Output), Is.EqualTo("beans\n"));
        Assert.That(await File.ReadAllTextAsync(Path.Combine(_root, "target/redis/base.rdb")), Is.EqualTo("REDIS0011"));
    }

    [Test]
    public async Task The_script_fails_where_an_object_is_damaged_or_the_key_is_wrong()
    {
        var id = await PublishAsync(1, ("postgres/base.tar", new byte[200_000]));
        await RecoveryCard.PutAsync(_repository, [], CancellationToken.None);
        var key = Path.Combine(_root, "offline.key");
        await File.WriteAllTextAsync(key, AgeIdentity.Generate().Export());
        string[] arguments = [Path.Combine(_root, "near/garden/restore.sh"), key, id.Value, Path.Combine(_root, "target")];

        Assert.That((await Command.RunAsync("bash", arguments)).Code, Is.Not.Zero);

        await File.WriteAllTextAsync(key, _offline.Export());
        var file = Directory.EnumerateFiles(_root, "base.tar.zst.age", SearchOption.AllDirectories).Single();
        var bytes = await File.ReadAllBytesAsync(file);
        bytes[^5] ^= 1;
        await File.WriteAllBytesAsync(file, bytes);
        Assert.That((await Command.RunAsync("bash", arguments)).Code, Is.Not.Zero);
    }

    [Test]
    public async Task The_newest_set_is_proved_to_be_readable_with_the_drill_key()
    {
        Assert.That(await ProveAsync(), Is.Null);
        await PublishAsync(1, ("postgres/base.tar", new byte[10]));
        var newest = await PublishAsync(2, ("postgres/base.tar", new byte[100]), ("redis/base.rdb", new byte[10]));

        Assert.That(await ProveAsync(), Is.EqualTo(newest));
    }

    [Test]
    public async Task A_drill_key_that_vanished_is_a_loud_failure_and_none_is_made_in_its_place()
    {
        await PublishAsync(1, ("postgres/base.tar", new byte[10]));
        var file = Path.Combine(_root, "drill.key");
        File.Delete(file);

        var failure = (await Assert.ThrowsAsync<BackupFailedException>(ProveAsync))!;

        Assert.That(failure.Message, Does.Contain("is not there"));
        Assert.That(File.Exists(file), Is.False);
    }

    [Test]
    public async Task Another_drill_key_than_the_sets_were_made_for_is_noticed()
    {
        await PublishAsync(1, ("postgres/base.tar", new byte[10]));
        File.Delete(Path.Combine(_root, "drill.key"));
        _drill.Create();

        var failure = (await Assert.ThrowsAsync<BackupFailedException>(ProveAsync))!;

        Assert.That(failure.Message, Does.Contain("was not encrypted for the key"));
    }

    [Test]
    public void A_drill_key_is_made_once_for_its_owner_alone()
    {
        var file = Path.Combine(_root, "drill.key");

        Assert.That(File.GetUnixFileMode(file), Is.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite));
        Assert.That(Assert.Throws<BackupFailedException>(() => _drill.Create())!.Message, Does.Contain("already"));
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.GroupRead);
        Assert.That(Assert.Throws<BackupFailedException>(() => _drill.Read())!.Hint, Does.Contain("chmod 600"));
    }

    private async Task<BackupSetId?> ProveAsync() => await _drill.ProveAsync(_repository, await new SetKeeper(_repository).ListAsync(CancellationToken.None), CancellationToken.None);

    private async Task<BackupSetId> PublishAsync(long number, params (string Name, byte[] Content)[] contents)
    {
        var id = BackupSetId.Of(number, Manifests.At(number));
        var writer = _repository.WriterOfSet(id, [], progress: null);
        var objects = new List<BackupObject>();
        foreach (var (name, content) in contents) objects.Add(await writer.WriteAsync(name, (stream, token) => stream.WriteAsync(content, token).AsTask(), CancellationToken.None));
        await new SetKeeper(_repository).PublishAsync(Manifests.Of(number, [.. objects]) with { Recipients = [.. _repository.Recipients.Select(recipient => recipient.Value)] }, writer, CancellationToken.None);
        return id;
    }
}
