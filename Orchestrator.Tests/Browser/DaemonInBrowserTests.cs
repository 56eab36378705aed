using System.Net;
using System.Net.Http.Json;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using System.Text;
using Microsoft.Playwright;
using Orchestrator.Agent.Hosting;
using Orchestrator.Tests.Agent;
using Orchestrator.Tests.Engine;
using static Microsoft.Playwright.Assertions;

namespace Orchestrator.Tests.Browser;

/// <summary>The whole daemon as somebody with a browser meets it: real containers, a real session, the API behind the buttons.</summary>
public sealed class DaemonInBrowserTests
{
    private static readonly LocatorAssertionsToHaveTextOptions Patient = new() { Timeout = 90_000 };

    [Test]
    public async Task One_logs_in_sees_a_deployment_move_rolls_it_back_and_is_out_when_the_token_is_revoked()
    {
        await using var daemon = await RunningDaemon.StartAsync();
        var name = TestDaemon.NewName();
        try
        {
            await using var open = await OpenPage.OnAsync(daemon.Admin);
            var page = await LogInAsync(open, await daemon.TokenAsync("deploy"));
            await Expect(page.Locator("#board")).ToContainTextAsync("Nothing runs here yet");
            await page.EvaluateAsync("window.sameDocument = true");

            await ApplyAsync(daemon, name);
            await Expect(page.Locator($"#now-{name} .step-running")).ToBeVisibleAsync(new() { Timeout = 90_000 });
            await Expect(page.Locator($"#head-{name} .release")).ToHaveTextAsync("Release 1", Patient);
            await Expect(page.Locator($"#service-{name}\\/app [data-label=Health]")).ToHaveTextAsync("healthy", Patient);
            await Expect(page.Locator("#link")).ToHaveTextAsync("live");

            using (var load = new CancellationTokenSource())
            {
                var users = KeepAskingAsync(daemon.Edge, $"{name}.example", load.Token);
                await DeployAndWatchAsync(daemon, page, name);
                await RollBackAsync(daemon, page, name);
                await load.CancelAsync();
                Assert.That(await users, Is.Zero, "requests that failed");
            }

            await MaintainAsync(daemon, page, name);
            await ShootAsync(page, "daemon");
            Assert.That(await page.EvaluateAsync<bool>("window.sameDocument"), Is.True, "nothing was reloaded");
            Assert.That(open.Complaints, Is.Empty);
            Assert.That(open.Outside, Is.Empty);

            using var revoked = await daemon.Socket.DeleteAsync("/api/v1/tokens/deploy-all");
            await Expect(page.GetByRole(AriaRole.Button, new() { Name = "Log in" })).ToBeVisibleAsync(new() { Timeout = 30_000 });
        }
        finally
        {
            await TestDaemon.RemoveStackAsync(name);
        }
    }

    [Test]
    public async Task Logging_in_and_out_works_over_plain_HTTP_from_another_machine()
    {
        var address = NetworkInterface.GetAllNetworkInterfaces()
            .SelectMany(network => network.GetIPProperties().UnicastAddresses)
            .First(unicast => unicast.Address.AddressFamily == AddressFamily.InterNetwork && !IPAddress.IsLoopback(unicast.Address)).Address;
        await using var daemon = await RunningDaemon.StartAsync(options => options with { Admin = options.Admin with { Listen = new ListenAddress(address.ToString(), 0) } });
        await using var open = await OpenPage.OnAsync(daemon.Admin, 380, ColorScheme.Dark);
        var page = open.Page;

        await page.GotoAsync("/");
        Assert.That(new Uri(page.Url).AbsolutePath, Is.EqualTo("/login"));
        await page.GetByLabel("Token").FillAsync("bm_wrong");
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.GetByRole(AriaRole.Alert)).ToHaveTextAsync("The token is unknown, revoked or expired.");
        await ShootAsync(page, "login");

        await LogInAsync(open, await daemon.TokenAsync("read"));
        await page.GetByRole(AriaRole.Button, new() { Name = "Log out" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Button, new() { Name = "Log in" })).ToBeVisibleAsync();
        await page.GotoAsync("/");
        Assert.That(new Uri(page.Url).AbsolutePath, Is.EqualTo("/login"));
    }

    private static async Task<IPage> LogInAsync(OpenPage open, string token)
    {
        await open.Page.GotoAsync("/");
        await open.Page.GetByLabel("Token").FillAsync(token);
        await open.Page.GetByRole(AriaRole.Button, new() { Name = "Log in" }).ClickAsync();
        await Expect(open.Page.Locator("#link")).ToHaveTextAsync("live");
        return open.Page;
    }

    private static async Task ApplyAsync(RunningDaemon daemon, string name)
    {
        var compose = $$"""
            name: {{name}}
            services:
              app:
                image: {{Garden.Image("1.0.0")}}
                deploy: { replicas: 2 }
                stop_grace_period: 2s
                x-basmalin:
                  route: { hosts: [{{name}}.example], port: 3000 }
                  gate: { http: /up, interval: 200ms, successes: 2, stable: 2s, deadline: 30s }
                  drain: { http: 2s, websocket: 2s }
                  bake: { for: 3s }
                  warm: 10m
            """;
        using var answer = await daemon.Socket.PostAsync("/api/v1/stacks", new StringContent(compose, Encoding.UTF8, "application/yaml"));
        Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.Accepted), await answer.Content.ReadAsStringAsync());
    }

    private static async Task DeployAndWatchAsync(RunningDaemon daemon, IPage page, string name)
    {
        using var answer = await daemon.Socket.PostAsJsonAsync($"/api/v1/stacks/{name}/deployments", new { images = new { app = Garden.Image("2.0.0") }, version = "2.0.0" });
        Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.Accepted));

        foreach (var step in (string[])["Gate", "Bake"])
            await Expect(page.Locator($"#now-{name} .step-running .step-name")).ToHaveTextAsync(step, Patient);
        await ShootAsync(page, "deploying");
        await Expect(page.Locator($"#head-{name} .release")).ToHaveTextAsync("Release 2 2.0.0", Patient);
        await Expect(page.Locator("#deployment-2 .pill")).ToHaveTextAsync("succeeded", Patient);
        await Expect(page.Locator($"#service-{name}\\/app .chip")).ToHaveTextAsync("green", Patient);
        await Expect(page.Locator($"#head-{name} .warm")).ToContainTextAsync("Release 1 is still warm");
        await Expect(page.Locator($"#plots-{name} canvas")).ToHaveCountAsync(3);
    }

    private static async Task RollBackAsync(RunningDaemon daemon, IPage page, string name)
    {
        await page.GetByRole(AriaRole.Button, new() { Name = "Roll back…" }).ClickAsync();
        var dialog = page.GetByRole(AriaRole.Dialog);
        await Expect(dialog).ToContainTextAsync("Instant: its containers still run, so this is one swap.");
        await ShootAsync(page, "rollback");
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Roll back" }).ClickAsync();

        await Expect(page.Locator("#notice")).ToHaveTextAsync($"Rolling {name} back to release 1: deployment #3.");
        await Expect(page.Locator($"#head-{name} .release")).ToHaveTextAsync("Release 1", Patient);
        await Expect(page.Locator("#deployment-3 .what")).ToHaveTextAsync("Roll back → release 1", Patient);
        await Expect(page.Locator($"#service-{name}\\/app .chip")).ToHaveTextAsync("blue", Patient);
        Assert.That((await AskAsync(daemon.Edge, $"{name}.example")).Version, Is.EqualTo("1.0.0"));
    }

    private static async Task MaintainAsync(RunningDaemon daemon, IPage page, string name)
    {
        await page.GetByRole(AriaRole.Switch, new() { Name = "Maintenance" }).ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Begin maintenance" }).ClickAsync();
        await Expect(page.Locator($"#head-{name} .title .pill")).ToHaveTextAsync("maintenance");
        Assert.That((await AskAsync(daemon.Edge, $"{name}.example")).Status, Is.EqualTo(HttpStatusCode.ServiceUnavailable));

        await page.GetByRole(AriaRole.Switch, new() { Name = "Maintenance", Checked = true }).ClickAsync();
        await Expect(page.Locator($"#head-{name} .title .pill")).ToHaveTextAsync("serving");
        Assert.That((await AskAsync(daemon.Edge, $"{name}.example")).Status, Is.EqualTo(HttpStatusCode.OK));
    }

    /// <summary>Twenty requests a second until told to end.</summary>
    /// <returns>How many failed.</returns>
    private static async Task<int> KeepAskingAsync(Uri edge, string host, CancellationToken cancellationToken)
    {
        var failed = 0;
        using var ticks = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        while (!cancellationToken.IsCancellationRequested)
        {
            if ((await AskAsync(edge, host)).Status != HttpStatusCode.OK) failed++;
            await ticks.WaitForNextTickAsync(CancellationToken.None);
        }

        return failed;
    }

    private static async Task<(HttpStatusCode Status, string Version)> AskAsync(Uri edge, string host)
    {
        using var client = new HttpClient();
        using var message = new HttpRequestMessage(HttpMethod.Get, new Uri(edge, "/version")) { Headers = { Host = host } };
        using var answer = await client.SendAsync(message);
        return (answer.StatusCode, answer.Headers.TryGetValues("X-Garden-Version", out var versions) ? versions.First() : "");
    }

    private static Task ShootAsync(IPage page, string name) =>
        page.ScreenshotAsync(new() { Path = Path.Combine(TestContext.CurrentContext.WorkDirectory, $"browser-{name}.png"), Animations = ScreenshotAnimations.Disabled });
}
