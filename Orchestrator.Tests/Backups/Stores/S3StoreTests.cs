using Orchestrator.Backups.Keeping;
using Orchestrator.Backups;
using Orchestrator.Backups.Stores;

namespace Orchestrator.Tests.Backups.Stores;

/// <summary>Against a server that fails on demand.</summary>
public sealed class S3StoreTests
{
    private const int Mebi = 1 << 20;

    private FakeS3 _server = null!;
    private S3Store _store = null!;

    [SetUp]
    public async Task Start()
    {
        _server = await FakeS3.StartAsync();
        _store = Store(new S3Options { Endpoint = _server.Endpoint, Bucket = "b", Prefix = "deep/er", AccessKey = "a", SecretKey = "s", Retries = 2, RetryDelay = TimeSpan.FromMilliseconds(1), MostParts = 3 });
    }

    [TearDown]
    public async Task Stop()
    {
        _store.Dispose();
        await _server.DisposeAsync();
    }

    [TestCase(0)]
    [TestCase(1000)]
    [TestCase(16 * Mebi)]
    [TestCase((16 * Mebi) + 1)]
    [TestCase((33 * Mebi) + 5)]
    public async Task What_is_put_comes_back(int size)
    {
        var content = Noise(size);

        var stored = await PutAsync("garden/a.age", content);

        Assert.That(stored.Bytes, Is.EqualTo(size));
        Assert.That(_server.Objects.Keys, Is.EqualTo(new[] { "deep/er/garden/a.age" }));
        Assert.That(_server.Uploads, Is.Empty);
        Assert.That((await ReadAsync("garden/a.age", 0)).AsSpan().SequenceEqual(content), Is.True);
        Assert.That((await ReadAsync("garden/a.age", size / 2)).AsSpan().SequenceEqual(content.AsSpan(size / 2)), Is.True);
    }

    [Test]
    public async Task Keys_are_listed_over_pages_and_without_the_prefix()
    {
        string[] keys = ["a/1", "a/2", "a/3", "a/4", "a/5", "b/1"];
        foreach (var key in keys) await PutAsync(key, [1]);

        var listed = new List<string>();
        await foreach (var found in _store.ListAsync("a/", CancellationToken.None)) listed.Add(found.Key);

        Assert.That(listed, Is.EqualTo(keys[..5]));
        await _store.DeleteAsync("a/1", CancellationToken.None);
        await _store.DeleteAsync("a/1", CancellationToken.None);
        Assert.That(await _store.FindAsync("a/1", CancellationToken.None), Is.Null);
        Assert.That((await Assert.ThrowsAsync<BackupStoreException>(async () => await _store.OpenAsync("a/1", 0, CancellationToken.None)))!.Message, Is.EqualTo("cloud: a/1 cannot be read: it is not there"));
    }

    [TestCase("put", 1000)]
    [TestCase("initiate", 17 * Mebi)]
    [TestCase("part 2", 17 * Mebi)]
    [TestCase("complete", 17 * Mebi)]
    [TestCase("head", 1000)]
    [TestCase("get", 1000)]
    public async Task A_refusal_that_passes_is_repeated(string request, int size)
    {
        var left = 2;
        _server.Refuses = what => what == request && left-- > 0;

        await PutAsync("a", Noise(size));

        Assert.That(_server.Requests.Count(what => what == request), Is.GreaterThanOrEqualTo(3));
        Assert.That((await ReadAsync("a", 0)).AsSpan().SequenceEqual(Noise(size)), Is.True);
    }

    [TestCase("put", 1000)]
    [TestCase("part 1", 17 * Mebi)]
    [TestCase("part 2", 17 * Mebi)]
    public async Task A_connection_that_is_cut_in_the_middle_is_made_again(string request, int size)
    {
        var left = 1;
        _server.Cuts = what => what == request && left-- > 0;

        await PutAsync("a", Noise(size));

        Assert.That((await ReadAsync("a", 0)).AsSpan().SequenceEqual(Noise(size)), Is.True);
    }

    [Test]
    public async Task A_server_that_cuts_at_a_part_again_and_again_leaves_no_object_and_no_upload()
    {
        _server.Cuts = what => what == "part 2";

        var failure = (await Assert.ThrowsAsync<BackupStoreException>(() => PutAsync("a", Noise(33 * Mebi))))!;

        Assert.That(failure.Message, Does.StartWith("cloud: part 2 of a was not taken: "));
        Assert.That(_server.Objects, Is.Empty);
        Assert.That(_server.Uploads, Is.Empty);
    }

    [TestCase(403)]
    [TestCase(500)]
    public async Task A_server_that_refuses_is_quoted(int status)
    {
        (_server.Refuses, _server.RefusesWith) = (_ => true, status);

        var failure = (await Assert.ThrowsAsync<BackupStoreException>(() => PutAsync("a", Noise(10))))!;

        Assert.That(failure.Message, Is.EqualTo($"cloud: a was not taken: {status} SlowDown: as the test wants it"));
        Assert.That(_server.Requests.Count, Is.EqualTo(status == 403 ? 1 : 3), "what is no matter of time is not repeated");
    }

    [Test]
    public async Task A_server_that_does_not_answer_in_time_is_given_up()
    {
        using var listener = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        listener.Start();
        using var silent = Store(Options() with { Endpoint = new Uri($"http://127.0.0.1:{((System.Net.IPEndPoint)listener.LocalEndpoint).Port}"), Timeout = TimeSpan.FromMilliseconds(300), Retries = 0 });

        var failure = (await Assert.ThrowsAsync<BackupStoreException>(async () => await silent.FindAsync("a", CancellationToken.None)))!;

        Assert.That(failure.Message, Does.StartWith("cloud: a cannot be looked for: "));
    }

    [Test]
    public async Task A_server_that_is_merely_slow_gets_all_of_it()
    {
        _server.Waits = (_, token) => Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, token);

        await PutAsync("a", Noise(33 * Mebi));

        Assert.That((await ReadAsync("a", 0)).AsSpan().SequenceEqual(Noise(33 * Mebi)), Is.True);
    }

    [Test]
    public async Task A_server_that_falls_silent_in_the_middle_is_given_up_and_keeps_no_upload()
    {
        using var impatient = Store(Options() with { Timeout = TimeSpan.FromSeconds(2), Retries = 0 });
        _server.Waits = (what, token) => what == "part 2" ? Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, token) : Task.CompletedTask;

        var failure = (await Assert.ThrowsAsync<BackupStoreException>(async () =>
        {
            await using var pending = await impatient.CreateAsync("a", CancellationToken.None);
            await pending.Content.WriteAsync(Noise(33 * Mebi));
            await pending.PublishAsync(ManifestFile.HashOf(Noise(33 * Mebi)), CancellationToken.None);
        }))!;

        Assert.That(failure.Message, Does.Match("^cloud: part [0-9] of a was not taken: "));
        Assert.That(_server.Objects, Is.Empty);
        Assert.That(_server.Uploads, Is.Empty);
    }

    [TestCase(1000)]
    [TestCase(17 * Mebi)]
    public async Task A_server_that_stores_the_framing_as_data_is_found_out_and_the_object_removed(int size)
    {
        _server.StoresFraming = true;

        var failure = (await Assert.ThrowsAsync<BackupStoreException>(() => PutAsync("a", Noise(size))))!;

        Assert.That(failure.Message, Does.Contain($"{size} were sent").And.Contains("framing"));
        Assert.That(_server.Objects, Is.Empty);
    }

    [TestCase(1000)]
    [TestCase(17 * Mebi)]
    public async Task A_bit_that_the_server_flips_is_found_and_the_object_removed(int size)
    {
        _server.FlipsABit = true;

        var failure = (await Assert.ThrowsAsync<BackupStoreException>(() => PutAsync("a", Noise(size))))!;

        Assert.That(failure.Message, Does.Contain("reads back as something else"));
        Assert.That(_server.Objects, Is.Empty);
    }

    [TestCase(1000)]
    [TestCase(17 * Mebi)]
    public async Task A_wrong_ETag_decides_nothing(int size)
    {
        _server.WrongETags = true;

        Assert.That((await PutAsync("a", Noise(size))).Bytes, Is.EqualTo(size));
    }

    [Test]
    public async Task An_answer_that_breaks_off_is_taken_up_where_it_broke()
    {
        await PutAsync("a", Noise(Mebi));
        var left = 2;
        _server.Cuts = what => what == "get" && left-- > 0;

        Assert.That((await ReadAsync("a", 0)).AsSpan().SequenceEqual(Noise(Mebi)), Is.True);
    }

    [Test]
    public async Task More_parts_than_the_server_takes_are_refused_by_us_and_it_says_what_to_do()
    {
        var failure = (await Assert.ThrowsAsync<BackupStoreException>(() => PutAsync("a", Noise((48 * Mebi) + 1))))!;

        Assert.That(failure.Message, Does.Contain("more than 3 parts").And.Contains("most_parts"));
        Assert.That(_server.Uploads, Is.Empty);
    }

    [Test]
    public async Task What_is_not_published_leaves_nothing_behind()
    {
        await using (var pending = await _store.CreateAsync("a", CancellationToken.None)) await pending.Content.WriteAsync(Noise(40 * Mebi));

        Assert.That(_server.Objects, Is.Empty);
        Assert.That(_server.Uploads, Is.Empty);
    }

    [Test]
    public async Task Uploads_that_were_left_behind_are_swept_and_ours_is_not()
    {
        await using var pending = await _store.CreateAsync("a", CancellationToken.None);
        await pending.Content.WriteAsync(Noise(33 * Mebi));
        _server.Uploads["left"] = new FakeS3.Upload("deep/er/b", DateTimeOffset.UnixEpoch, new());

        Assert.That(await _store.SweepAsync(TimeSpan.FromHours(1), CancellationToken.None), Is.EqualTo(1));
        Assert.That(_server.Uploads.Keys, Has.Count.EqualTo(1).And.No.Member("left"));
        await pending.PublishAsync(ManifestFile.HashOf(Noise(33 * Mebi)), CancellationToken.None);
    }

    [TestCase(true)]
    [TestCase(false)]
    public async Task What_the_server_can_do_is_found_out_by_trying(bool able)
    {
        (_server.ListsUploads, _server.Conditional) = (able, able);

        Assert.That(await _store.ProbeAsync(CancellationToken.None), Is.EqualTo(new S3Capabilities(able, able)));
        Assert.That(await _store.SweepAsync(TimeSpan.Zero, CancellationToken.None), Is.Zero);
        Assert.That(_server.Objects, Is.Empty);
    }

    private static S3Store Store(S3Options options) => new("cloud", options, TimeProvider.System);

    private static byte[] Noise(int size)
    {
        var noise = new byte[size];
        new Random(size).NextBytes(noise);
        return noise;
    }

    private S3Options Options() => new() { Endpoint = _server.Endpoint, Bucket = "b", AccessKey = "a", SecretKey = "s", Retries = 2, RetryDelay = TimeSpan.FromMilliseconds(1) };

    private async Task<StoredObject> PutAsync(string key, byte[] content)
    {
        await using var pending = await _store.CreateAsync(key, CancellationToken.None);
        for (var from = 0; from < content.Length; from += 300_000) await pending.Content.WriteAsync(content.AsMemory(from, Math.Min(300_000, content.Length - from)));
        return await pending.PublishAsync(ManifestFile.HashOf(content), CancellationToken.None);
    }

    private async Task<byte[]> ReadAsync(string key, long offset)
    {
        await using var stream = await _store.OpenAsync(key, offset, CancellationToken.None);
        using var content = new MemoryStream();
        await stream.CopyToAsync(content);
        return content.ToArray();
    }
}
