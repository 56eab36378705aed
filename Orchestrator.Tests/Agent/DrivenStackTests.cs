using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using Orchestrator.Tests.Engine;

namespace Orchestrator.Tests.Agent;

/// <summary>A real stack, driven from outside: command line, API, files at start.</summary>
public sealed class DrivenStackTests
{
    private string _name = "";
    private string _directory = "";

    private string File => Path.Combine(_directory, $"{_name}.yml");

    [SetUp]
    public void Prepare()
    {
        _name = TestDaemon.NewName();
        _directory = Directory.CreateTempSubdirectory("basmalin-driven-").FullName;
        System.IO.File.WriteAllText(File, Compose("1"));
    }

    [TearDown]
    public async Task CleanUpAsync()
    {
        await TestDaemon.RemoveStackAsync(_name);

        Directory.Delete(_directory, recursive: true);
    }

    [Test]
    public async Task A_stack_is_planned_applied_looked_at_and_applied_again_from_the_command_line()
    {
        await using var daemon = await RunningDaemon.StartAsync();

        var plan = await daemon.RunAsync("plan", File);
        Assert.That(plan.ExitCode, Is.Zero, plan.Error);
        Assert.That(plan.Out, Does.Contain("+ cache: create"));
        Assert.That((await daemon.RunAsync("status", "--json")).Json.AsArray(), Is.Empty, "a plan does nothing");

        var applied = await daemon.RunAsync("apply", File, "--version", "one", "--commit", "abc1234");
        Assert.That(applied.ExitCode, Is.Zero, applied.Error);
        Assert.That(applied.Out, Does.Match(@"(?m)^  pull +succeeded").And.Match(@"(?m)^  commit +succeeded").And.Contain($"{_name}: release 1 is live"));

        var status = await daemon.RunAsync("status", _name, "--json");
        Assert.That(status.Json["version"]!.GetValue<string>(), Is.EqualTo("one"));
        Assert.That(status.Json["services"]![0]!["replicasRunning"]!.GetValue<int>(), Is.EqualTo(1));
        Assert.That((await daemon.RunAsync("status", _name)).Out, Does.Contain("cache"));
        Assert.That((await daemon.RunAsync("logs", _name)).Out, Does.Contain("Ready to accept connections"));
        Assert.That((await daemon.RunAsync("logs", _name, "cache", "--grep", "READY to ACCEPT", "--json")).Json.AsArray(), Has.Count.EqualTo(1));

        var again = await daemon.RunAsync("apply", File, "--json");
        Assert.That(again.ExitCode, Is.Zero, again.Error);
        Assert.That(again.Json["nothingToDo"]!.GetValue<bool>(), Is.True);

        var history = await daemon.RunAsync("history", _name, "--json");
        Assert.That(history.Json["deployments"]!.AsArray().Select(deployment => deployment!["state"]!.GetValue<string>()), Is.EqualTo(new[] { "succeeded", "succeeded" }));
        Assert.That(history.Json["releases"]!.AsArray(), Has.Count.EqualTo(1));
        Assert.That((await daemon.RunAsync("history", _name)).Out, Does.Contain("nothing to do"));
    }

    [Test]
    public async Task What_fails_says_where_and_why_and_the_exit_code_is_1()
    {
        await using var daemon = await RunningDaemon.StartAsync();
        await daemon.RunAsync("apply", File);

        var failed = await daemon.RunAsync("deploy", _name, "--image", "cache=localhost:5000/basmalin/redis:nowhere");
        var unknown = await daemon.RunAsync("deploy", _name, "--image", "app=x:1", "--json");
        var nothing = await daemon.RunAsync("rollback", _name, "--json");

        Assert.That(failed.ExitCode, Is.EqualTo(1));
        Assert.That(failed.Error, Does.Match("deployment 2 of .* failed at the step pull").And.Contain("imageNotFound").And.Contain("hint:"));
        Assert.That((unknown.ExitCode, unknown.Json["state"]!.GetValue<string>()), Is.EqualTo((1, "failed")));
        Assert.That(unknown.Json["failure"]!["reason"]!.GetValue<string>(), Is.EqualTo("invalidRequest"));
        Assert.That(nothing.ExitCode, Is.EqualTo(1));
        Assert.That(nothing.Json["failure"]!["reason"]!.GetValue<string>(), Is.EqualTo("nothingToRollBackTo"));
    }

    [Test]
    public async Task The_api_takes_a_file_as_it_is_and_the_same_key_twice_is_one_deployment()
    {
        await using var daemon = await RunningDaemon.StartAsync();
        using var ci = await daemon.WithTokenAsync("admin", _name);

        using var first = await ci.SendAsync(Apply());
        using var second = await ci.SendAsync(Apply());
        var deployment = await RunningDaemon.JsonAsync(first);
        var events = await EventsAsync(ci, deployment["id"]!.GetValue<long>());

        Assert.That(first.StatusCode, Is.EqualTo(HttpStatusCode.Accepted));
        Assert.That(first.Headers.Location!.ToString(), Does.EndWith($"/api/v1/deployments/{deployment["id"]}"));
        Assert.That(second.StatusCode, Is.EqualTo(HttpStatusCode.OK));
        Assert.That((await RunningDaemon.JsonAsync(second))["id"]!.GetValue<long>(), Is.EqualTo(deployment["id"]!.GetValue<long>()));
        Assert.That(events[^1]["deployment"]!["state"]!.GetValue<string>(), Is.EqualTo("succeeded"), events[^1].ToJsonString());
        Assert.That(events[^1]["deployment"]!["steps"]!.AsArray().Select(step => step!["name"]!.GetValue<string>()), Is.SupersetOf(new[] { "plan", "pull", "foundation", "commit" }));
        Assert.That(events[^1]["deployment"]!["requests"]!["failed"]!.GetValue<long>(), Is.Zero);

        using var other = await daemon.WithTokenAsync("read", "other");
        using var hidden = await other.GetAsync($"/api/v1/deployments/{deployment["id"]}");
        Assert.That(hidden.StatusCode, Is.EqualTo(HttpStatusCode.NotFound), "a token of another stack does not even see that it is there");
        Assert.That(await other.GetFromJsonAsync<JsonArray>("/api/v1/stacks"), Is.Empty);
        Assert.That(await other.GetFromJsonAsync<JsonArray>("/api/v1/deployments"), Is.Empty);

        HttpRequestMessage Apply()
        {
            var request = new HttpRequestMessage(HttpMethod.Post, $"/api/v1/stacks?directory={_directory}") { Content = new StringContent(Compose("1"), Encoding.UTF8, "application/yaml") };
            request.Headers.Add("Idempotency-Key", "build-42");
            return request;
        }
    }

    [Test]
    public async Task Files_of_the_stacks_directory_are_applied_at_start_but_a_restart_does_not_undo_what_came_after()
    {
        await System.IO.File.WriteAllTextAsync(Path.Combine(_directory, "broken.yml"), "services: { app: { imgae: x } }");
        await using var daemon = await RunningDaemon.StartAsync(options => options with { Stacks = _directory });
        var first = (await DeploymentsAsync()).Single()!;
        var ended = (await EventsAsync(daemon.Socket, first["id"]!.GetValue<long>()))[^1]["deployment"]!;
        Assert.That((ended["origin"]!.GetValue<string>(), ended["state"]!.GetValue<string>()), Is.EqualTo(("start", "succeeded")), ended.ToJsonString());

        await daemon.RestartAsync();
        Assert.That(await DeploymentsAsync(), Has.Count.EqualTo(1), "the file has not changed");

        await System.IO.File.WriteAllTextAsync(File, Compose("2"));
        await daemon.RestartAsync();
        Assert.That(await DeploymentsAsync(), Has.Count.EqualTo(2), "now it has");

        async Task<JsonArray> DeploymentsAsync() => (await daemon.Socket.GetFromJsonAsync<JsonArray>($"/api/v1/deployments?stack={_name}"))!;
    }

    private static async Task<List<JsonNode>> EventsAsync(HttpClient client, long deployment)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(3));
        await using var stream = await client.GetStreamAsync($"/api/v1/deployments/{deployment}/events", limit.Token);
        using var reader = new StreamReader(stream);
        var events = new List<JsonNode>();
        while (await reader.ReadLineAsync(limit.Token) is { } line)
        {
            if (line.StartsWith("data: ", StringComparison.Ordinal)) events.Add(JsonNode.Parse(line["data: ".Length..])!);
        }

        return events;
    }

    private string Compose(string label) => $"name: {_name}\nservices:\n  cache:\n    image: {Garden.Registry}/redis:7\n    stop_grace_period: 1s\n    labels: {{ try: \"{label}\" }}\n";
}
