using Orchestrator.Backups.Keeping;
using Microsoft.Extensions.Time.Testing;
using Orchestrator.Backups;
using Orchestrator.Backups.Stores;

namespace Orchestrator.Tests.Backups.Stores;

public sealed class DirectoryStoreTests
{
    private readonly FakeTimeProvider _time = new(DateTimeOffset.Parse("2026-03-01T00:00:00Z", System.Globalization.CultureInfo.InvariantCulture));
    private string _root = "";
    private DirectoryStore _store = null!;

    [SetUp]
    public void Make()
    {
        _root = Path.Combine(Directory.CreateTempSubdirectory("basmalin-store-").FullName, "backups");
        _store = new DirectoryStore("local", _root, _time);
    }

    [TearDown]
    public void Remove() => Directory.Delete(Path.GetDirectoryName(_root)!, recursive: true);

    [Test]
    public async Task An_object_is_seen_when_it_is_published_and_not_before()
    {
        await using var pending = await _store.CreateAsync("garden/sets/1/a.age", CancellationToken.None);
        await pending.Content.WriteAsync("seeds"u8.ToArray());
        Assert.That(await _store.FindAsync("garden/sets/1/a.age", CancellationToken.None), Is.Null);
        Assert.That(await KeysAsync(""), Is.Empty);

        var stored = await pending.PublishAsync(ManifestFile.HashOf("seeds"u8), CancellationToken.None);

        Assert.That(stored, Is.EqualTo(new StoredObject("garden/sets/1/a.age", 5, stored.ModifiedAt)));
        Assert.That(await ReadAsync("garden/sets/1/a.age", 2), Is.EqualTo("eds"));
        Assert.That(await KeysAsync("garden/sets/"), Is.EqualTo(new[] { "garden/sets/1/a.age" }));
    }

    [Test]
    public async Task What_is_not_published_leaves_nothing()
    {
        await using (var pending = await _store.CreateAsync("a/b", CancellationToken.None)) await pending.Content.WriteAsync(new byte[100]);

        Assert.That(Directory.EnumerateFiles(_root, "*", SearchOption.AllDirectories), Is.Empty);
    }

    [Test]
    public async Task Nobody_else_can_read_it()
    {
        await PutAsync("garden/sets/1/a.age");

        var modes = Directory.EnumerateFileSystemEntries(_root, "*", SearchOption.AllDirectories).Append(_root).Select(path => (path, File.GetUnixFileMode(path)));
        foreach (var (path, mode) in modes)
            Assert.That(mode & ~(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute), Is.EqualTo(UnixFileMode.None), path);
    }

    [Test]
    public async Task Keys_come_in_their_order_and_by_prefix()
    {
        string[] keys = ["a/b/c", "a/b.c", "a/b-c", "a/bc", "b", "a/b/0", "a=/x", "@stacks/a"];
        foreach (var key in keys) await PutAsync(key);

        Assert.That(await KeysAsync(""), Is.EqualTo(keys.Order(StringComparer.Ordinal)));
        Assert.That(await KeysAsync("a/b"), Is.EqualTo(keys.Where(key => key.StartsWith("a/b", StringComparison.Ordinal)).Order(StringComparer.Ordinal)));
        Assert.That(await KeysAsync("a/b/"), Is.EqualTo(new[] { "a/b/0", "a/b/c" }));
        Assert.That(await KeysAsync("none/"), Is.Empty);
    }

    [TestCase("../outside")]
    [TestCase("/etc/passwd")]
    [TestCase("a//b")]
    [TestCase("a/./b")]
    [TestCase(".pending/x")]
    [TestCase("a/b c")]
    [TestCase("a/é")]
    [TestCase("")]
    [TestCase("a/")]
    public async Task A_key_that_leads_elsewhere_is_refused(string key)
    {
        Assert.That(StoreKeys.IsValid(key), Is.False);
        await Assert.ThrowsAsync<ArgumentException>(async () => await _store.CreateAsync(key, CancellationToken.None));
        await Assert.ThrowsAsync<ArgumentException>(async () => await _store.OpenAsync(key, 0, CancellationToken.None));
        await Assert.ThrowsAsync<ArgumentException>(async () => await _store.DeleteAsync(key, CancellationToken.None));
    }

    [Test]
    public async Task Deleting_takes_empty_directories_with_it_and_may_be_repeated()
    {
        await PutAsync("garden/sets/1/a.age");
        await PutAsync("garden/sets/2/a.age");

        await _store.DeleteAsync("garden/sets/1/a.age", CancellationToken.None);
        await _store.DeleteAsync("garden/sets/1/a.age", CancellationToken.None);

        Assert.That(Directory.EnumerateDirectories(Path.Combine(_root, "garden/sets")).Select(Path.GetFileName), Is.EqualTo(new[] { "2" }));
    }

    [Test]
    public async Task An_object_that_is_not_there_is_called_so_by_name()
    {
        await PutAsync("a");

        var failure = (await Assert.ThrowsAsync<BackupStoreException>(async () => await _store.OpenAsync("garden/none", 0, CancellationToken.None)))!;

        Assert.That(failure.Message, Is.EqualTo("local: garden/none cannot be read: it is not there"));
    }

    [Test]
    public async Task What_was_left_behind_is_swept_and_what_is_being_written_is_not()
    {
        await using var writing = await _store.CreateAsync("a", CancellationToken.None);
        await writing.Content.WriteAsync(new byte[10]);
        var left = Path.Combine(_root, ".pending", "left");
        await File.WriteAllBytesAsync(left, new byte[10]);
        foreach (var file in Directory.EnumerateFiles(Path.Combine(_root, ".pending"))) File.SetLastWriteTimeUtc(file, _time.GetUtcNow().UtcDateTime - TimeSpan.FromHours(2));

        Assert.That(await _store.SweepAsync(TimeSpan.FromHours(3), CancellationToken.None), Is.Zero);
        Assert.That(await _store.SweepAsync(TimeSpan.FromHours(1), CancellationToken.None), Is.EqualTo(1));
        Assert.That(File.Exists(left), Is.False);
        await writing.PublishAsync(ManifestFile.HashOf(new byte[10]), CancellationToken.None);
        Assert.That(await KeysAsync(""), Is.EqualTo(new[] { "a" }));
    }

    [Test]
    public async Task A_disk_that_gives_back_something_else_is_noticed_before_publishing()
    {
        await using var pending = await _store.CreateAsync("a", CancellationToken.None);
        await pending.Content.WriteAsync(new byte[1000]);
        var aside = Directory.EnumerateFiles(Path.Combine(_root, ".pending")).Single();
        var shell = await Encryption.Command.RunAsync("sh", ["-c", $"printf x | dd of={aside} bs=1 seek=500 conv=notrunc"]);
        Assert.That(shell.Code, Is.Zero, shell.Errors);

        var failure = (await Assert.ThrowsAsync<BackupStoreException>(async () => await pending.PublishAsync(ManifestFile.HashOf(new byte[1000]), CancellationToken.None)))!;

        Assert.That(failure.Message, Does.Contain("1000 bytes were written"));
        Assert.That(await KeysAsync(""), Is.Empty);
    }

    [Test]
    public async Task What_came_otherwise_than_it_was_sent_is_not_published()
    {
        await using var pending = await _store.CreateAsync("a", CancellationToken.None);
        await pending.Content.WriteAsync("weeds"u8.ToArray());

        await Assert.ThrowsAsync<BackupStoreException>(async () => await pending.PublishAsync(ManifestFile.HashOf("seeds"u8), CancellationToken.None));

        Assert.That(await KeysAsync(""), Is.Empty);
    }

    private async Task PutAsync(string key)
    {
        await using var pending = await _store.CreateAsync(key, CancellationToken.None);
        await pending.Content.WriteAsync("seeds"u8.ToArray());
        await pending.PublishAsync(ManifestFile.HashOf("seeds"u8), CancellationToken.None);
    }

    private async Task<string> ReadAsync(string key, long offset)
    {
        using var reader = new StreamReader(await _store.OpenAsync(key, offset, CancellationToken.None));
        return await reader.ReadToEndAsync();
    }

    private async Task<List<string>> KeysAsync(string prefix)
    {
        var keys = new List<string>();
        await foreach (var found in _store.ListAsync(prefix, CancellationToken.None)) keys.Add(found.Key);
        return keys;
    }
}
