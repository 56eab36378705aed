using System.Text;
using Orchestrator.Backups;
using Orchestrator.Backups.Encryption;
using Orchestrator.Backups.Keeping;
using Orchestrator.Backups.Pipeline;
using Orchestrator.Backups.Stores;
using Orchestrator.Tests.Backups.Pipeline;
using Orchestrator.Tests.Backups.Stores;

namespace Orchestrator.Tests.Backups.Keeping;

/// <summary>A store that was away is brought to what the others have, and what no set needs goes.</summary>
public sealed class StoreCatchUpTests
{
    private readonly AgeIdentity _identity = AgeIdentity.Generate();
    private string _root = "";
    private DirectoryStore _near = null!;
    private FaultyStore _far = null!;
    private BackupRepository _repository = null!;
    private SetKeeper _keeper = null!;

    [SetUp]
    public void Make()
    {
        _root = Directory.CreateTempSubdirectory("basmalin-catchup-").FullName;
        _near = new DirectoryStore("near", Path.Combine(_root, "near"), TimeProvider.System);
        _far = new FaultyStore(new DirectoryStore("far", Path.Combine(_root, "far"), TimeProvider.System));
        _repository = new BackupRepository("garden", [_near, _far], [_identity.Recipient], new CopyOptions(), TimeProvider.System);
        _keeper = new SetKeeper(_repository);
    }

    [TearDown]
    public void Remove() => Directory.Delete(_root, recursive: true);

    [Test]
    public async Task A_store_that_was_away_gets_the_sets_and_the_streams_that_it_missed()
    {
        _far.FailWritingAfter = 0;
        var missed = await SetAsync(1, "one");
        await _repository.WriterOfStream("postgres").WriteAsync("wal/71/1/0001-0002", Writing("log"), CancellationToken.None);
        Assert.That(_repository.Misses, Is.GreaterThan(0));
        _far.FailWritingAfter = long.MaxValue;
        var next = await SetAsync(2, "two");      // after three failures it is left alone for a moment, and misses this one, too

        var report = await CatchUpAsync();

        Assert.That(report.Failures, Is.Empty);
        Assert.That(report.Sets, Is.EqualTo(new[] { (next.Id, "far"), (missed.Id, "far") }));
        Assert.That((await _keeper.ListAsync(CancellationToken.None)).Sets.Select(set => set.Stores.Length), Is.EqualTo(new[] { 2, 2 }));
        Assert.That(await ReadAsync(_far, missed.Parts[0].Objects[0]), Is.EqualTo("one"));
        Assert.That(Files("far"), Is.EquivalentTo(Files("near")));
        Assert.That((await CatchUpAsync()).Objects, Is.Zero, "there is nothing left to do");
    }

    [Test]
    public async Task A_store_that_is_still_away_does_not_get_the_set_and_is_named()
    {
        _far.FailWritingAfter = 0;
        await SetAsync(1, "one");

        var report = await CatchUpAsync();

        Assert.That(report.Sets, Is.Empty);
        Assert.That(report.Failures.Single().Store, Is.EqualTo("far"));
        Assert.That((await _keeper.ListAsync(CancellationToken.None)).Sets.Single().Stores, Is.EqualTo(new[] { "near" }));
    }

    [Test]
    public async Task What_is_damaged_in_one_store_is_replaced_when_it_is_doubted()
    {
        var set = await SetAsync(1, "one");
        var item = set.Parts[0].Objects[0];
        var file = Path.Combine(_root, "far", item.Key);
        var bytes = await File.ReadAllBytesAsync(file);
        bytes[^3] ^= 1;
        await File.WriteAllBytesAsync(file, bytes);

        Assert.That((await CatchUpAsync()).Objects, Is.Zero, "a manifest is there, so it is believed");
        var report = await CatchUpAsync((id, store) => id == set.Id && store == "far");

        Assert.That(report.Objects, Is.EqualTo(1));
        Assert.That(await StoredObjectCheck.ReadBackAsync(_far, item, CancellationToken.None), Is.Null);
    }

    [Test]
    public async Task A_damaged_object_is_never_carried_on()
    {
        _far.FailWritingAfter = 0;
        var set = await SetAsync(1, "one");
        _far.FailWritingAfter = long.MaxValue;
        var file = Path.Combine(_root, "near", set.Parts[0].Objects[0].Key);
        var bytes = await File.ReadAllBytesAsync(file);
        bytes[^3] ^= 1;
        await File.WriteAllBytesAsync(file, bytes);

        var report = await CatchUpAsync();

        Assert.That(report.Sets, Is.Empty);
        Assert.That(report.Failures.Single().Message, Does.Contain("is not what was written"));
        Assert.That(Files("far").Where(name => name.EndsWith(".age", StringComparison.Ordinal)), Is.Empty);
    }

    [Test]
    public async Task Only_what_nobody_needs_and_nobody_makes_is_swept()
    {
        var first = await SetAsync(1, "one");
        var shared = first.Parts[0].Objects[0];
        await PublishAsync(2, [first], shared);
        await _repository.WriterOfSet(Id(3), [], null).WriteAsync("postgres/base.tar", Writing("failed"), CancellationToken.None);
        await _repository.WriterOfSet(Id(4), [], null).WriteAsync("postgres/base.tar", Writing("being made"), CancellationToken.None);
        var catalogue = await _keeper.ListAsync(CancellationToken.None);
        // The first was removed by half: its manifest is gone, and the second still refers to its object.
        foreach (var store in new IBackupStore[] { _near, _far }) await store.DeleteAsync(BackupLayout.Set("garden", first.Id) + BackupLayout.Manifest, CancellationToken.None);
        var now = await _keeper.ListAsync(CancellationToken.None);

        var (removed, failures) = await new OrphanSweep(_repository).RunAsync(now, id => id != Id(4), CancellationToken.None);

        Assert.That(failures, Is.Empty);
        Assert.That(removed, Is.EqualTo(4), "the failed set's object and the first one's hash, in both stores");
        Assert.That(catalogue.Sets, Has.Length.EqualTo(2));
        Assert.That(await ReadAsync(_near, shared), Is.EqualTo("one"));
        Assert.That(Files("near").Count(name => name.Contains("000004-", StringComparison.Ordinal)), Is.EqualTo(1));
        Assert.That(Files("near").Where(name => name.Contains("000003-", StringComparison.Ordinal)), Is.Empty);
    }

    [Test]
    public async Task Nothing_is_swept_while_a_store_does_not_answer()
    {
        await SetAsync(1, "one");
        await _repository.WriterOfSet(Id(2), [], null).WriteAsync("postgres/base.tar", Writing("failed"), CancellationToken.None);
        _far.FailListing = true;

        var (removed, failures) = await new OrphanSweep(_repository).RunAsync(await _keeper.ListAsync(CancellationToken.None), _ => true, CancellationToken.None);

        Assert.That(removed, Is.Zero);
        Assert.That(failures.Single().Store, Is.EqualTo("far"));
        Assert.That(Files("near").Count(name => name.Contains("000002-", StringComparison.Ordinal)), Is.EqualTo(1));
    }

    private static BackupSetId Id(long number) => BackupSetId.Of(number, Manifests.At(number));

    private static Func<Stream, CancellationToken, Task> Writing(string text) => (stream, cancellationToken) => stream.WriteAsync(Encoding.UTF8.GetBytes(text), cancellationToken).AsTask();

    private async Task<CatchUpReport> CatchUpAsync(Func<BackupSetId, string, bool>? doubted = null) =>
        await new StoreCatchUp(_repository).RunAsync(await _keeper.ListAsync(CancellationToken.None), doubted ?? ((_, _) => false), CancellationToken.None);

    private async Task<BackupManifest> SetAsync(long number, string content)
    {
        var writer = _repository.WriterOfSet(Id(number), [], null);
        var manifest = Manifests.Of(number, await writer.WriteAsync("postgres/base.tar", Writing(content), CancellationToken.None));
        await _keeper.PublishAsync(manifest, writer, CancellationToken.None);
        return manifest;
    }

    private async Task PublishAsync(long number, BackupManifest[] earlier, BackupObject shared)
    {
        var writer = _repository.WriterOfSet(Id(number), earlier, null);
        Assert.That(await writer.FindAsync("postgres/base.tar", shared.PlainHash, CancellationToken.None), Is.EqualTo(shared));
        await _keeper.PublishAsync(Manifests.Of(number, shared), writer, CancellationToken.None);
    }

    private async Task<string> ReadAsync(IBackupStore store, BackupObject item)
    {
        using var bytes = new MemoryStream();
        await new BackupRepository("garden", [store], [_identity.Recipient], new CopyOptions(), TimeProvider.System).Reader([_identity])
            .ReadAsync(item, (content, token) => content.CopyToAsync(bytes, token), CancellationToken.None);
        return Encoding.UTF8.GetString(bytes.ToArray());
    }

    private List<string> Files(string store) =>
        [.. Directory.EnumerateFiles(Path.Combine(_root, store), "*", SearchOption.AllDirectories).Select(file => Path.GetRelativePath(Path.Combine(_root, store), file)).Where(name => !name.StartsWith('.'))];
}
