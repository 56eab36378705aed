using System.Net;
using System.Text;
using System.Text.Json.Nodes;

namespace Orchestrator.Tests.Agent.Api;

public sealed class ProblemTests
{
    private RunningDaemon _daemon = null!;

    [OneTimeSetUp]
    public async Task StartAsync() => _daemon = await RunningDaemon.StartAsync();

    [OneTimeTearDown]
    public async Task StopAsync() => await _daemon.DisposeAsync();

    [TestCase("GET", "/api/v1/nowhere", null, 404, "noSuchPath")]
    [TestCase("GET", "/api/v1/stacks/nowhere", null, 404, "noSuchStack")]
    [TestCase("GET", "/api/v1/stacks/nowhere/releases", null, 404, "noSuchStack")]
    [TestCase("GET", "/api/v1/stacks/nowhere/logs", null, 404, "noSuchStack")]
    [TestCase("GET", "/api/v1/deployments/12345", null, 404, "noSuchDeployment")]
    [TestCase("GET", "/api/v1/deployments/12345/events", null, 404, "noSuchDeployment")]
    [TestCase("POST", "/api/v1/deployments/12345/cancel", "{}", 404, "noSuchDeployment")]
    [TestCase("POST", "/api/v1/stacks/nowhere/deployments", "{}", 404, "noSuchStack")]
    [TestCase("POST", "/api/v1/stacks/nowhere/rollback", "{}", 404, "noSuchStack")]
    [TestCase("POST", "/api/v1/stacks/nowhere/plan", "{}", 404, "noSuchStack")]
    [TestCase("PUT", "/api/v1/stacks/nowhere/maintenance", "{\"on\": true}", 404, "noSuchStack")]
    [TestCase("PUT", "/api/v1/stacks/nowhere/maintenance", "{\"on\": true, \"allow\": [\"10.0.0.0/33\"]}", 400, "invalidRequest")]
    [TestCase("POST", "/api/v1/stacks/nowhere/services/app/pause", "{}", 404, "noSuchStack")]
    [TestCase("POST", "/api/v1/stacks/nowhere/services/app/resume", null, 404, "noSuchStack")]
    [TestCase("POST", "/api/v1/stacks/nowhere/services/app/pause", "{\"for\": \"2h\"}", 400, "invalidRequest")]
    [TestCase("DELETE", "/api/v1/tokens/nobody", null, 404, "notFound")]
    [TestCase("DELETE", "/api/v1/stacks/nowhere/secrets/NONE", null, 404, "notFound")]
    [TestCase("DELETE", "/api/v1/stacks", null, 405, "wrongMethod")]
    [TestCase("POST", "/api/v1/stacks/nowhere/deployments", "{", 400, "invalidRequest")]
    [TestCase("POST", "/api/v1/stacks/nowhere/deployments", "{\"imagse\": {}}", 400, "invalidRequest")]
    [TestCase("POST", "/api/v1/stacks/nowhere/deployments", "{\"images\": {\"app\": \"two words\"}}", 400, "invalidRequest")]
    [TestCase("POST", "/api/v1/stacks/nowhere/deployments", "{\"force\": \"yes\"}", 400, "invalidRequest")]
    [TestCase("POST", "/api/v1/stacks/nowhere/rollback", "{\"to\": 0}", 400, "invalidRequest")]
    [TestCase("POST", "/api/v1/tokens", "{\"name\": \"x\", \"scope\": \"root\"}", 400, "invalidRequest")]
    [TestCase("POST", "/api/v1/tokens", "{\"name\": \"  \"}", 400, "invalidRequest")]
    [TestCase("POST", "/api/v1/tokens", "{\"scope\": \"read\"}", 400, "invalidRequest")]
    [TestCase("PUT", "/api/v1/stacks/garden/secrets/bad%20name", "{\"value\": \"x\"}", 400, "invalidRequest")]
    [TestCase("PUT", "/api/v1/stacks/garden/secrets/basmalin.webhook", "{\"value\": \"x\"}", 400, "invalidRequest")]
    [TestCase("PUT", "/api/v1/stacks/garden/secrets/EMPTY", "{\"value\": \"\"}", 400, "invalidRequest")]
    [TestCase("PUT", "/api/v1/stacks/Not_A_Name!/webhook", "{}", 400, "invalidRequest")]
    [TestCase("PUT", "/api/v1/stacks/garden/webhook", "{\"images\": {\"app\": \"reg/app:{sha}\"}}", 400, "invalidRequest")]
    [TestCase("PUT", "/api/v1/log-levels", "{\"level\": \"loud\"}", 400, "invalidRequest")]
    [TestCase("PUT", "/api/v1/log-levels", "{\"levels\": {\"Orchestrator\": \"loud\"}}", 400, "invalidRequest")]
    public async Task What_is_wrong_is_a_problem_with_a_reason(string method, string path, string? body, int status, string reason)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path) { Content = body is null ? null : new StringContent(body, Encoding.UTF8, "application/json") };
        using var answer = await _daemon.Socket.SendAsync(request);
        var problem = await RunningDaemon.JsonAsync(answer);

        Assert.That((int)answer.StatusCode, Is.EqualTo(status), problem.ToJsonString());
        Assert.That(answer.Content.Headers.ContentType!.MediaType, Is.EqualTo("application/problem+json"));
        Assert.That(problem["status"]!.GetValue<int>(), Is.EqualTo(status));
        Assert.That(problem["reason"]!.GetValue<string>(), Is.EqualTo(reason));
        Assert.That(problem["title"]!.GetValue<string>(), Is.Not.Empty);
    }

    [Test]
    public async Task Every_problem_of_a_file_comes_at_once_with_its_place()
    {
        var problem = await ApplyAsync("services:\n  app:\n    image: x\n    imgae: y\n    prots: [1]\n", "application/yaml", HttpStatusCode.UnprocessableEntity, "?file=my.yml&directory=/srv/garden");

        var errors = problem["errors"]!.AsArray();
        Assert.That(problem["reason"]!.GetValue<string>(), Is.EqualTo("invalidFile"));
        Assert.That(errors, Has.Count.EqualTo(2));
        Assert.That(errors.Select(error => error!["line"]!.GetValue<int>()), Is.EqualTo(new[] { 4, 5 }));
        Assert.That(errors.Select(error => error!["file"]!.GetValue<string>()), Is.All.EqualTo("my.yml"));
        Assert.That(errors[0]!["hint"]!.GetValue<string>(), Does.Contain("image"));
    }

    [TestCase("text/html", HttpStatusCode.UnsupportedMediaType)]
    [TestCase("application/json", HttpStatusCode.BadRequest)]
    public async Task A_file_in_another_form_is_refused(string type, HttpStatusCode status) => await ApplyAsync("services: {}", type, status);

    [Test]
    public async Task A_relative_directory_is_refused()
    {
        var problem = await ApplyAsync("services: {}", "application/yaml", HttpStatusCode.BadRequest, "?directory=here");

        Assert.That(problem["detail"]!.GetValue<string>(), Does.Contain("absolute"));
    }

    [Test]
    public async Task A_body_that_is_too_large_is_refused()
    {
        var problem = await ApplyAsync(new string('#', 5 << 20), "application/yaml", HttpStatusCode.RequestEntityTooLarge);

        Assert.That(problem["reason"]!.GetValue<string>(), Is.EqualTo("tooLarge"));
    }

    [Test]
    public async Task Two_tokens_of_one_name_are_a_conflict()
    {
        using var first = await _daemon.Socket.PostAsync("/api/v1/tokens", new StringContent("""{"name": "twin"}""", Encoding.UTF8, "application/json"));
        using var second = await _daemon.Socket.PostAsync("/api/v1/tokens", new StringContent("""{"name": "twin"}""", Encoding.UTF8, "application/json"));

        Assert.That(first.StatusCode, Is.EqualTo(HttpStatusCode.Created));
        Assert.That(second.StatusCode, Is.EqualTo(HttpStatusCode.Conflict));
        Assert.That((await RunningDaemon.JsonAsync(second))["reason"]!.GetValue<string>(), Is.EqualTo("tokenExists"));
    }

    [Test]
    public async Task Every_answer_carries_the_security_headers_also_a_problem()
    {
        using var client = _daemon.Anonymous();
        foreach (var path in new[] { "/healthz", "/login", "/api/v1/stacks", "/nowhere" })
        {
            using var answer = await client.GetAsync(path);

            Assert.That(answer.Headers.GetValues("Content-Security-Policy").Single(), Does.StartWith("default-src 'none'"), path);
            Assert.That(answer.Headers.GetValues("X-Content-Type-Options").Single(), Is.EqualTo("nosniff"), path);
            Assert.That(answer.Headers.Contains("Server"), Is.False, path);
        }
    }

    private async Task<JsonNode> ApplyAsync(string content, string type, HttpStatusCode status, string query = "")
    {
        using var answer = await _daemon.Socket.PostAsync($"/api/v1/stacks{query}", new StringContent(content, Encoding.UTF8, type));
        var problem = await RunningDaemon.JsonAsync(answer);
        Assert.That(answer.StatusCode, Is.EqualTo(status), problem.ToJsonString());
        return problem;
    }
}
