using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using Orchestrator.Traffic.Files;
using Orchestrator.Traffic.Requests;

namespace Orchestrator.Tests.Traffic.Files;

[TestFixture]
public sealed class StaticFilesTests
{
    private string _root = "";
    private Backend _blue = null!;
    private EdgeBed _bed = null!;

    [SetUp]
    public async Task SetUp()
    {
        _root = Directory.CreateTempSubdirectory("basmalin-files-").FullName;
        Directory.CreateDirectory(Path.Combine(_root, "public", "2026"));
        await File.WriteAllTextAsync(Path.Combine(_root, "public", "a.txt"), "0123456789");
        await File.WriteAllBytesAsync(Path.Combine(_root, "public", "2026", "bean pole.jpg"), Backend.Bytes(200_000));
        await File.WriteAllTextAsync(Path.Combine(_root, "secret.txt"), "secret");
        await File.WriteAllTextAsync(Path.Combine(_root, "public", ".env"), "secret");
        _blue = await Backend.StartAsync("blue");
        _bed = await EdgeBed.StartAsync();
        Serve(fallback: false, TimeSpan.Zero);
    }

    [TearDown]
    public async Task TearDown()
    {
        await _bed.DisposeAsync();
        await _blue.DisposeAsync();
        Directory.Delete(_root, recursive: true);
    }

    [Test]
    public async Task A_file_is_served_whole_with_all_that_caches_want_to_know()
    {
        using var answer = await _bed.Client.GetAsync("/uploads/2026/bean%20pole.jpg");

        Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.OK));
        Assert.That((await answer.Content.ReadAsByteArrayAsync()).AsSpan().SequenceEqual(Backend.Bytes(200_000)), Is.True);
        Assert.That(answer.Content.Headers.ContentType?.MediaType, Is.EqualTo("image/jpeg"));
        Assert.That((answer.Headers.ETag?.IsWeak, answer.Content.Headers.LastModified.HasValue), Is.EqualTo(((bool?)false, true)));
        Assert.That(answer.Headers.AcceptRanges, Is.EqualTo(new[] { "bytes" }));
        Assert.That(answer.Headers.GetValues("X-Content-Type-Options"), Is.EqualTo(new[] { "nosniff" }));
        Assert.That((answer.Headers.CacheControl?.NoCache, _blue.Requests), Is.EqualTo(((bool?)true, 0)));
        Assert.That(await _bed.MetricsTextAsync(), Does.Contain("code=\"2xx\"} 1"));
    }

    [TestCase("bytes=0-3")]
    [TestCase("bytes=10-")]
    public async Task A_part_is_of_a_get_only(string range)
    {
        using var request = new HttpRequestMessage(HttpMethod.Head, "/uploads/a.txt");
        request.Headers.TryAddWithoutValidation("Range", range);
        using var answer = await _bed.Client.SendAsync(request);

        Assert.That(((int)answer.StatusCode, answer.Content.Headers.ContentLength, answer.Content.Headers.ContentRange), Is.EqualTo((200, (long?)10, (ContentRangeHeaderValue?)null)));
    }

    [TestCase("bytes=0-3", 206, "0123", "bytes 0-3/10")]
    [TestCase("bytes=7-", 206, "789", "bytes 7-9/10")]
    [TestCase("bytes=-2", 206, "89", "bytes 8-9/10")]
    [TestCase("bytes=5-99", 206, "56789", "bytes 5-9/10")]
    [TestCase("bytes=10-", 416, "", "bytes */10")]
    [TestCase("bytes=-0", 416, "", "bytes */10")]
    [TestCase("bytes=0-1,4-5", 200, "0123456789", null)]
    [TestCase("lines=0-1", 200, "0123456789", null)]
    public async Task A_part_is_served_as_asked(string range, int status, string text, string? contentRange)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/uploads/a.txt");
        request.Headers.TryAddWithoutValidation("Range", range);
        using var answer = await _bed.Client.SendAsync(request);

        Assert.That(((int)answer.StatusCode, await answer.Content.ReadAsStringAsync()), Is.EqualTo((status, text)));
        Assert.That(answer.Content.Headers.ContentRange?.ToString(), Is.EqualTo(contentRange));
    }

    [Test]
    public async Task What_the_client_has_is_not_sent_again()
    {
        using var first = await _bed.Client.GetAsync("/uploads/a.txt");
        var modified = first.Content.Headers.LastModified!.Value;

        Assert.That(await StatusAsync(headers => headers.IfNoneMatch.Add(first.Headers.ETag!)), Is.EqualTo(304));
        Assert.That(await StatusAsync(headers => headers.IfModifiedSince = modified), Is.EqualTo(304));
        Assert.That(await StatusAsync(headers => headers.IfModifiedSince = modified.AddSeconds(-1)), Is.EqualTo(200));
        Assert.That(await StatusAsync(headers => headers.IfMatch.Add(new EntityTagHeaderValue("\"other\""))), Is.EqualTo(412));
        Assert.That(await StatusAsync(headers => headers.IfUnmodifiedSince = modified.AddSeconds(-1)), Is.EqualTo(412));
        Assert.That(await StatusAsync(headers => (headers.Range, headers.IfRange) = (new(0, 1), new(first.Headers.ETag!))), Is.EqualTo(206));
        Assert.That(await StatusAsync(headers => (headers.Range, headers.IfRange) = (new(0, 1), new(new EntityTagHeaderValue("\"other\"")))), Is.EqualTo(200));
    }

    [Test]
    public async Task A_HEAD_has_the_length_and_no_body()
    {
        using var answer = await _bed.Client.SendAsync(new HttpRequestMessage(HttpMethod.Head, "/uploads/a.txt"));

        Assert.That((answer.StatusCode, answer.Content.Headers.ContentLength), Is.EqualTo((HttpStatusCode.OK, (long?)10)));
    }

    [TestCase("/uploads/../secret.txt")]
    [TestCase("/uploads/%2e%2e/secret.txt")]
    [TestCase("/uploads/..%2fsecret.txt")]
    [TestCase("/uploads/%2e%2e%2fsecret.txt")]
    [TestCase("/uploads/..%5csecret.txt")]
    [TestCase("/uploads//a.txt")]
    [TestCase("/uploads/.env")]
    [TestCase("/uploads/")]
    [TestCase("/uploads/2026")]
    [TestCase("/uploads/2026/")]
    [TestCase("/uploads/a.txt/")]
    [TestCase("/uploads/nowhere.txt")]
    [TestCase("/uploads/out.txt")]
    [TestCase("/uploads/outside/secret.txt")]
    [TestCase("/uploads/absolute/passwd")]
    [TestCase("/uploads/pipe")]
    public async Task Nothing_but_files_of_the_directory_is_served(string path)
    {
        var place = Path.Combine(_root, "public");
        File.CreateSymbolicLink(Path.Combine(place, "out.txt"), "../secret.txt");
        Directory.CreateSymbolicLink(Path.Combine(place, "outside"), "..");
        Directory.CreateSymbolicLink(Path.Combine(place, "absolute"), "/etc");
        using (var pipe = System.Diagnostics.Process.Start("mkfifo", Path.Combine(place, "pipe")))
            await pipe.WaitForExitAsync();

        var answer = await _bed.RawAsync($"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        Assert.That(answer, Does.StartWith("HTTP/1.1 404").And.Not.Contain("secret\n").And.Not.EndWith("secret").And.Not.Contain("root:"));
    }

    [Test]
    public async Task A_link_within_the_directory_is_followed()
    {
        File.CreateSymbolicLink(Path.Combine(_root, "public", "latest.txt"), "a.txt");

        Assert.That(await _bed.Client.GetStringAsync("/uploads/latest.txt"), Is.EqualTo("0123456789"));
    }

    [Test]
    public async Task A_directory_that_is_a_link_elsewhere_serves_nothing()
    {
        Directory.Move(Path.Combine(_root, "public"), Path.Combine(_root, "moved"));
        Directory.CreateSymbolicLink(Path.Combine(_root, "public"), "/etc");
        using var answer = await _bed.Client.GetAsync("/uploads/passwd");

        Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.NotFound));
    }

    [Test]
    public async Task What_is_missing_is_the_applications_where_that_is_said()
    {
        Serve(fallback: true, TimeSpan.FromHours(1));
        using var missing = await _bed.Client.GetAsync("/uploads/nowhere.txt");
        using var there = await _bed.Client.GetAsync("/uploads/a.txt");
        using var posted = await _bed.Client.PostAsync("/uploads/a.txt", null);

        Assert.That(missing.Headers.Contains("X-Garden-Version"), Is.True);
        Assert.That(there.Headers.CacheControl?.ToString(), Is.EqualTo("public, max-age=3600"));
        Assert.That((posted.Headers.Contains("X-Garden-Version"), _blue.Requests.ToString(CultureInfo.InvariantCulture)), Is.EqualTo((true, "2")));
    }

    private void Serve(bool fallback, TimeSpan cache) =>
        _bed.Publish(_bed.Upstream("blue", _blue), new RoutePolicy { Static = [new StaticFolder("/uploads", _root, "public", cache, fallback)] });

    private async Task<int> StatusAsync(Action<HttpRequestHeaders> say)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/uploads/a.txt");
        say(request.Headers);
        using var answer = await _bed.Client.SendAsync(request);
        return (int)answer.StatusCode;
    }
}
