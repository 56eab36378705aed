using System.Text;
using Microsoft.Extensions.Time.Testing;
using Orchestrator.Backups;
using Orchestrator.Backups.Encryption;
using Orchestrator.Backups.Keeping;
using Orchestrator.Backups.Pipeline;
using Orchestrator.Backups.Stores;
using Orchestrator.Tests.Backups.Pipeline;
using Orchestrator.Tests.Backups.Stores;

namespace Orchestrator.Tests.Backups.Keeping;

/// <summary>A set counts where it is whole, and is found from the stores alone.</summary>
public sealed class SetKeeperTests
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
        _root = Directory.CreateTempSubdirectory("basmalin-sets-").FullName;
        _near = new DirectoryStore("near", Path.Combine(_root, "near"), TimeProvider.System);
        _far = new FaultyStore(new DirectoryStore("far", Path.Combine(_root, "far"), TimeProvider.System));
        _repository = new BackupRepository("garden", [_near, _far], [_identity.Recipient], new CopyOptions(), TimeProvider.System);
        _keeper = new SetKeeper(_repository);
    }

    [TearDown]
    public void Remove() => Directory.Delete(_root, recursive: true);

    [Test]
    public async Task A_published_set_is_found_by_whoever_has_the_stores()
    {
        var manifest = await MakeAsync(1);

        var found = await SetCatalogue.ReadAsync("garden", [_far, _near], CancellationToken.None);

        Assert.That(found.Failures, Is.Empty);
        Assert.That(found.Sets.Single().Stores, Is.EqualTo(new[] { "far", "near" }));
        Assert.That(ManifestFile.Write(found.Sets.Single().Manifest), Is.EqualTo(ManifestFile.Write(manifest)));
        Assert.That(await SetCatalogue.StacksInAsync(_near, CancellationToken.None), Is.EqualTo(new[] { "garden" }));
    }

    [Test]
    public async Task Its_manifest_can_be_checked_by_sha256sum()
    {
        var manifest = await MakeAsync(1);
        var directory = Path.Combine(_root, "near", BackupLayout.Set("garden", manifest.Id));

        var (code, output, errors) = await Encryption.Command.RunAsync("sh", ["-c", $"cd {directory} && sha256sum -c manifest.json.sha256"]);

        Assert.That(code, Is.Zero, errors);
        Assert.That(Encoding.ASCII.GetString(output), Is.EqualTo("manifest.json: OK\n"));
    }

    [Test]
    public async Task Without_its_manifest_a_set_never_existed()
    {
        await _repository.WriterOfSet(Id(1), [], null).WriteAsync("postgres/base.tar", Writing("half"), CancellationToken.None);

        Assert.That((await _keeper.ListAsync(CancellationToken.None)).Sets, Is.Empty);
    }

    [Test]
    public async Task What_a_store_missed_is_copied_to_it_before_the_set_counts_there()
    {
        var writer = _repository.WriterOfSet(Id(1), [], null);
        _far.FailWritingAfter = 0;
        var first = await writer.WriteAsync("postgres/base.tar", Writing("one"), CancellationToken.None);
        _far.FailWritingAfter = long.MaxValue;
        var second = await writer.WriteAsync("redis/base.rdb", Writing("two"), CancellationToken.None);

        var publication = await _keeper.PublishAsync(Manifests.Of(1, first, second), writer, CancellationToken.None);

        Assert.That(publication.Published, Is.EqualTo(new[] { "near", "far" }));
        Assert.That(await StoredObjectCheck.ReadBackAsync(_far, first, CancellationToken.None), Is.Null);
    }

    [Test]
    public async Task Where_an_object_cannot_be_had_the_set_does_not_count_and_the_other_store_is_enough()
    {
        var writer = _repository.WriterOfSet(Id(1), [], null);
        _far.FailWritingAfter = 0;
        var item = await writer.WriteAsync("postgres/base.tar", Writing("one"), CancellationToken.None);

        var publication = await _keeper.PublishAsync(Manifests.Of(1, item), writer, CancellationToken.None);

        Assert.That(publication.Published, Is.EqualTo(new[] { "near" }));
        Assert.That(publication.Failures.Single().Store, Is.EqualTo("far"));
        Assert.That((await _keeper.ListAsync(CancellationToken.None)).Sets.Single().Stores, Is.EqualTo(new[] { "near" }));
    }

    [Test]
    public async Task A_manifest_that_was_changed_is_refused_and_the_other_store_has_it()
    {
        var manifest = await MakeAsync(1);
        var file = Path.Combine(_root, "near", BackupLayout.Set("garden", manifest.Id), BackupLayout.Manifest);
        await File.WriteAllTextAsync(file, (await File.ReadAllTextAsync(file)).Replace("schedule", "schedulf", StringComparison.Ordinal));

        var found = await _keeper.ListAsync(CancellationToken.None);

        Assert.That(found.Sets.Single().Stores, Is.EqualTo(new[] { "far" }));
        Assert.That(found.Incomplete, Is.True);
        Assert.That(found.Failures.Single().Message, Does.Contain("its hash is another"));
    }

    [Test]
    public async Task A_store_that_cannot_be_listed_makes_the_list_incomplete()
    {
        await MakeAsync(1);
        _far.FailListing = true;

        var found = await _keeper.ListAsync(CancellationToken.None);

        Assert.That(found.Sets.Single().Stores, Is.EqualTo(new[] { "near" }));
        Assert.That(found.Incomplete, Is.True);
    }

    [Test]
    public async Task A_removed_set_leaves_what_another_set_refers_to()
    {
        var first = await MakeAsync(1);
        var shared = first.Parts[0].Objects[0];
        var writer = _repository.WriterOfSet(Id(2), [first], null);
        Assert.That(await writer.FindAsync("postgres/base.tar", shared.PlainHash, CancellationToken.None), Is.EqualTo(shared));
        var own = await writer.WriteAsync("redis/base.rdb", Writing("own"), CancellationToken.None);
        await _keeper.PublishAsync(Manifests.Of(2, shared, own), writer, CancellationToken.None);
        var catalogue = await _keeper.ListAsync(CancellationToken.None);
        var plan = new RetentionPlan([new RetentionDecision(first.Id, Kept: false, ["no rule keeps it"]), new RetentionDecision(Id(2), Kept: true, ["it is new"])], []);

        var failures = await _keeper.RemoveAsync(plan, catalogue, CancellationToken.None);

        Assert.That(failures, Is.Empty);
        Assert.That((await _keeper.ListAsync(CancellationToken.None)).Sets.Select(set => set.Manifest.Id), Is.EqualTo(new[] { Id(2) }));
        foreach (var store in new IBackupStore[] { _near, _far }) Assert.That(await StoredObjectCheck.ReadBackAsync(store, shared, CancellationToken.None), Is.Null);

        await _keeper.RemoveAsync(new RetentionPlan([new RetentionDecision(Id(2), Kept: false, [])], []), await _keeper.ListAsync(CancellationToken.None), CancellationToken.None);
        Assert.That(await _near.FindAsync(own.Key, CancellationToken.None), Is.Null);
        Assert.That(await _near.FindAsync(shared.Key, CancellationToken.None), Is.Null);
    }

    [Test]
    public void A_set_of_a_newer_format_says_what_reads_it()
    {
        var newer = ManifestFile.Write(Manifests.Of(1) with { Format = ManifestFile.NewestFormat + 1, Program = "9.0.0" });

        var failure = Assert.Throws<BackupFailedException>(() => ManifestFile.Parse(newer, "near"))!;

        Assert.That(failure.Message, Does.Contain($"format {ManifestFile.NewestFormat + 1}").And.Contains("9.0.0"));
        Assert.That(failure.Hint, Does.Contain("that version"));
    }

    [Test]
    public void A_set_of_the_first_format_is_still_read()
    {
        // As version 0.1.0 wrote it; what a later one adds is left out, and what this one does not know is passed over.
        const string First = """
            {
              "format": 1, "id": "000042-20261125T013000Z", "stack": "garden", "createdAt": "2026-11-25T01:30:00+00:00", "release": 7, "reason": "schedule", "program": "0.1.0",
              "recipients": ["age1x"], "somethingNew": true,
              "parts": [ { "service": "postgres", "kind": "postgres",
                "objects": [ { "key": "garden/sets/000042-20261125T013000Z/postgres/base.tar.zst.age", "plainBytes": 10, "plainHash": "aa", "storedBytes": 200, "storedHash": "bb" } ],
                "facts": { "lsn": "0/16B3748" }, "fingerprints": { "table public.gardens": "3:77" } } ]
            }
            """;

        var manifest = ManifestFile.Parse(Encoding.UTF8.GetBytes(First), "near");

        Assert.That(manifest.Id.Sequence, Is.EqualTo(42));
        Assert.That(manifest.Parts[0].Objects[0].StoredBytes, Is.EqualTo(200));
        Assert.That(manifest.Parts[0].Facts["lsn"], Is.EqualTo("0/16B3748"));
    }

    [Test]
    public void Two_sets_of_a_stack_are_not_made_at_once_and_no_number_is_given_out_twice()
    {
        var time = new FakeTimeProvider(new DateTimeOffset(2026, 3, 1, 1, 30, 0, TimeSpan.Zero));
        var numbers = new SetNumbers(Path.Combine(_root, "numbers"), time);
        var other = new SetNumbers(Path.Combine(_root, "numbers"), time);

        using (var first = numbers.TryClaim("garden", newest: 0))
        {
            Assert.That(first?.Id.Value, Is.EqualTo("000001-20260301T013000Z"));
            Assert.That(other.TryClaim("garden", newest: 0), Is.Null);
            using var elsewhere = other.TryClaim("shop", newest: 0);
            Assert.That(elsewhere, Is.Not.Null);
        }

        time.AdjustTime(new DateTimeOffset(2020, 1, 1, 0, 0, 0, TimeSpan.Zero));
        using (var second = other.TryClaim("garden", newest: 0)) Assert.That(second?.Id.Sequence, Is.EqualTo(2));
        using (var after = numbers.TryClaim("garden", newest: 41)) Assert.That(after?.Id.Sequence, Is.EqualTo(42));
    }

    private static BackupSetId Id(long number) => BackupSetId.Of(number, Manifests.At(number));

    private static Func<Stream, CancellationToken, Task> Writing(string text) => (stream, cancellationToken) => stream.WriteAsync(Encoding.UTF8.GetBytes(text), cancellationToken).AsTask();

    private async Task<BackupManifest> MakeAsync(long number)
    {
        var writer = _repository.WriterOfSet(Id(number), [], null);
        var manifest = Manifests.Of(number, await writer.WriteAsync("postgres/base.tar", Writing($"content {number}"), CancellationToken.None));
        await _keeper.PublishAsync(manifest, writer, CancellationToken.None);
        return manifest;
    }
}
