using System.Net;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using System.Net.Http.Json;

namespace Orchestrator.Tests.GardenApp;

public sealed class UploadTests
{
    private const int Largest = 200_000;

    private RunningGarden _garden = null!;

    [OneTimeSetUp]
    public async Task StartAsync() => _garden = await RunningGarden.StartAsync(("UPLOAD_MAX_BYTES", "200000"));

    [OneTimeTearDown]
    public async Task StopAsync() => await _garden.DisposeAsync();

    [Test]
    public async Task What_was_uploaded_comes_back_byte_for_byte_and_runs_nowhere()
    {
        var bytes = RandomNumberGenerator.GetBytes(Largest);
        using var sent = await SendAsync("rose & <dorn>.svg", bytes);
        var upload = await RunningGarden.JsonOf(sent);
        Assert.That((string?)upload["sha256"], Is.EqualTo(Convert.ToHexStringLower(SHA256.HashData(bytes))));

        using var back = await _garden.Client.GetAsync(sent.Headers.Location);
        Assert.Multiple(async () =>
        {
            Assert.That(await back.Content.ReadAsByteArrayAsync(), Is.EqualTo(bytes));
            Assert.That(back.Content.Headers.ContentDisposition!.DispositionType, Is.EqualTo("attachment"));
            Assert.That(back.Headers.GetValues("X-Content-Type-Options"), Is.EqualTo(new[] { "nosniff" }));
        });
    }

    [TestCase("../../etc/passwd")]
    [TestCase("..")]
    [TestCase(".")]
    [TestCase("a/b")]
    [TestCase("a\\b")]
    [TestCase("a\nb")]
    [TestCase("a\0b")]
    [TestCase("")]
    public async Task A_name_that_could_be_a_path_is_refused_and_leaves_nothing(string name)
    {
        using var answer = await SendAsync(name, [1, 2, 3]);
        Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.BadRequest));
    }

    [Test]
    public async Task What_is_too_large_is_told_so_with_a_length_and_without_and_leaves_nothing()
    {
        var before = Files();
        using var announced = await SendAsync("large", new byte[Largest + 1]);
        using var chunked = new HttpRequestMessage(HttpMethod.Post, "/api/uploads?name=large") { Content = new ByteArrayContent(new byte[Largest + 1]) };
        chunked.Headers.TransferEncodingChunked = true;
        using var streamed = await _garden.Client.SendAsync(chunked);
        Assert.That((announced.StatusCode, streamed.StatusCode), Is.EqualTo((HttpStatusCode.RequestEntityTooLarge, HttpStatusCode.RequestEntityTooLarge)));
        Assert.That(Files(), Is.EqualTo(before));
    }

    [Test]
    public async Task Uploads_belong_to_who_sent_them_and_deleting_one_deletes_its_file()
    {
        using var ana = await _garden.SignInAsync("ana");
        using var bor = await _garden.SignInAsync("bor");
        using var sent = await ana.PostAsync("/api/uploads?name=hers.txt", new ByteArrayContent([1]));
        var id = (string?)(await RunningGarden.JsonOf(sent))["id"];
        var file = Path.Combine(_garden.Settings.UploadsFolder, id!.Replace("-", "", StringComparison.Ordinal));
        Assert.That(File.Exists(file));

        var listed = await bor.GetFromJsonAsync<JsonNode>("/api/uploads");
        using var refused = await bor.DeleteAsync($"/api/uploads/{id}");
        using var deleted = await ana.DeleteAsync($"/api/uploads/{id}");
        Assert.That(((int?)listed!["total"], refused.StatusCode, deleted.StatusCode), Is.EqualTo(((int?)0, HttpStatusCode.Forbidden, HttpStatusCode.NoContent)));
        Assert.That(File.Exists(file), Is.False);
    }

    [Test]
    public async Task A_garden_that_does_not_exist_cannot_have_uploads()
    {
        using var answer = await _garden.Client.PostAsync($"/api/uploads?name=a&gardenId={Guid.NewGuid()}", new ByteArrayContent([1]));
        Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.BadRequest));
    }

    private Task<HttpResponseMessage> SendAsync(string name, byte[] bytes) =>
        _garden.Client.PostAsync($"/api/uploads?name={Uri.EscapeDataString(name)}", new ByteArrayContent(bytes));

    private string[] Files() => [.. Directory.GetFiles(_garden.Settings.UploadsFolder).Order(StringComparer.Ordinal)];
}
