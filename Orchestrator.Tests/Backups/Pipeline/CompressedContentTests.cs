using System.IO.Pipes;
using Orchestrator.Backups;
using Orchestrator.Backups.Encryption;
using Orchestrator.Backups.Pipeline;
using Orchestrator.Backups.Stores;
using Orchestrator.Tests.Backups.Stores;
using Orchestrator.Tests.Docker;

namespace Orchestrator.Tests.Backups.Pipeline;

/// <summary>What another program has compressed (zstd's own, as a rule) on its way to the stores.</summary>
public sealed class CompressedContentTests
{
    private const string Name = "db/base.tar";
    private const int Large = 24 * 1024 * 1024;

    private readonly AgeIdentity _identity = AgeIdentity.Generate();
    private string _root = "";
    private FaultyStore _store = null!;
    private BackupRepository _repository = null!;

    [SetUp]
    public void Make()
    {
        _root = Directory.CreateTempSubdirectory("basmalin-compressed-").FullName;
        _store = new FaultyStore(new DirectoryStore("near", Path.Combine(_root, "near"), TimeProvider.System));
        _repository = new BackupRepository("garden", [_store], [_identity.Recipient], new CopyOptions(), TimeProvider.System);
    }

    [TearDown]
    public void Remove() => Directory.Delete(_root, recursive: true);

    [TestCase(0)]
    [TestCase(1)]
    [TestCase(256 * 1024)]
    [TestCase(Large)]
    public async Task It_is_stored_as_it_came_and_measured_by_what_it_holds(int size)
    {
        var content = Noise(size);
        var frame = await FrameAsync(content);

        var item = await WriteAsync(frame);

        Assert.That((item.PlainBytes, item.PlainHash), Is.EqualTo(((long)size, "")), "known by the hash of what is stored");
        Assert.That(await StoredObjectCheck.ReadBackAsync(_store, item, CancellationToken.None), Is.Null);
        Assert.That((await ReadAsync(item)).AsSpan().SequenceEqual(content), Is.True);
        await using var stored = await _store.OpenAsync(item.Key, 0, CancellationToken.None);
        await using var decrypted = await AgeDecryptingStream.OpenAsync(stored, [_identity], CancellationToken.None);
        using var found = new MemoryStream();
        await decrypted.CopyToAsync(found);
        Assert.That(found.ToArray().AsSpan().SequenceEqual(frame), Is.True, "not compressed anew");
    }

    [Test]
    public async Task Another_object_in_its_place_is_noticed_although_it_is_well_encrypted()
    {
        var item = await WriteAsync(await FrameAsync(Noise(Large)));
        var other = await Writer().WriteCompressedAsync(
            "db/other.tar", async (compressed, token) => await compressed.Open(new MemoryStream(await FrameAsync(new byte[Large])), token).CopyToAsync(Stream.Null, token), CancellationToken.None);
        File.Copy(Path.Combine(_root, "near", other.Key), Path.Combine(_root, "near", item.Key), overwrite: true);

        Assert.That(() => ReadAsync(item with { StoredBytes = other.StoredBytes }), Throws.InstanceOf<BackupFailedException>().With.Message.Contains("something else than the manifest says"));
    }

    [Test]
    public async Task A_frame_that_is_changed_or_cut_or_none_is_kept_nowhere()
    {
        var frame = await FrameAsync(Noise(Large));
        var changed = frame.ToArray();
        changed[frame.Length / 2] ^= 1;

        Assert.Multiple(() =>
        {
            Assert.That(() => WriteAsync(changed), Throws.InstanceOf<InvalidDataException>());
            foreach (var length in (int[])[3, 1000, frame.Length / 2, frame.Length - 1]) Assert.That(() => WriteAsync(frame[..length]), Throws.InstanceOf<EndOfStreamException>(), $"{length}");
            Assert.That(() => WriteAsync([.. frame, .. "and more"u8]), Throws.InstanceOf<InvalidDataException>());
            Assert.That(() => WriteAsync("pg_basebackup: a message"u8.ToArray()), Throws.InstanceOf<InvalidDataException>());
        });
        Assert.That(Kept(), Is.Empty);
    }

    [Test]
    public async Task Content_that_is_not_read_to_its_end_is_kept_nowhere_and_holds_nobody()
    {
        var frame = await FrameAsync(Noise(Large));

        Assert.Multiple(() =>
        {
            Assert.That(() => Writer().WriteCompressedAsync(Name, (_, _) => Task.CompletedTask, CancellationToken.None), Throws.InvalidOperationException);
            Assert.That(() => PartAsync(read => read.Length == 1), Throws.InvalidOperationException);
            Assert.That(() => PartAsync(_ => throw new InvalidDataException("no archive")), Throws.InstanceOf<InvalidDataException>());
        });
        Assert.That(Kept(), Is.Empty);

        Task PartAsync(Predicate<byte[]> look) => Writer().WriteCompressedAsync(
            Name,
            (compressed, token) => Task.Run(
                () =>
                {
                    var buffer = new byte[1];
                    compressed.Open(new MemoryStream(frame), token).ReadExactly(buffer);
                    look(buffer);
                },
                token),
            CancellationToken.None).WaitAsync(TimeSpan.FromMinutes(1));
    }

    [Test]
    public async Task A_frame_without_a_checksum_as_PostgreSQL_writes_it_is_as_good_and_seen_to_be_cut()
    {
        var content = Noise(Large);
        var frame = await FrameAsync(content, "--no-check");

        var item = await WriteAsync(frame);

        Assert.That((await ReadAsync(item)).AsSpan().SequenceEqual(content), Is.True);
        Assert.That(() => WriteAsync(frame[..^1]), Throws.InstanceOf<EndOfStreamException>());
    }

    [Test]
    public async Task Who_waits_for_the_rest_of_a_frame_is_let_go_of_by_any_byte_when_the_copy_is_called_off()
    {
        var frame = await FrameAsync(Noise(Large));
        await using var far = new AnonymousPipeServerStream(PipeDirection.Out);
        await using var near = new AnonymousPipeClientStream(PipeDirection.In, far.ClientSafePipeHandle);
        using var stopping = new CancellationTokenSource();
        var writing = Writer().WriteCompressedAsync(
            Name, (compressed, _) => Task.Run(() => compressed.Open(near, stopping.Token).CopyTo(Stream.Null), CancellationToken.None), CancellationToken.None);

        await far.WriteAsync(frame.AsMemory(0, 1000));
        await stopping.CancelAsync();
        await far.WriteAsync(new byte[1]);

        Assert.That(async () => await writing.WaitAsync(TimeSpan.FromMinutes(1)), Throws.InstanceOf<OperationCanceledException>());
        Assert.That(Kept(), Is.Empty);
    }

    [Test]
    public async Task A_store_that_fails_meanwhile_ends_the_reading_and_is_named()
    {
        _store.FailWritingAfter = 1_000_000;
        var frame = await FrameAsync(Noise(Large));

        Assert.That(() => WriteAsync(frame), Throws.InstanceOf<BackupFailedException>().With.Message.Contains("refused by the test"));
        Assert.That(Kept(), Is.Empty);
    }

    private BackupWriter Writer() => _repository.WriterOfSet(new("000001-20260301T000000Z"), [], progress: null);

    private Task<BackupObject> WriteAsync(byte[] frame) => Writer().WriteCompressedAsync(
        Name,
        (compressed, token) => Task.Run(() => compressed.Open(new MemoryStream(frame), token).CopyTo(Stream.Null), token),
        CancellationToken.None);

    private async Task<byte[]> ReadAsync(BackupObject item)
    {
        using var content = new MemoryStream();
        await _repository.Reader([_identity]).ReadAsync(item, (stream, token) => stream.CopyToAsync(content, token), CancellationToken.None);
        return content.ToArray();
    }

    private async Task<byte[]> FrameAsync(byte[] content, params string[] options)
    {
        await Command.EnsureAsync("/usr/bin/zstd", "zstd");
        var path = Path.Combine(_root, "content");
        await File.WriteAllBytesAsync(path, content);
        await Command.RunAsync("zstd", ["-1", "-q", "-f", .. options, path, "-o", path + ".zst"]);
        return await File.ReadAllBytesAsync(path + ".zst");
    }

    private IEnumerable<string> Kept()
    {
        var near = Path.Combine(_root, "near");
        return Directory.Exists(near) ? Directory.EnumerateFiles(near, "*", SearchOption.AllDirectories) : [];
    }

    private static byte[] Noise(int size)
    {
        var content = new byte[size];
        new Random(1).NextBytes(content);
        return content;
    }
}
