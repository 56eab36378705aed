using System.Collections.Immutable;
using System.Net;
using System.Text.Json;
using Orchestrator.Traffic;
using Orchestrator.Traffic.Requests;

namespace Orchestrator.Tests.Traffic.Requests;

[TestFixture]
public sealed class OwnAnswerTests
{
    private Backend _blue = null!;
    private EdgeBed _bed = null!;

    [SetUp]
    public async Task SetUp()
    {
        _blue = await Backend.StartAsync("blue");
        _bed = await EdgeBed.StartAsync(new EdgeOptions { HoldFor = TimeSpan.Zero });
    }

    [TearDown]
    public async Task TearDown()
    {
        await _bed.DisposeAsync();
        await _blue.DisposeAsync();
    }

    [TestCase("text/html,application/xhtml+xml;q=0.9", "text/html", "<h1>Bad gateway</h1>")]
    [TestCase("application/json", "application/problem+json", "\"status\":502")]
    [TestCase("application/problem+json", "application/problem+json", "\"title\":\"Bad gateway\"")]
    [TestCase("*/*", "text/plain", "The application did not give a complete answer.\n")]
    public async Task Each_asker_gets_the_answer_in_its_own_form(string accept, string type, string text)
    {
        _bed.Publish(_bed.Upstream("blue", _blue));
        using var answer = await GetAsync("/cut", accept);
        var body = await answer.Content.ReadAsStringAsync();

        Assert.That((int)answer.StatusCode, Is.EqualTo(502));
        Assert.That(answer.Content.Headers.ContentType?.MediaType, Is.EqualTo(type));
        Assert.That(body, Does.Contain(text));
        if (type == "application/problem+json")
            Assert.That(JsonDocument.Parse(body).RootElement.GetProperty("requestId").GetString(), Has.Length.EqualTo(32));
    }

    [Test]
    public async Task What_the_client_wrote_is_not_markup_in_the_answer()
    {
        var answer = await _bed.RawAsync("GET / HTTP/1.1\r\nHost: x\r\nAccept: text/html\r\nConnection: close\r\n\r\n");
        Assert.That(answer, Does.StartWith("HTTP/1.1 404").And.Contain("&#39;x&#39;"));
    }

    [Test]
    public async Task Nothing_to_send_to_is_503_with_a_time_to_come_back()
    {
        _bed.Publish(_bed.Upstream("blue"));
        using var answer = await GetAsync("/", "*/*");

        Assert.That((answer.StatusCode, answer.Headers.RetryAfter?.Delta), Is.EqualTo((HttpStatusCode.ServiceUnavailable, TimeSpan.FromSeconds(5))));
    }

    [Test]
    public async Task A_HEAD_gets_the_status_and_the_length_and_nothing_else()
    {
        using var request = new HttpRequestMessage(HttpMethod.Head, "/");
        using var answer = await _bed.Client.SendAsync(request);

        Assert.That((answer.StatusCode, answer.Content.Headers.ContentLength > 0), Is.EqualTo((HttpStatusCode.NotFound, true)));
        Assert.That(await answer.Content.ReadAsByteArrayAsync(), Is.Empty);
    }

    [Test]
    public async Task Bad_chunks_are_400_and_reach_nobody()
    {
        var blue = _bed.Upstream("blue", _blue);
        _bed.Publish(blue);
        var answer = await _bed.RawAsync("POST /api/echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n5\r\nhello\r\nzz\r\n");

        Assert.That(answer, Does.StartWith("HTTP/1.1 400").And.Contain("The request cannot be understood."));
        Assert.That(blue.Traffic.Snapshot().Failed, Is.Zero);
        Assert.That(await _bed.MetricsTextAsync(), Does.Contain("code=\"4xx\"} 1"));
    }

    [TestCase("text/html")]
    [TestCase("*/*")]
    public async Task A_page_of_the_stack_takes_the_place_of_ours(string accept)
    {
        _bed.Publish(_bed.Upstream("blue", _blue), new RoutePolicy { Pages = Pages(("502", "<h1>Ours</h1>")) });
        using var answer = await GetAsync("/cut", accept);

        Assert.That(answer.Content.Headers.ContentType?.ToString(), Is.EqualTo("text/html; charset=utf-8"));
        Assert.That(await answer.Content.ReadAsStringAsync(), Is.EqualTo("<h1>Ours</h1>"));
    }

    [Test]
    public async Task Programs_get_a_problem_and_no_page()
    {
        _bed.Publish(_bed.Upstream("blue", _blue), new RoutePolicy { Pages = Pages(("502", "<h1>Ours</h1>")) });
        using var answer = await GetAsync("/cut", "application/json");

        Assert.That(answer.Content.Headers.ContentType?.MediaType, Is.EqualTo("application/problem+json"));
    }

    [Test]
    public async Task Maintenance_has_a_page_of_its_own_and_lets_the_health_check_through()
    {
        Maintain(AddressSet.Empty, new RoutePolicy { Pages = Pages(("maintenance", "<h1>Planting</h1>"), ("503", "<h1>Down</h1>")) });
        using var page = await GetAsync("/", "text/html");
        using var health = await GetAsync("/status/200?x=1", "*/*");

        Assert.That((page.StatusCode, page.Headers.RetryAfter?.Delta), Is.EqualTo((HttpStatusCode.ServiceUnavailable, TimeSpan.FromSeconds(5))));
        Assert.That(await page.Content.ReadAsStringAsync(), Is.EqualTo("<h1>Planting</h1>"));
        Assert.That((health.StatusCode, _blue.Requests), Is.EqualTo((HttpStatusCode.OK, 1)));
    }

    [TestCase("127.0.0.0/8", 200)]
    [TestCase("10.0.0.0/8", 503)]
    public async Task In_maintenance_those_who_are_let_in_get_through(string network, int status)
    {
        Maintain(new AddressSet([IPNetwork.Parse(network)]), null);
        using var answer = await GetAsync("/", "*/*");

        Assert.That((int)answer.StatusCode, Is.EqualTo(status));
    }

    [Test]
    public async Task Headers_of_the_route_are_on_every_answer()
    {
        var rules = new HeaderRules { Secure = true, Set = Pages(("X-Place", "garden")), Remove = ["X-Garden-Version"] };
        _bed.Publish(_bed.Upstream("blue", _blue), new RoutePolicy { Headers = rules });
        foreach (var path in new[] { "/", "/cut" })
        {
            using var answer = await GetAsync(path, "*/*");
            Assert.That(answer.Headers.GetValues("X-Frame-Options"), Is.EqualTo(new[] { "SAMEORIGIN" }), path);
            Assert.That(answer.Headers.GetValues("X-Place"), Is.EqualTo(new[] { "garden" }), path);
            Assert.That(answer.Headers.Contains("X-Garden-Version"), Is.False, path);
            Assert.That(answer.Headers.Contains("Strict-Transport-Security"), Is.False, "nothing here is https");
        }
    }

    [Test]
    public async Task Browsers_are_held_to_https_where_it_is_spoken()
    {
        await using var bed = await EdgeBed.StartAsync(new EdgeOptions { TrustedProxies = new AddressSet([IPNetwork.Parse("127.0.0.0/8")]) });
        bed.Publish(bed.Upstream("blue", _blue), new RoutePolicy { Headers = new HeaderRules { Secure = true } });
        using var request = new HttpRequestMessage(HttpMethod.Get, "/");
        request.Headers.Add("X-Forwarded-Proto", "https");
        using var answer = await bed.Client.SendAsync(request);

        Assert.That(answer.Headers.GetValues("Strict-Transport-Security"), Is.EqualTo(new[] { "max-age=31536000" }));
    }

    private static ImmutableSortedDictionary<string, string> Pages(params (string Name, string Text)[] pages) =>
        pages.ToImmutableSortedDictionary(page => page.Name, page => page.Text);

    private void Maintain(AddressSet allow, RoutePolicy? policy) => _bed.Router.Publish(
        new StackRoutes("garden", [EdgeBed.RouteTo(_bed.Upstream("blue", _blue)) with { Policy = policy, HealthPath = "/status/200" }], [], true) { MaintenanceAllow = allow });

    private async Task<HttpResponseMessage> GetAsync(string path, string accept)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.TryAddWithoutValidation("Accept", accept);
        return await _bed.Client.SendAsync(request);
    }
}
