using System.IO.Compression;
using System.Text;
using Orchestrator.Traffic.Requests;

namespace Orchestrator.Tests.Traffic.Requests;

[TestFixture]
public sealed class CompressionTests
{
    private Backend _blue = null!;
    private EdgeBed _bed = null!;

    [SetUp]
    public async Task SetUp()
    {
        _blue = await Backend.StartAsync("blue");
        _bed = await EdgeBed.StartAsync();
        _bed.Publish(_bed.Upstream("blue", _blue), new RoutePolicy { Compress = CompressionRule.Usual });
    }

    [TearDown]
    public async Task TearDown()
    {
        await _bed.DisposeAsync();
        await _blue.DisposeAsync();
    }

    [TestCase("br", "br")]
    [TestCase("gzip", "gzip")]
    [TestCase("gzip, deflate, br, zstd", "br")]
    [TestCase("br;q=0.5, gzip", "gzip")]
    [TestCase("br;q=0, *", "gzip")]
    [TestCase("*", "br")]
    [TestCase("identity", null)]
    [TestCase("br;q=0, gzip;q=0", null)]
    [TestCase("", null)]
    public async Task Text_is_compressed_as_its_client_likes(string accepted, string? encoding)
    {
        using var answer = await GetAsync("/text/200000", accepted);

        Assert.That(answer.Content.Headers.ContentEncoding.SingleOrDefault(), Is.EqualTo(encoding));
        Assert.That(answer.Headers.Vary, Does.Contain("Accept-Encoding"));
        Assert.That(await TextAsync(answer), Is.EqualTo(Backend.Text(200_000)));
        Assert.That(answer.Headers.ETag?.ToString(), Is.EqualTo(encoding is null ? "\"one\"" : "W/\"one\""));
    }

    [TestCase("/bytes/5000", TestName = "other_types")]
    [TestCase("/text/100", TestName = "short_ones")]
    [TestCase("/encoded", TestName = "what_is_compressed_already")]
    [TestCase("/part", TestName = "parts")]
    [TestCase("/status/204", TestName = "nothing")]
    public async Task Some_answers_stay_as_they_are(string path)
    {
        using var answer = await GetAsync(path, "br, gzip");
        var encoding = answer.Content.Headers.ContentEncoding.SingleOrDefault();

        Assert.That(encoding, Is.EqualTo(path == "/encoded" ? "deflate" : null));
    }

    [Test]
    public async Task Events_are_not_compressed_and_come_at_once()
    {
        using var answer = await GetAsync("/api/events", "br");
        using var reader = new StreamReader(await answer.Content.ReadAsStreamAsync());

        Assert.That(answer.Content.Headers.ContentEncoding, Is.Empty);
        Assert.That(await reader.ReadLineAsync(), Is.EqualTo("data: blue"));
    }

    [TestCase("br")]
    [TestCase("gzip")]
    public async Task What_comes_in_parts_is_passed_on_in_parts(string encoding)
    {
        using var answer = await GetAsync("/parts", encoding);
        await using var body = Decoded(answer, await answer.Content.ReadAsStreamAsync());
        var buffer = new byte[100];

        // The second part is not sent before the gate opens: the first has to come by itself.
        Assert.That(Encoding.ASCII.GetString(buffer, 0, await body.ReadAsync(buffer)), Is.EqualTo("first"));
        _blue.Gate.SetResult();
        Assert.That(await new StreamReader(body).ReadToEndAsync(), Is.EqualTo("second"));
    }

    [TestCase("br")]
    [TestCase("gzip")]
    public async Task An_answer_that_is_cut_does_not_look_whole(string encoding)
    {
        using var answer = await GetAsync("/text-cut", encoding);

        Assert.That(answer.Content.Headers.ContentEncoding.Single(), Is.EqualTo(encoding));
        _blue.Gate.SetResult();
        Assert.That(async () => await answer.Content.ReadAsByteArrayAsync(), Throws.InstanceOf<HttpRequestException>());
    }

    [TestCase("br")]
    [TestCase("gzip")]
    public async Task An_answer_that_ends_after_its_headers_is_asked_for_again_and_compressed_once(string encoding)
    {
        _blue.HeadsOnly = 1;
        using var answer = await GetAsync("/head-only", encoding);

        Assert.That(answer.Content.Headers.ContentEncoding, Is.EqualTo(new[] { encoding }));
        Assert.That(await TextAsync(answer), Is.EqualTo(Backend.Text(5000)));
    }

    [TestCase("br")]
    [TestCase("gzip")]
    public async Task What_takes_the_place_of_an_answer_that_does_not_come_is_readable(string encoding)
    {
        _blue.HeadsOnly = 2;
        using var answer = await GetAsync("/head-only", encoding);

        Assert.That(((int)answer.StatusCode, answer.Content.Headers.ContentEncoding.Count), Is.EqualTo((502, 0)));
        Assert.That(await answer.Content.ReadAsStringAsync(), Does.StartWith("The application did not give a complete answer."));
    }

    private static async Task<string> TextAsync(HttpResponseMessage answer)
    {
        await using var body = Decoded(answer, await answer.Content.ReadAsStreamAsync());
        return await new StreamReader(body).ReadToEndAsync();
    }

    private static Stream Decoded(HttpResponseMessage answer, Stream body) => answer.Content.Headers.ContentEncoding.SingleOrDefault() switch
    {
        "br" => new BrotliStream(body, CompressionMode.Decompress),
        "gzip" => new GZipStream(body, CompressionMode.Decompress),
        _ => body,
    };

    private async Task<HttpResponseMessage> GetAsync(string path, string accepted)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        if (accepted.Length > 0)
            request.Headers.TryAddWithoutValidation("Accept-Encoding", accepted);
        return await _bed.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
    }
}
