using System.Net;
using System.Net.Http.Json;
using Microsoft.Extensions.Time.Testing;
using Orchestrator.Agent.Auth;

namespace Orchestrator.Tests.Agent.Auth;

public sealed class LoginTests
{
    private RunningDaemon _daemon = null!;

    [OneTimeSetUp]
    public async Task StartAsync() => _daemon = await RunningDaemon.StartAsync(options => options with { Limits = options.Limits with { FailedLogins = 3 } });

    [OneTimeTearDown]
    public async Task StopAsync() => await _daemon.DisposeAsync();

    [Test]
    public async Task A_browser_is_led_to_the_form_and_with_a_token_to_the_page()
    {
        using var browser = _daemon.Anonymous();
        using var led = await browser.SendAsync(Page(HttpMethod.Get, "/"));
        using var form = await browser.SendAsync(Page(HttpMethod.Get, "/login"));
        using var logIn = await browser.SendAsync(Form(await _daemon.TokenAsync("read")));
        var cookie = logIn.Headers.GetValues("Set-Cookie").Single();

        Assert.That((led.StatusCode, led.Headers.Location!.ToString()), Is.EqualTo((HttpStatusCode.Redirect, "/login")));
        Assert.That(await form.Content.ReadAsStringAsync(), Does.Contain("type=\"password\""));
        Assert.That((logIn.StatusCode, logIn.Headers.Location!.ToString()), Is.EqualTo((HttpStatusCode.Redirect, "/")));
        Assert.That(cookie, Does.Contain("httponly").And.Contain("samesite=strict").And.Contain("path=/"));

        using var shown = await browser.SendAsync(Page(HttpMethod.Get, "/", cookie));
        Assert.That(shown.StatusCode, Is.EqualTo(HttpStatusCode.OK));
        Assert.That(await shown.Content.ReadAsStringAsync(), Does.Contain("read-all"));
    }

    [Test]
    public async Task A_session_does_what_its_token_may_and_only_from_our_own_pages()
    {
        using var browser = _daemon.Anonymous();
        using var logIn = await browser.SendAsync(Form(await _daemon.TokenAsync("deploy")));
        var cookie = logIn.Headers.GetValues("Set-Cookie").Single();

        Assert.That(await PostAsync("same-origin"), Is.EqualTo(HttpStatusCode.NotFound), "let through: there is no such stack");
        Assert.That(await PostAsync("cross-site"), Is.EqualTo(HttpStatusCode.Unauthorized));
        Assert.That(await PostAsync("none"), Is.EqualTo(HttpStatusCode.Unauthorized));
        Assert.That(await PostAsync(null), Is.EqualTo(HttpStatusCode.Unauthorized));

        using var logOut = Page(HttpMethod.Post, "/logout", cookie);
        logOut.Headers.Add("Sec-Fetch-Site", "same-origin");
        using var left = await browser.SendAsync(logOut);
        Assert.That(await PostAsync("same-origin"), Is.EqualTo(HttpStatusCode.Unauthorized), "the session is over");

        async Task<HttpStatusCode> PostAsync(string? site)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/api/v1/stacks/nowhere/rollback") { Content = JsonContent.Create(new { }) };
            request.Headers.Add("Cookie", cookie.Split(';')[0]);
            if (site is not null) request.Headers.Add("Sec-Fetch-Site", site);
            using var answer = await browser.SendAsync(request);
            return answer.StatusCode;
        }
    }

    [Test]
    public async Task A_session_ends_with_its_token()
    {
        using var made = await _daemon.Socket.PostAsJsonAsync("/api/v1/tokens", new { name = "passing", scope = "read" });
        using var browser = _daemon.Anonymous();
        using var logIn = await browser.SendAsync(Form((await RunningDaemon.JsonAsync(made))["token"]!.GetValue<string>()));
        var cookie = logIn.Headers.GetValues("Set-Cookie").Single();
        using var revoked = await _daemon.Socket.DeleteAsync("/api/v1/tokens/passing");

        // Another one of the same name is another one.
        using var again = await _daemon.Socket.PostAsJsonAsync("/api/v1/tokens", new { name = "passing", scope = "admin" });
        using var after = await browser.SendAsync(Page(HttpMethod.Get, "/", cookie));

        Assert.That(after.StatusCode, Is.EqualTo(HttpStatusCode.Redirect));
    }

    [Test]
    public async Task Who_tries_too_often_is_turned_away_even_with_the_right_token()
    {
        await using var daemon = await RunningDaemon.StartAsync(options => options with { Limits = options.Limits with { FailedLogins = 3 } });
        var good = await daemon.TokenAsync("read");
        using var browser = daemon.Anonymous();
        for (var attempt = 0; attempt < 3; attempt++)
        {
            using var refused = await browser.SendAsync(Form($"bm_guess{attempt}", daemon.Admin));
            Assert.That(refused.StatusCode, Is.EqualTo(HttpStatusCode.Unauthorized));
        }

        using var turnedAway = await browser.SendAsync(Form(good, daemon.Admin));
        browser.DefaultRequestHeaders.Authorization = new("Bearer", good);
        using var api = await browser.GetAsync("/api/v1/stacks");

        Assert.That(turnedAway.StatusCode, Is.EqualTo(HttpStatusCode.TooManyRequests));
        Assert.That(api.StatusCode, Is.EqualTo(HttpStatusCode.TooManyRequests));
        Assert.That(api.Headers.RetryAfter!.Delta, Is.GreaterThan(TimeSpan.Zero));
    }

    [Test]
    public void After_a_minute_one_may_try_again_and_others_were_never_kept_out()
    {
        var time = new FakeTimeProvider();
        var failed = new FailedLogins(2, time);
        var (guesser, other) = (IPAddress.Parse("192.0.2.1"), IPAddress.Parse("192.0.2.2"));

        failed.Add(guesser);
        Assert.That(failed.MustWait(guesser), Is.Null);
        failed.Add(IPAddress.Parse("::ffff:192.0.2.1"));
        Assert.That(failed.MustWait(guesser), Is.EqualTo(TimeSpan.FromMinutes(1)), "the same address, written for IPv6");
        Assert.That(failed.MustWait(other), Is.Null);

        time.Advance(TimeSpan.FromMinutes(1));
        Assert.That(failed.MustWait(guesser), Is.Null);
        failed.Add(guesser);
        Assert.That(failed.MustWait(guesser), Is.Null, "the count began anew");
    }

    [Test]
    public void A_whole_network_of_one_guest_counts_as_one_address()
    {
        var failed = new FailedLogins(2, new FakeTimeProvider());

        failed.Add(IPAddress.Parse("2001:db8::1"));
        failed.Add(IPAddress.Parse("2001:db8::2"));

        Assert.That(failed.MustWait(IPAddress.Parse("2001:db8::3")), Is.Not.Null);
        Assert.That(failed.MustWait(IPAddress.Parse("2001:db8:0:1::1")), Is.Null);
    }

    private static HttpRequestMessage Page(HttpMethod method, string path, string? cookie = null)
    {
        var request = new HttpRequestMessage(method, path);
        request.Headers.Add("Accept", "text/html");
        if (cookie is not null) request.Headers.Add("Cookie", cookie.Split(';')[0]);
        return request;
    }

    private HttpRequestMessage Form(string token) => Form(token, _daemon.Admin);

    /// <summary>As a browser without Sec-Fetch-Site, on an address that it does not trust, sends it.</summary>
    private static HttpRequestMessage Form(string token, Uri admin)
    {
        var request = Page(HttpMethod.Post, "/login");
        request.Headers.Add("Origin", admin.GetLeftPart(UriPartial.Authority));
        request.Content = new FormUrlEncodedContent([KeyValuePair.Create("token", token)]);
        return request;
    }
}
