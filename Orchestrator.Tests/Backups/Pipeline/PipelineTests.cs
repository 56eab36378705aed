using System.Security.Cryptography;
using System.Text;
using Orchestrator.Backups;
using Orchestrator.Backups.Encryption;
using Orchestrator.Backups.Pipeline;
using Orchestrator.Backups.Stores;
using Orchestrator.Tests.Backups.Encryption;
using Orchestrator.Tests.Backups.Stores;
using Orchestrator.Tests.GardenApp;

namespace Orchestrator.Tests.Backups.Pipeline;

/// <summary>Writing to several stores at once and reading back, with stores that fail.</summary>
public sealed class PipelineTests
{
    private static readonly BackupSetId Set = new("000001-20260301T000000Z");

    private readonly AgeIdentity _identity = AgeIdentity.Generate();
    private string _root = "";
    private DirectoryStore _near = null!;
    private FaultyStore _far = null!;
    private BackupRepository _repository = null!;

    [SetUp]
    public void Make()
    {
        _root = Directory.CreateTempSubdirectory("basmalin-pipeline-").FullName;
        _near = new DirectoryStore("near", Path.Combine(_root, "near"), TimeProvider.System);
        _far = new FaultyStore(new DirectoryStore("far", Path.Combine(_root, "far"), TimeProvider.System));
        _repository = new BackupRepository("garden", [_near, _far], [_identity.Recipient], new CopyOptions { Patience = TimeSpan.FromSeconds(2) }, TimeProvider.System);
    }

    [TearDown]
    public void Remove() => Directory.Delete(_root, recursive: true);

    [Test]
    public async Task What_is_written_lies_in_every_store_and_comes_back()
    {
        var content = Content(5_000_000);
        var writer = Writer();

        var item = await writer.WriteAsync("postgres/base.tar", Writing(content), CancellationToken.None);

        Assert.That(item.Key, Is.EqualTo("garden/sets/000001-20260301T000000Z/postgres/base.tar.zst.age"));
        Assert.That(item.PlainBytes, Is.EqualTo(content.Length));
        Assert.That(item.PlainHash, Is.EqualTo(Convert.ToHexStringLower(SHA256.HashData(content))));
        Assert.That(writer.HoldersOf(item), Is.EquivalentTo(new[] { "near", "far" }));
        Assert.That(writer.Failures, Is.Empty);
        foreach (var store in new IBackupStore[] { _near, _far }) Assert.That(await StoredObjectCheck.ReadBackAsync(store, item, CancellationToken.None), Is.Null);
        Assert.That((await ReadAsync(item)).AsSpan().SequenceEqual(content), Is.True);
    }

    [Test]
    public async Task Age_and_zstd_alone_read_what_is_stored()
    {
        var content = Content(3_000_000);
        var item = await Writer().WriteAsync("redis/base.rdb", Writing(content), CancellationToken.None);
        var key = Path.Combine(_root, "key");
        await File.WriteAllTextAsync(key, _identity.Export());

        var (code, output, errors) = await Command.RunAsync("bash", ["-o", "pipefail", "-c", $"age -d -i {key} {Path.Combine(_root, "near", item.Key)} | zstd -dc"]);

        Assert.That(code, Is.Zero, errors);
        Assert.That(output.AsSpan().SequenceEqual(content), Is.True);
    }

    [TestCase(0)]
    [TestCase(1)]
    [TestCase(65_536)]
    public async Task Small_and_empty_contents_come_back(int size)
    {
        var content = Content(size);
        var item = await Writer().WriteAsync("volume/x", Writing(content), CancellationToken.None);

        Assert.That((await ReadAsync(item)).AsSpan().SequenceEqual(content), Is.True);
        Assert.That(item.PlainBytes, Is.EqualTo(size));
    }

    [TestCase(0)]
    [TestCase(1_000_000)]
    [TestCase(3_999_999)]
    public async Task A_store_that_fails_in_the_middle_does_not_stop_the_other(int after)
    {
        _far.FailWritingAfter = after;
        var writer = Writer();

        var item = await writer.WriteAsync("postgres/base.tar", Writing(Noise(4_000_000)), CancellationToken.None);

        Assert.That(writer.HoldersOf(item), Is.EquivalentTo(new[] { "near" }));
        Assert.That(writer.Failures.Single().Store, Is.EqualTo("far"));
        Assert.That(writer.Failures.Single().Message, Does.Contain("refused by the test"));
        Assert.That(await ReadAsync(item), Has.Length.EqualTo(4_000_000));
        Assert.That(Files("far"), Is.Empty);
    }

    [Test]
    public async Task A_store_that_takes_nothing_any_more_is_left_behind()
    {
        _far.HangAfter = 500_000;
        var writer = Writer();

        var item = await writer.WriteAsync("postgres/base.tar", Writing(Noise(20_000_000)), CancellationToken.None);

        Assert.That(writer.HoldersOf(item), Is.EquivalentTo(new[] { "near" }));
        Assert.That(writer.Failures.Single().Message, Does.Contain("left behind"));
    }

    [Test]
    public async Task A_store_that_does_not_even_hear_that_it_shall_end_holds_nobody()
    {
        var back = new TaskCompletionSource();
        _far.Stuck = (500_000, back.Task);
        var writer = Writer();

        var item = await writer.WriteAsync("postgres/base.tar", Writing(Noise(20_000_000)), CancellationToken.None).WaitAsync(TimeSpan.FromMinutes(1));
        back.SetResult();

        Assert.That(writer.HoldersOf(item), Is.EquivalentTo(new[] { "near" }));
        Assert.That(writer.Failures.Single().Message, Does.Contain("left behind"));
        await Eventually.TrueAsync(() => Task.FromResult(!Directory.EnumerateFiles(Path.Combine(_root, "far"), "*", SearchOption.AllDirectories).Any()), "what was begun is gone when it has come back");
    }

    [Test]
    public async Task Who_writes_without_a_token_is_let_go_of_when_the_copy_is_called_off()
    {
        var stuck = new FaultyStore(_near) { HangAfter = 500_000 };
        var repository = new BackupRepository("garden", [stuck], [_identity.Recipient], new CopyOptions { Patience = TimeSpan.FromMinutes(10) }, TimeProvider.System);
        using var stopping = new CancellationTokenSource();
        var content = Noise(20_000_000);

        var writing = repository.WriterOfSet(Set, [], null).WriteAsync("postgres/base.tar", (output, _) => Task.Run(() => output.Write(content), CancellationToken.None), stopping.Token);
        stopping.CancelAfter(TimeSpan.FromMilliseconds(300));

        Assert.That(async () => await writing.WaitAsync(TimeSpan.FromMinutes(1)), Throws.InstanceOf<OperationCanceledException>());
    }

    [Test]
    public async Task A_store_that_cannot_publish_is_told_and_the_other_counts()
    {
        _far.FailPublishing = true;
        var writer = Writer();

        var item = await writer.WriteAsync("a/b", Writing(Content(1000)), CancellationToken.None);

        Assert.That(writer.HoldersOf(item), Is.EquivalentTo(new[] { "near" }));
        Assert.That(writer.Failures.Single(), Is.EqualTo(new StoreFailure("far", item.Key, "refused by the test")));
    }

    [Test]
    public async Task Without_any_store_it_fails_and_says_why_for_each()
    {
        var alone = new BackupRepository("garden", [_far], [_identity.Recipient], new CopyOptions(), TimeProvider.System);
        _far.FailPublishing = true;

        var failure = (await Assert.ThrowsAsync<BackupFailedException>(() => alone.WriterOfStream("redis").WriteAsync("x", Writing(Content(10)), CancellationToken.None)))!;

        Assert.That(failure.Message, Does.Contain("far: refused by the test"));
        Assert.That(failure.Hint, Is.Not.Empty);
    }

    [Test]
    public async Task A_content_that_fails_is_discarded_everywhere()
    {
        var writer = Writer();

        await Assert.ThrowsAsync<InvalidDataException>(() => writer.WriteAsync(
            "postgres/base.tar",
            async (stream, cancellationToken) =>
            {
                await stream.WriteAsync(Noise(3_000_000), cancellationToken);
                throw new InvalidDataException("the database went away");
            },
            CancellationToken.None));

        Assert.That(Files("near").Concat(Files("far")), Is.Empty);
    }

    [Test]
    public async Task A_copy_that_is_cancelled_is_discarded_everywhere()
    {
        using var cancelling = new CancellationTokenSource();

        await Assert.ThatAsync(
            () => Writer().WriteAsync(
                "postgres/base.tar",
                async (stream, cancellationToken) =>
                {
                    await stream.WriteAsync(Noise(3_000_000), cancellationToken);
                    await cancelling.CancelAsync();
                    await stream.WriteAsync(Noise(3_000_000), cancellationToken);
                },
                cancelling.Token),
            Throws.InstanceOf<OperationCanceledException>());

        Assert.That(Files("near").Concat(Files("far")), Is.Empty);
    }

    [Test]
    public async Task Reading_goes_on_with_the_next_store_where_the_first_is_damaged_or_breaks_off()
    {
        var content = Noise(4_000_000);
        var item = await Writer().WriteAsync("postgres/base.tar", Writing(content), CancellationToken.None);
        var file = Path.Combine(_root, "near", item.Key);
        var whole = await File.ReadAllBytesAsync(file);
        var flipped = whole.ToArray();
        flipped[whole.Length / 2] ^= 1;

        foreach (var damaged in new byte[][] { flipped, whole[..^70_000], whole[..100], [] })
        {
            await File.WriteAllBytesAsync(file, damaged);
            Assert.That((await ReadAsync(item)).AsSpan().SequenceEqual(content), Is.True);
        }

        await File.WriteAllBytesAsync(file, whole);
        var turned = new BackupRepository("garden", [_far, _near], [_identity.Recipient], new CopyOptions(), TimeProvider.System);
        _far.FailReadingAfter = 1_500_000;
        Assert.That((await ReadAsync(item, turned)).AsSpan().SequenceEqual(content), Is.True);
    }

    [Test]
    public async Task An_object_that_is_whole_nowhere_says_what_is_wrong_with_each_copy()
    {
        var item = await Writer().WriteAsync("postgres/base.tar", Writing(Noise(1_000_000)), CancellationToken.None);
        var (near, far) = (Path.Combine(_root, "near", item.Key), Path.Combine(_root, "far", item.Key));
        await File.WriteAllBytesAsync(near, (await File.ReadAllBytesAsync(near))[..^1000]);
        var changed = await File.ReadAllBytesAsync(far);
        changed[^100_000] ^= 4;
        await File.WriteAllBytesAsync(far, changed);

        var failure = (await Assert.ThrowsAsync<BackupFailedException>(() => ReadAsync(item)))!;

        Assert.That(failure.Message, Does.Contain("near: it has").And.Contains("truncated").And.Contains("far: changed: "));
        Assert.That(await StoredObjectCheck.ReadBackAsync(_near, item, CancellationToken.None), Has.Property("Message").Contains("truncated"));
        Assert.That(await StoredObjectCheck.ReadBackAsync(_far, item, CancellationToken.None), Has.Property("Message").Contains("changed"));
    }

    [Test]
    public async Task The_wrong_key_says_so_and_asks_no_other_store()
    {
        var item = await Writer().WriteAsync("a/b", Writing(Content(1000)), CancellationToken.None);

        var failure = (await Assert.ThrowsAsync<BackupFailedException>(
            () => _repository.Reader([AgeIdentity.Generate()]).ReadAsync(item, (_, _) => Task.CompletedTask, CancellationToken.None)))!;

        Assert.That(failure.Message, Does.Contain("wrong key"));
        Assert.That(failure.Hint, Does.Contain("manifest"));
    }

    [Test]
    public async Task Another_object_in_its_place_is_noticed_although_it_is_well_encrypted()
    {
        var item = await Writer().WriteAsync("a/b", Writing(Noise(1000)), CancellationToken.None);
        var other = await Writer().WriteAsync("a/c", Writing(Noise(1000, seed: 2)), CancellationToken.None);
        foreach (var store in new[] { "near", "far" }) File.Copy(Path.Combine(_root, store, other.Key), Path.Combine(_root, store, item.Key), overwrite: true);

        var failure = (await Assert.ThrowsAsync<BackupFailedException>(() => ReadAsync(item)))!;

        Assert.That(failure.Message, Does.Contain("something else than the manifest says"));
    }

    [Test]
    public async Task What_is_left_unread_is_still_verified()
    {
        var item = await Writer().WriteAsync("a/b", Writing(Noise(1_000_000)), CancellationToken.None);
        foreach (var store in new[] { "near", "far" })
        {
            var file = Path.Combine(_root, store, item.Key);
            var changed = await File.ReadAllBytesAsync(file);
            changed[^10] ^= 1;
            await File.WriteAllBytesAsync(file, changed);
        }

        await Assert.ThrowsAsync<BackupFailedException>(() => _repository.Reader([_identity]).ReadAsync(item, async (stream, token) => await stream.ReadExactlyAsync(new byte[10], token), CancellationToken.None));
    }

    [Test]
    public async Task Unchanged_content_of_an_earlier_set_is_found_where_every_store_has_it()
    {
        var item = await Writer().WriteAsync("volume/a.jpg", Writing(Content(1000)), CancellationToken.None);
        var next = _repository.WriterOfSet(new BackupSetId("000002-20260302T000000Z"), [Manifests.Of(1, item)], progress: null);

        Assert.That(await next.FindAsync("volume/a.jpg", item.PlainHash, CancellationToken.None), Is.EqualTo(item));
        Assert.That(await next.FindAsync("volume/b.jpg", item.PlainHash, CancellationToken.None), Is.Null);
        Assert.That(await next.FindAsync("volume/a.jpg", new string('0', 64), CancellationToken.None), Is.Null);

        await _far.DeleteAsync(item.Key, CancellationToken.None);
        var after = _repository.WriterOfSet(new BackupSetId("000003-20260303T000000Z"), [Manifests.Of(1, item)], progress: null);
        Assert.That(await after.FindAsync("volume/a.jpg", item.PlainHash, CancellationToken.None), Is.Null);
    }

    [Test]
    public async Task A_stream_beside_the_sets_is_listed_by_key_from_all_stores()
    {
        var writer = _repository.WriterOfStream("postgres");
        var first = await writer.WriteAsync("wal/1/0001-0002", Writing(Content(10)), CancellationToken.None);
        var second = await writer.WriteAsync("wal/1/0002-0003", Writing(Content(20)), CancellationToken.None);
        await _near.DeleteAsync(second.Key, CancellationToken.None);

        var reader = _repository.Reader([_identity]);
        var listed = await reader.ListAsync(BackupLayout.Stream("garden", "postgres"), CancellationToken.None);

        Assert.That(listed.Select(found => found.Key), Is.EqualTo(new[] { first.Key, second.Key }));
        using var content = new MemoryStream();
        await reader.ReadAsync(second.Key, (stream, token) => stream.CopyToAsync(content, token), CancellationToken.None);
        Assert.That(content.ToArray(), Is.EqualTo(Content(20)));
    }

    private BackupWriter Writer() => _repository.WriterOfSet(Set, [], progress: null);

    private async Task<byte[]> ReadAsync(BackupObject item, BackupRepository? repository = null)
    {
        using var content = new MemoryStream();
        await (repository ?? _repository).Reader([AgeIdentity.Generate(), _identity]).ReadAsync(item, (stream, token) => stream.CopyToAsync(content, token), CancellationToken.None);
        return content.ToArray();
    }

    private IEnumerable<string> Files(string store) => Directory.Exists(Path.Combine(_root, store)) ? Directory.EnumerateFiles(Path.Combine(_root, store), "*", SearchOption.AllDirectories) : [];

    private static Func<Stream, CancellationToken, Task> Writing(byte[] content) => async (stream, cancellationToken) =>
    {
        // By both ways of writing.
        stream.Write(content.AsSpan(0, content.Length / 3));
        await stream.WriteAsync(content.AsMemory(content.Length / 3), cancellationToken);
    };

    private static byte[] Content(int size)
    {
        var text = new StringBuilder();
        for (var line = 0; text.Length < size; line++) text.Append("insert into gardens values (").Append(line).Append(", 'bed ").Append(line * 7919 % 1000).Append("');\n");
        return Encoding.ASCII.GetBytes(text.ToString())[..size];
    }

    /// <summary>Does not compress, so that its size is the size in the store.</summary>
    private static byte[] Noise(int size, int seed = 1)
    {
        var noise = new byte[size];
        new Random(seed).NextBytes(noise);
        return noise;
    }
}
