using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;

namespace Orchestrator.Tests.GardenApp;

public sealed class GardenApiTests
{
    private RunningGarden _garden = null!;

    [OneTimeSetUp]
    public async Task StartAsync() => _garden = await RunningGarden.StartAsync();

    [OneTimeTearDown]
    public async Task StopAsync() => await _garden.DisposeAsync();

    [Test]
    public async Task A_garden_lives_from_creation_to_deletion()
    {
        using var created = await _garden.Client.PostAsJsonAsync("/api/gardens", new { name = "Süd", location = "Novi Sad", areaSquareMetres = 12.5 });
        var garden = await RunningGarden.JsonOf(created);
        Assert.That(created.StatusCode, Is.EqualTo(HttpStatusCode.Created));
        var address = created.Headers.Location!.ToString();

        var read = await _garden.Client.GetFromJsonAsync<JsonNode>(address);
        Assert.That(JsonNode.DeepEquals(read, garden), $"{read} is not {garden}");

        using var replaced = await _garden.Client.PutAsJsonAsync(address, new { name = "Nord" });
        Assert.That((string?)(await RunningGarden.JsonOf(replaced))["name"], Is.EqualTo("Nord"));
        Assert.That((string?)(await _garden.Client.GetFromJsonAsync<JsonNode>(address))!["location"], Is.Null);

        using var deleted = await _garden.Client.DeleteAsync(address);
        using var gone = await _garden.Client.GetAsync(address);
        Assert.That((deleted.StatusCode, gone.StatusCode), Is.EqualTo((HttpStatusCode.NoContent, HttpStatusCode.NotFound)));
    }

    [TestCase("""{"name":""}""", "name")]
    [TestCase("""{"name":" "}""", "name")]
    [TestCase("""{}""", "name")]
    [TestCase("""{"name":"a\u0000b"}""", "name")]
    [TestCase("""{"name":"a","areaSquareMetres":0}""", "areaSquareMetres")]
    [TestCase("""{"name":"a","areaSquareMetres":10000000.01}""", "areaSquareMetres")]
    [TestCase("""{"name":"a","areaSquareMetres":1.001}""", "areaSquareMetres")]
    public async Task A_wrong_garden_is_refused_with_the_field_that_is_wrong(string body, string field)
    {
        using var answer = await _garden.Client.PostAsync("/api/gardens", new StringContent(body, new System.Net.Http.Headers.MediaTypeHeaderValue("application/json")));
        var problem = JsonNode.Parse(await answer.Content.ReadAsStringAsync())!;
        Assert.Multiple(() =>
        {
            Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.BadRequest));
            Assert.That(answer.Content.Headers.ContentType!.MediaType, Is.EqualTo("application/problem+json"));
            Assert.That(problem["errors"]!.AsObject().Select(error => error.Key), Is.EqualTo(new[] { field }));
        });
    }

    [TestCase("""{"name":1}""", HttpStatusCode.BadRequest)]
    [TestCase("""{"name":"a""", HttpStatusCode.BadRequest)]
    [TestCase("""[]""", HttpStatusCode.BadRequest)]
    public async Task What_is_no_garden_at_all_is_a_problem_too(string body, HttpStatusCode status)
    {
        using var answer = await _garden.Client.PostAsync("/api/gardens", new StringContent(body, new System.Net.Http.Headers.MediaTypeHeaderValue("application/json")));
        Assert.That(answer.StatusCode, Is.EqualTo(status));
        Assert.That(answer.Content.Headers.ContentType!.MediaType, Is.EqualTo("application/problem+json"));
    }

    [Test]
    public async Task Pages_tile_the_list_without_gap_or_overlap()
    {
        using var ana = await _garden.SignInAsync("paging");
        var created = new List<string>();
        for (var number = 0; number < 7; number++) created.Add((await RunningGarden.CreateGardenAsync(ana, $"garden {number}")).ToString());

        var seen = new List<string>();
        for (var offset = 0; offset < 9; offset += 3)
        {
            var page = await ana.GetFromJsonAsync<JsonNode>($"/api/gardens?owner=paging&offset={offset}&limit=3");
            Assert.That((int)page!["total"]!, Is.EqualTo(7));
            seen.AddRange(page["items"]!.AsArray().Select(item => (string)item!["id"]!));
        }
        Assert.That(seen, Is.EqualTo(created));
    }

    [TestCase("limit=0")]
    [TestCase("limit=101")]
    [TestCase("offset=-1")]
    [TestCase("limit=x")]
    [TestCase("owner=A%00B")]
    public async Task A_wrong_page_is_refused(string query)
    {
        using var answer = await _garden.Client.GetAsync($"/api/gardens?{query}");
        Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.BadRequest));
    }

    [Test]
    public async Task Only_the_owner_changes_a_garden_and_a_guests_garden_is_everybodys()
    {
        using var ana = await _garden.SignInAsync("ana");
        using var bor = await _garden.SignInAsync("bor");
        var hers = await RunningGarden.CreateGardenAsync(ana, "hers");
        var nobodys = await RunningGarden.CreateGardenAsync(_garden.Client, "nobody's");

        using var refused = await bor.PutAsJsonAsync($"/api/gardens/{hers}", new { name = "mine" });
        using var refusedPlant = await bor.PostAsJsonAsync($"/api/gardens/{hers}/plants", new { species = "weed" });
        using var allowed = await bor.PutAsJsonAsync($"/api/gardens/{nobodys}", new { name = "ours" });
        Assert.That((refused.StatusCode, refusedPlant.StatusCode, allowed.StatusCode), Is.EqualTo((HttpStatusCode.Forbidden, HttpStatusCode.Forbidden, HttpStatusCode.OK)));
    }

    [Test]
    public async Task Plants_grow_in_their_garden_only_and_go_with_it()
    {
        var garden = await RunningGarden.CreateGardenAsync(_garden.Client, "with plants");
        var other = await RunningGarden.CreateGardenAsync(_garden.Client, "without");
        using var created = await _garden.Client.PostAsJsonAsync($"/api/gardens/{garden}/plants", new { species = "Tomate", plantedOn = "2026-05-01", waterEveryDays = 2 });
        var plant = await RunningGarden.JsonOf(created);
        Assert.That((string?)plant["plantedOn"], Is.EqualTo("2026-05-01"));
        var id = (string?)plant["id"];

        using var elsewhere = await _garden.Client.GetAsync($"/api/gardens/{other}/plants/{id}");
        using var here = await _garden.Client.GetAsync($"/api/gardens/{garden}/plants/{id}");
        Assert.That((elsewhere.StatusCode, here.StatusCode), Is.EqualTo((HttpStatusCode.NotFound, HttpStatusCode.OK)));

        using var replaced = await _garden.Client.PutAsJsonAsync($"/api/gardens/{garden}/plants/{id}", new { species = "Paprika" });
        Assert.That((string?)(await RunningGarden.JsonOf(replaced))["species"], Is.EqualTo("Paprika"));
        using var wrong = await _garden.Client.PutAsJsonAsync($"/api/gardens/{garden}/plants/{id}", new { species = "Paprika", waterEveryDays = 0 });
        Assert.That(wrong.StatusCode, Is.EqualTo(HttpStatusCode.BadRequest));

        using var deleted = await _garden.Client.DeleteAsync($"/api/gardens/{garden}");
        using var list = await _garden.Client.GetAsync($"/api/gardens/{garden}/plants");
        Assert.That((deleted.StatusCode, list.StatusCode), Is.EqualTo((HttpStatusCode.NoContent, HttpStatusCode.NotFound)));
    }

    [Test]
    public async Task A_hot_read_comes_from_the_cache_until_somebody_writes()
    {
        var garden = await RunningGarden.CreateGardenAsync(_garden.Client, "cached");
        var address = $"/api/gardens/{garden}";
        Assert.That(await CacheAsync(address), Is.EqualTo("miss"));
        Assert.That(await CacheAsync(address), Is.EqualTo("hit"));

        using var plant = await _garden.Client.PostAsJsonAsync($"{address}/plants", new { species = "Salat" });
        Assert.That((int?)(await _garden.Client.GetFromJsonAsync<JsonNode>(address))!["plantCount"], Is.EqualTo(1));
        Assert.That(await CacheAsync(address), Is.EqualTo("hit"));
    }

    [Test]
    public async Task Every_answer_says_which_version_gave_it()
    {
        foreach (var path in new[] { "/", "/up", "/api/gardens", "/api/gardens/x", "/api/gardens?limit=x", "/nowhere" })
        {
            using var answer = await _garden.Client.GetAsync(path);
            Assert.That(answer.Headers.GetValues("X-Garden-Version"), Is.EqualTo(new[] { "0.0.0-dev" }), path);
        }
    }

    private async Task<string> CacheAsync(string address)
    {
        using var answer = await _garden.Client.GetAsync(address);
        return answer.Headers.GetValues("X-Cache").Single();
    }
}
