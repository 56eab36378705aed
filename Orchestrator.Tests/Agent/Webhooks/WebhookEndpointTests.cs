using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Orchestrator.Agent.Webhooks;

namespace Orchestrator.Tests.Agent.Webhooks;

/// <summary>Deliveries to the running daemon, as senders make them.</summary>
public sealed class WebhookEndpointTests
{
    private const string Commit = "6dcb09b5b57875f334f61aebed695e2e4193db5e";
    private readonly HttpClient _http = new();
    private RunningDaemon _daemon = null!;
    private string _secret = "";

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        _daemon = await RunningDaemon.StartAsync();
        using var answer = await _daemon.Socket.PutAsJsonAsync("/api/v1/stacks/garden/webhook", new { branch = "main", images = new { app = "localhost:1/garden:{commit}" } });
        _secret = (await RunningDaemon.JsonAsync(answer))["secret"]!.GetValue<string>();
    }

    [OneTimeTearDown]
    public async Task StopAsync()
    {
        _http.Dispose();
        await _daemon.DisposeAsync();
    }

    [Test]
    public async Task A_push_to_the_branch_deploys_on_the_edge_and_on_the_admin_listener()
    {
        foreach (var address in new[] { _daemon.Edge, _daemon.Admin })
        {
            var (status, reply) = await DeliverAsync(address, Signed.GitHub("push", Push(), _secret, Guid.NewGuid().ToString()));

            Assert.That(status, Is.EqualTo(HttpStatusCode.Accepted), reply.ToJsonString());
            Assert.That(reply["outcome"]!.GetValue<string>(), Is.EqualTo("accepted"));
            var deployment = await _daemon.Socket.GetFromJsonAsync<JsonNode>($"/api/v1/deployments/{reply["deployment"]}");
            Assert.That(deployment!["origin"]!.GetValue<string>(), Is.EqualTo("webhook:github"));
            Assert.That(deployment["images"]!["app"]!.GetValue<string>(), Does.StartWith("localhost:1/garden:"));
        }
    }

    [Test]
    public async Task The_same_delivery_twice_is_one_deployment()
    {
        var delivery = Signed.Gitea("push", Push(), _secret, Guid.NewGuid().ToString());

        var (_, first) = await DeliverAsync(_daemon.Edge, delivery);
        var (status, second) = await DeliverAsync(_daemon.Edge, delivery);

        Assert.That(first["outcome"]!.GetValue<string>(), Is.EqualTo("accepted"));
        Assert.That((status, second["outcome"]!.GetValue<string>()), Is.EqualTo((HttpStatusCode.Accepted, "duplicate")));
    }

    [Test]
    public async Task A_delivery_that_was_overheard_is_nothing_new_under_another_id()
    {
        var delivery = Signed.GitHub("push", Push(), _secret, Guid.NewGuid().ToString());
        await DeliverAsync(_daemon.Edge, delivery);

        var (_, replayed) = await DeliverAsync(_daemon.Edge, delivery with { Headers = delivery.Headers.SetItem("X-GitHub-Delivery", "another") });

        Assert.That(replayed["outcome"]!.GetValue<string>(), Is.EqualTo("duplicate"));
    }

    [Test]
    public async Task Another_branch_is_answered_with_why_nothing_is_done()
    {
        var (status, reply) = await DeliverAsync(_daemon.Edge, Signed.GitHub("push", Push("other"), _secret, Guid.NewGuid().ToString()));

        Assert.That((status, reply["outcome"]!.GetValue<string>()), Is.EqualTo((HttpStatusCode.Accepted, "ignored")));
        Assert.That(reply["reason"]!.GetValue<string>(), Is.EqualTo("branch other is not main"));
    }

    [Test]
    public async Task A_stranger_learns_nothing_about_which_stacks_there_are()
    {
        var body = Push();
        WebhookDelivery[] refused =
        [
            Signed.GitHub("push", body, "wrong"),
            Signed.Make(body, ("Content-Type", "application/json")),
            Signed.Generic(body, Signed.Now, _secret),
        ];

        foreach (var delivery in refused)
        {
            var (known, answer) = await DeliverAsync(_daemon.Edge, delivery);
            var (unknown, same) = await DeliverAsync(_daemon.Edge, delivery, "nowhere");

            Assert.That(known, Is.EqualTo(HttpStatusCode.Unauthorized));
            Assert.That(unknown, Is.EqualTo(known));
            Assert.That(same.ToJsonString(), Is.EqualTo(answer.ToJsonString()));
        }
    }

    [Test]
    public async Task The_generic_form_deploys_what_it_names_while_its_time_is_right()
    {
        var delivery = Signed.Generic("""{"images":{"app":"localhost:1/garden:7"},"version":"7"}""", TimeProvider.System.GetUtcNow(), _secret, Guid.NewGuid().ToString());

        var (status, reply) = await DeliverAsync(_daemon.Edge, delivery);
        var deployment = await _daemon.Socket.GetFromJsonAsync<JsonNode>($"/api/v1/deployments/{reply["deployment"]}");

        Assert.That(status, Is.EqualTo(HttpStatusCode.Accepted));
        Assert.That(deployment!["version"]!.GetValue<string>(), Is.EqualTo("7"));
    }

    [Test]
    public async Task A_body_that_is_too_large_is_not_read()
    {
        var (status, _) = await DeliverAsync(_daemon.Edge, Signed.GitHub("push", new string(' ', (1 << 20) + 1), _secret));

        Assert.That(status, Is.EqualTo(HttpStatusCode.RequestEntityTooLarge));
    }

    [Test]
    public async Task Good_signature_but_no_json_is_said_to_the_sender()
    {
        var (status, reply) = await DeliverAsync(_daemon.Edge, Signed.GitHub("push", "{", _secret));

        Assert.That(status, Is.EqualTo(HttpStatusCode.BadRequest));
        Assert.That(reply["reason"]!.GetValue<string>(), Does.Contain("not JSON"));
    }

    [Test]
    public async Task While_a_secret_is_changed_both_are_good_until_the_old_one_is_retired()
    {
        using var first = await _daemon.Socket.PutAsJsonAsync("/api/v1/stacks/rotating/webhook", new { });
        var old = (await RunningDaemon.JsonAsync(first))["secret"]!.GetValue<string>();
        using var second = await _daemon.Socket.PutAsJsonAsync("/api/v1/stacks/rotating/webhook", new { rotate = true });
        var present = (await RunningDaemon.JsonAsync(second))["secret"]!.GetValue<string>();

        Assert.That(await PingAsync(old), Is.EqualTo(HttpStatusCode.Accepted));
        Assert.That(await PingAsync(present), Is.EqualTo(HttpStatusCode.Accepted));

        using var retired = await _daemon.Socket.PutAsJsonAsync("/api/v1/stacks/rotating/webhook", new { retire = true });
        Assert.That((await RunningDaemon.JsonAsync(retired))["secret"], Is.Null, "a secret is shown once");
        Assert.That(await PingAsync(old), Is.EqualTo(HttpStatusCode.Unauthorized));
        Assert.That(await PingAsync(present), Is.EqualTo(HttpStatusCode.Accepted));

        async Task<HttpStatusCode> PingAsync(string secret) => (await DeliverAsync(_daemon.Edge, Signed.GitHub("ping", "{}", secret), "rotating")).Status;
    }

    private static string Push(string branch = "main") =>
        $$"""{"ref":"refs/heads/{{branch}}","after":"{{Commit}}","pushed_at":"{{Guid.NewGuid()}}"}""";

    private async Task<(HttpStatusCode Status, JsonNode Reply)> DeliverAsync(Uri address, WebhookDelivery delivery, string stack = "garden")
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(address, $"/hooks/{stack}")) { Content = new ReadOnlyMemoryContent(delivery.Body) };
        foreach (var (name, value) in delivery.Headers)
        {
            if (!request.Headers.TryAddWithoutValidation(name, value)) request.Content.Headers.TryAddWithoutValidation(name, value);
        }

        using var answer = await _http.SendAsync(request);
        return (answer.StatusCode, await RunningDaemon.JsonAsync(answer));
    }
}
