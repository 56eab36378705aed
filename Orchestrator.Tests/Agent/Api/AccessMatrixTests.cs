using System.Net;
using System.Text;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Orchestrator.Tests.Agent.Api;

/// <summary>Every endpoint × every kind of caller. An endpoint that is not in the table fails the first test.</summary>
public sealed class AccessMatrixTests
{
    private const string Stack = "garden";

    private static readonly (string Endpoint, Need Need)[] Table =
    [
        ("GET /healthz", Need.Nothing),
        ("GET /readyz", Need.Nothing),
        ("GET /login", Need.Nothing),
        ("GET /", Need.Read),
        ("GET /live", Need.Read),
        ("GET /assets/{bundle}/{name}", Need.Nothing),
        ("POST /login", Need.Nothing),
        ("POST /logout", Need.Nothing),
        ("POST /hooks/{stack}", Need.Nothing),
        ("GET /metrics", Need.ReadEverywhere),
        ("GET /openapi/{documentName}.json", Need.ReadEverywhere),
        ("GET /api/v1/stacks/", Need.Read),
        ("POST /api/v1/stacks/", Need.Admin),
        ("GET /api/v1/stacks/{stack}", Need.Read),
        ("POST /api/v1/stacks/{stack}/plan", Need.Read),
        ("POST /api/v1/stacks/{stack}/deployments", Need.Deploy),
        ("POST /api/v1/stacks/{stack}/rollback", Need.Deploy),
        ("DELETE /api/v1/stacks/{stack}", Need.Admin),
        ("GET /api/v1/stacks/{stack}/releases", Need.Read),
        ("GET /api/v1/stacks/{stack}/logs", Need.Read),
        ("PUT /api/v1/stacks/{stack}/maintenance", Need.Deploy),
        ("POST /api/v1/stacks/{stack}/heal", Need.Deploy),
        ("POST /api/v1/stacks/{stack}/services/{service}/pause", Need.Deploy),
        ("POST /api/v1/stacks/{stack}/services/{service}/resume", Need.Deploy),
        ("GET /api/v1/stacks/{stack}/webhook/", Need.Admin),
        ("PUT /api/v1/stacks/{stack}/webhook/", Need.Admin),
        ("GET /api/v1/stacks/{stack}/secrets/", Need.Admin),
        ("PUT /api/v1/stacks/{stack}/secrets/{name}", Need.Admin),
        ("DELETE /api/v1/stacks/{stack}/secrets/{name}", Need.Admin),
        ("GET /api/v1/deployments/", Need.Read),
        ("GET /api/v1/deployments/{id:long}", Need.Read),
        ("GET /api/v1/deployments/{id:long}/events", Need.Read),
        ("POST /api/v1/deployments/{id:long}/cancel", Need.Deploy),
        ("GET /api/v1/stacks/{stack}/backups/", Need.Read),
        ("POST /api/v1/stacks/{stack}/backups/", Need.Deploy),
        ("GET /api/v1/stacks/{stack}/backups/retention", Need.Read),
        ("POST /api/v1/stacks/{stack}/backups/prune", Need.Admin),
        ("GET /api/v1/stacks/{stack}/drills", Need.Read),
        ("GET /api/v1/stacks/{stack}/restores", Need.Read),
        ("POST /api/v1/stacks/{stack}/restores", Need.Admin),
        ("POST /api/v1/stacks/{stack}/restores/preview", Need.Deploy),
        ("POST /api/v1/stacks/{stack}/exports", Need.Admin),
        ("POST /api/v1/recover", Need.AdminEverywhere),
        ("POST /api/v1/restores/{id:long}/undo", Need.Admin),
        ("GET /api/v1/backups/{id}/", Need.Read),
        ("GET /api/v1/backup-keys/", Need.ReadEverywhere),
        ("POST /api/v1/backup-keys/", Need.AdminEverywhere),
        ("POST /api/v1/backup-keys/host", Need.AdminEverywhere),
        ("DELETE /api/v1/backup-keys/{key}", Need.AdminEverywhere),
        ("POST /api/v1/backups/{id}/drill", Need.Deploy),
        ("POST /api/v1/backups/{id}/verify", Need.Deploy),
        ("POST /api/v1/backups/{id}/restore", Need.Admin),
        ("GET /api/v1/operations/", Need.Read),
        ("GET /api/v1/operations/{id:long}", Need.Read),
        ("GET /api/v1/operations/{id:long}/events", Need.Read),
        ("GET /api/v1/tokens/", Need.AdminEverywhere),
        ("POST /api/v1/tokens/", Need.AdminEverywhere),
        ("DELETE /api/v1/tokens/{name}", Need.AdminEverywhere),
        ("GET /api/v1/audit", Need.AdminEverywhere),
        ("GET /api/v1/version", Need.Read),
        ("GET /api/v1/doctor", Need.ReadEverywhere),
        ("POST /api/v1/doctor/repair", Need.AdminEverywhere),
        ("GET /api/v1/log-levels", Need.AdminEverywhere),
        ("PUT /api/v1/log-levels", Need.AdminEverywhere),
    ];

    private RunningDaemon _daemon = null!;

    private enum Need
    {
        Nothing,
        Read,
        ReadEverywhere,
        Deploy,
        Admin,
        AdminEverywhere,
    }

    private static IEnumerable<string> Endpoints => Table.Select(row => row.Endpoint);

    [OneTimeSetUp]
    public async Task StartAsync() => _daemon = await RunningDaemon.StartAsync();

    [OneTimeTearDown]
    public async Task StopAsync() => await _daemon.DisposeAsync();

    [Test]
    public void The_table_names_every_endpoint_there_is()
    {
        var present = _daemon.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
            .SelectMany(endpoint => endpoint.Metadata.GetMetadata<HttpMethodMetadata>()?.HttpMethods.Select(method => $"{method} {endpoint.RoutePattern.RawText}")
                ?? [$"GET {endpoint.RoutePattern.RawText}"]);

        Assert.That(present, Is.EquivalentTo(Endpoints));
    }

    [TestCaseSource(nameof(Endpoints))]
    public async Task Who_may_call(string endpoint)
    {
        var need = Table.First(row => row.Endpoint == endpoint).Need;
        using var nobody = _daemon.Anonymous();
        using var read = await _daemon.WithTokenAsync("read");
        using var deploy = await _daemon.WithTokenAsync("deploy");
        using var admin = await _daemon.WithTokenAsync("admin");
        using var own = await _daemon.WithTokenAsync("admin", Stack);
        using var other = await _daemon.WithTokenAsync("admin", "other");
        var ofOneStack = endpoint.Contains("{stack}", StringComparison.Ordinal);

        await AssertAsync(nobody, need == Need.Nothing ? null : HttpStatusCode.Unauthorized, "nobody");
        await AssertAsync(read, need is Need.Nothing or Need.Read or Need.ReadEverywhere ? null : HttpStatusCode.Forbidden, "read");
        await AssertAsync(deploy, need is Need.Admin or Need.AdminEverywhere ? HttpStatusCode.Forbidden : null, "deploy");
        await AssertAsync(admin, null, "admin");
        await AssertAsync(_daemon.Socket, null, "the socket");
        await AssertAsync(own, need is Need.ReadEverywhere or Need.AdminEverywhere ? HttpStatusCode.Forbidden : null, "admin of the stack");
        await AssertAsync(other, need is Need.ReadEverywhere or Need.AdminEverywhere || (ofOneStack && need != Need.Nothing) ? HttpStatusCode.Forbidden : null, "admin of another stack");

        async Task AssertAsync(HttpClient client, HttpStatusCode? refusal, string who)
        {
            using var answer = await client.SendAsync(Request(endpoint), HttpCompletionOption.ResponseHeadersRead);
            if (refusal is { } status) Assert.That(answer.StatusCode, Is.EqualTo(status), who);
            else if (need != Need.Nothing) Assert.That(answer.StatusCode, Is.Not.AnyOf(HttpStatusCode.Unauthorized, HttpStatusCode.Forbidden, HttpStatusCode.InternalServerError), who);
        }
    }

    [Test]
    public async Task A_wrong_token_is_refused_even_where_none_is_needed_for_the_socket()
    {
        using var client = _daemon.Anonymous();
        client.DefaultRequestHeaders.Authorization = new("Bearer", "bm_wrong");

        using var answer = await client.GetAsync("/api/v1/stacks");
        var problem = await RunningDaemon.JsonAsync(answer);

        Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.Unauthorized));
        Assert.That(answer.Headers.WwwAuthenticate.ToString(), Is.EqualTo("Bearer"));
        Assert.That(answer.Content.Headers.ContentType!.MediaType, Is.EqualTo("application/problem+json"));
        Assert.That(problem["reason"]!.GetValue<string>(), Is.EqualTo("unauthorized"));
        Assert.That(problem["hint"]!.GetValue<string>(), Does.Contain("basmalin token create"));
    }

    [Test]
    public async Task A_revoked_token_is_worthless_at_once()
    {
        using var made = await _daemon.Socket.PostAsync("/api/v1/tokens", Json("""{"name": "short-lived", "scope": "read"}"""));
        using var client = _daemon.Anonymous();
        client.DefaultRequestHeaders.Authorization = new("Bearer", (await RunningDaemon.JsonAsync(made))["token"]!.GetValue<string>());

        using var before = await client.GetAsync("/api/v1/stacks");
        using var revoked = await _daemon.Socket.DeleteAsync("/api/v1/tokens/short-lived");
        using var after = await client.GetAsync("/api/v1/stacks");

        Assert.That(before.StatusCode, Is.EqualTo(HttpStatusCode.OK));
        Assert.That(revoked.StatusCode, Is.EqualTo(HttpStatusCode.NoContent));
        Assert.That(after.StatusCode, Is.EqualTo(HttpStatusCode.Unauthorized));
    }

    [Test]
    public async Task What_a_token_was_denied_stands_in_the_audit_log()
    {
        using var read = await _daemon.WithTokenAsync("read");
        using var refused = await read.PostAsync($"/api/v1/stacks/{Stack}/rollback", Json("{}"));

        var audit = await _daemon.Socket.GetStringAsync($"/api/v1/audit?stack={Stack}");

        Assert.That(refused.StatusCode, Is.EqualTo(HttpStatusCode.Forbidden));
        Assert.That(audit, Does.Contain("\"who\":\"read-all\"").And.Contain("denied: scope").And.Contain("/api/v1/stacks/garden/rollback"));
    }

    private static HttpRequestMessage Request(string endpoint)
    {
        var (method, pattern) = (endpoint.Split(' ')[0], endpoint.Split(' ')[1]);
        var path = pattern.Replace("{stack}", Stack, StringComparison.Ordinal)
            .Replace("{id:long}", "999999", StringComparison.Ordinal)
            .Replace("{name}", "nobody", StringComparison.Ordinal)
            .Replace("{documentName}", "v1", StringComparison.Ordinal)
            .Replace("{bundle}", "x", StringComparison.Ordinal);
        return new HttpRequestMessage(new HttpMethod(method), path) { Content = method is "GET" or "DELETE" ? null : Json("{}") };
    }

    private static StringContent Json(string body) => new(body, Encoding.UTF8, "application/json");
}
