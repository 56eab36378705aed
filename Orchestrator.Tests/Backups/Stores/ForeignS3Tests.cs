using Orchestrator.Backups;
using Orchestrator.Backups.Encryption;
using Orchestrator.Backups.Keeping;
using Orchestrator.Backups.Pipeline;
using Orchestrator.Backups.Stores;
using Orchestrator.Tests.Backups.Pipeline;

namespace Orchestrator.Tests.Backups.Stores;

/// <summary>Against a server that others wrote, over its own HTTP.</summary>
public sealed class ForeignS3Tests
{
    private ForeignS3Server _server = null!;
    private S3Store _store = null!;

    [OneTimeSetUp]
    public async Task Start()
    {
        _server = await ForeignS3Server.StartAsync();
        _store = _server.Store();
    }

    [OneTimeTearDown]
    public async Task Stop()
    {
        _store?.Dispose();
        if (_server is not null) await _server.DisposeAsync();
    }

    [TestCase(1000)]
    [TestCase(40_000_000)]
    public async Task A_set_goes_up_is_found_and_comes_back(int size)
    {
        var identity = AgeIdentity.Generate();
        var stack = $"garden{size}";
        var repository = new BackupRepository(stack, [_store], [identity.Recipient], new CopyOptions(), TimeProvider.System);
        var keeper = new SetKeeper(repository);
        var content = new byte[size];
        new Random(size).NextBytes(content);
        var id = BackupSetId.Of(1, Manifests.At(1));
        var writer = repository.WriterOfSet(id, [], progress: null);

        var item = await writer.WriteAsync("postgres/base.tar", (stream, token) => stream.WriteAsync(content, token).AsTask(), CancellationToken.None);
        await keeper.PublishAsync(Manifests.Of(1, item) with { Stack = stack }, writer, CancellationToken.None);

        var catalogue = await keeper.ListAsync(CancellationToken.None);
        Assert.That(catalogue.Failures, Is.Empty);
        Assert.That(catalogue.Sets.Single().Manifest.Id, Is.EqualTo(id));
        Assert.That(await StoredObjectCheck.ReadBackAsync(_store, item, CancellationToken.None), Is.Null);
        using var back = new MemoryStream();
        await repository.Reader([identity]).ReadAsync(item, (stream, token) => stream.CopyToAsync(back, token), CancellationToken.None);
        Assert.That(back.ToArray().AsSpan().SequenceEqual(content), Is.True);

        await keeper.RemoveAsync(new RetentionPlan([new RetentionDecision(id, Kept: false, [])], []), catalogue, CancellationToken.None);
        Assert.That((await keeper.ListAsync(CancellationToken.None)).Sets, Is.Empty);
        Assert.That(await _store.FindAsync(item.Key, CancellationToken.None), Is.Null);
    }

    [Test]
    public async Task A_server_that_can_neither_list_uploads_nor_refuse_to_overwrite_is_told_apart_and_still_used()
    {
        Assert.That(await _store.ProbeAsync(CancellationToken.None), Is.EqualTo(new S3Capabilities(ConditionalPut: false, ListsUploads: false)));
        Assert.That(await _store.SweepAsync(TimeSpan.Zero, CancellationToken.None), Is.Zero);
    }
}
