using System.Net;
using System.Net.Http.Json;
using StackExchange.Redis;

namespace Orchestrator.Tests.GardenApp;

public sealed class SessionTests
{
    private RunningGarden _garden = null!;

    [OneTimeSetUp]
    public async Task StartAsync() => _garden = await RunningGarden.StartAsync();

    [OneTimeTearDown]
    public async Task StopAsync() => await _garden.DisposeAsync();

    [Test]
    public async Task A_session_is_known_to_every_replica_until_it_is_ended()
    {
        await using var replica = await RunningGarden.StartAsync();
        using var client = await _garden.SignInAsync("ana");
        using var elsewhere = new HttpRequestMessage(HttpMethod.Get, new Uri(replica.Client.BaseAddress!, "/api/sessions/current"));
        elsewhere.Headers.Authorization = client.DefaultRequestHeaders.Authorization;
        using var seen = await client.SendAsync(elsewhere);
        Assert.That((string?)(await RunningGarden.JsonOf(seen))["user"], Is.EqualTo("ana"));

        using var ended = await client.DeleteAsync("/api/sessions/current");
        using var after = await client.GetAsync("/api/sessions/current");
        using var write = await client.PostAsJsonAsync("/api/gardens", new { name = "too late" });
        Assert.That((ended.StatusCode, after.StatusCode, write.StatusCode), Is.EqualTo((HttpStatusCode.NoContent, HttpStatusCode.Unauthorized, HttpStatusCode.Unauthorized)));
    }

    [Test]
    public async Task Who_still_sends_an_ended_session_can_open_a_new_one()
    {
        using var client = await _garden.SignInAsync("returning");
        using var ended = await client.DeleteAsync("/api/sessions/current");
        using var again = await client.PostAsJsonAsync("/api/sessions", new { user = "returning" });
        Assert.That(again.StatusCode, Is.EqualTo(HttpStatusCode.Created));
    }

    [Test]
    public async Task A_browser_gets_a_cookie_that_scripts_cannot_read()
    {
        using var answer = await _garden.Client.PostAsJsonAsync("/api/sessions", new { user = "cookie" });
        var cookie = answer.Headers.GetValues("Set-Cookie").Single();
        Assert.That(cookie, Does.Contain("httponly").And.Contain("samesite=lax"));

        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/sessions/current");
        request.Headers.Add("Cookie", cookie.Split(';')[0]);
        using var current = await _garden.Client.SendAsync(request);
        Assert.That((string?)(await RunningGarden.JsonOf(current))["user"], Is.EqualTo("cookie"));
    }

    [Test]
    public async Task Redis_never_holds_a_token()
    {
        using var client = await _garden.SignInAsync("secretive");
        var token = client.DefaultRequestHeaders.Authorization!.Parameter!;
        await using var redis = await ConnectionMultiplexer.ConnectAsync(Backing.RedisAddress);
        var keys = redis.GetServer(Backing.RedisAddress).Keys(pattern: "*").Select(key => key.ToString()).ToArray();
        Assert.That(keys, Has.None.Contains(token));
        Assert.That(keys, Has.Some.StartsWith("garden:session:"));
    }

    [Test]
    public async Task Active_sessions_are_counted()
    {
        using var one = await _garden.SignInAsync("counted");
        var metrics = await _garden.Client.GetStringAsync("/api/metrics");
        var before = Count(metrics);
        using var ended = await one.DeleteAsync("/api/sessions/current");
        Assert.That(Count(await _garden.Client.GetStringAsync("/api/metrics")), Is.LessThanOrEqualTo(before).And.GreaterThanOrEqualTo(0));
        Assert.That(before, Is.GreaterThanOrEqualTo(1));
    }

    [TestCase("")]
    [TestCase("guest")]
    [TestCase("Ana")]
    [TestCase("a b")]
    public async Task A_name_that_is_no_name_is_refused(string user)
    {
        using var answer = await _garden.Client.PostAsJsonAsync("/api/sessions", new { user });
        Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.BadRequest));
    }

    private static int Count(string metrics) =>
        int.Parse(metrics.Split('\n').Single(line => line.StartsWith("user_sessions_active ", StringComparison.Ordinal)).Split(' ')[1], System.Globalization.CultureInfo.InvariantCulture);
}
