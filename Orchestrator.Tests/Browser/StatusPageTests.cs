using Microsoft.Playwright;
using Orchestrator.Deployments;
using Orchestrator.Tests.StatusPage;
using Orchestrator.Traffic;
using static Microsoft.Playwright.Assertions;

namespace Orchestrator.Tests.Browser;

public sealed class StatusPageTests
{
    private const string Nasty = """<script>window.hit = 1</script><img src="x" onerror="window.hit = 2">"></pre><svg onload="window.hit = 3"> & done""";

    [Test]
    public async Task Steps_appear_as_they_happen_without_a_reload_and_what_was_opened_stays_open()
    {
        var now = TimeProvider.System.GetUtcNow();
        await using var host = await PageHost.StartAsync(Samples.Board(now));
        await using var open = await OpenPage.OnAsync(host.Address);
        var page = await ShowAsync(open);
        await page.EvaluateAsync("window.sameDocument = true");
        await page.Locator("#containers-garden summary").ClickAsync();
        await page.Locator("#deployment-13 summary").FocusAsync();

        var running = Samples.Running(now);
        host.Happen(running);
        await Expect(page.Locator("#under-way-15 .step-running .step-name")).ToHaveTextAsync("Start candidate");
        host.Happen(running, "garden-app-blue-13-1: not yet: GET /api/health returned 503");
        await Expect(page.Locator("#under-way-15 .progress")).ToContainTextAsync("returned 503");
        host.Happen(running with { Steps = [.. running.Steps[..^1], running.Steps[^1] with { State = StepState.Succeeded, EndedAt = now }, new(StepKind.Gate, StepState.Running, now, null, null)] });
        await Expect(page.Locator("#under-way-15 .step-running .step-name")).ToHaveTextAsync("Gate");
        host.Happen(running with { State = DeploymentState.Succeeded, EndedAt = now.AddSeconds(1), Requests = new(1_204, 0) });
        await Expect(page.Locator("#deployment-15 .pill")).ToHaveTextAsync("succeeded");

        await Expect(page.Locator("#under-way-15")).ToHaveCountAsync(0);
        await Expect(page.Locator("#containers-garden tbody tr").First).ToBeVisibleAsync();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(await page.EvaluateAsync<bool>("window.sameDocument"), Is.True);
            Assert.That(await page.EvaluateAsync<string>("document.activeElement.closest('li')?.id"), Is.EqualTo("deployment-13"));
            Assert.That(open.Complaints, Is.Empty);
            Assert.That(open.Outside, Is.Empty);
        }
    }

    [Test]
    public async Task Backups_show_what_a_loss_costs_and_how_sets_and_drills_went_lately()
    {
        var now = TimeProvider.System.GetUtcNow();
        await using var host = await PageHost.StartAsync(Samples.Board(now) with { Backups = Samples.Backups(now) });
        await using var open = await OpenPage.OnAsync(host.Address);
        var page = await ShowAsync(open);

        var section = page.Locator("#backups-garden");
        await Expect(section).ToContainTextAsync("A loss now costs (RPO)");
        await Expect(section).ToContainTextAsync("2.4 s without this host");
        await Expect(section.Locator(".trend-size rect")).ToHaveCountAsync(12);
        await Expect(section.Locator(".trend-rto rect.failed")).ToHaveCountAsync(1);
        var (term, value) = (await section.Locator("dt").First.BoundingBoxAsync(), await section.Locator("dd").First.BoundingBoxAsync());
        Assert.That((value!.Y - term!.Y, value.X > term.X), Is.EqualTo((0, true)), "each fact is a line of its own, its name before it");
        await section.ScreenshotAsync(new() { Path = Path.Combine(TestContext.CurrentContext.WorkDirectory, "status-backups.png"), Animations = ScreenshotAnimations.Disabled });
        Assert.That(open.Complaints, Is.Empty);
    }

    [Test]
    public async Task The_rollback_button_asks_says_what_it_will_do_and_does_it_once()
    {
        var now = TimeProvider.System.GetUtcNow();
        await using var host = await PageHost.StartAsync(Samples.Board(now));
        await using var open = await OpenPage.OnAsync(host.Address);
        var page = await ShowAsync(open);

        await page.GetByRole(AriaRole.Button, new() { Name = "Roll back…" }).ClickAsync();
        var dialog = page.GetByRole(AriaRole.Dialog, new() { Name = "Roll garden back" });
        await Expect(dialog).ToContainTextAsync("Instant");
        await page.Keyboard.PressAsync("Escape");
        await Expect(dialog).ToBeHiddenAsync();
        Assert.That(host.Asked, Is.Empty);

        await page.Keyboard.PressAsync("Enter");
        await Expect(dialog).ToBeVisibleAsync();
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Roll back" }).ClickAsync();

        await Expect(page.Locator("#notice")).ToHaveTextAsync("Rolling garden back to release 11: deployment #16.");
        await Expect(dialog).ToBeHiddenAsync();
        Assert.That(host.Asked, Is.EqualTo(new[] { """POST /api/v1/stacks/garden/rollback {"to":11}""" }));
        Assert.That(open.Complaints, Is.Empty);
    }

    [Test]
    public async Task A_refusal_is_told_where_the_question_was_asked()
    {
        await using var host = await PageHost.StartAsync(Samples.Board(TimeProvider.System.GetUtcNow()));
        host.Refusal = new { title = "Not now.", detail = "A deployment is being committed.", hint = "Wait for it." };
        await using var open = await OpenPage.OnAsync(host.Address);
        var page = await ShowAsync(open);

        await page.GetByRole(AriaRole.Switch, new() { Name = "Maintenance" }).ClickAsync();
        var dialog = page.GetByRole(AriaRole.Dialog, new() { Name = "Put garden into maintenance" });
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Begin maintenance" }).ClickAsync();

        await Expect(dialog.GetByRole(AriaRole.Alert)).ToHaveTextAsync("Not now. A deployment is being committed. Wait for it.");
        Assert.That(host.Asked, Is.EqualTo(new[] { """PUT /api/v1/stacks/garden/maintenance {"on":true}""" }));
    }

    [Test]
    public async Task Maintenance_is_a_switch_that_shows_how_things_are()
    {
        var now = TimeProvider.System.GetUtcNow();
        await using var host = await PageHost.StartAsync(Samples.Board(now, Samples.Stack(now) with { Maintenance = true }));
        await using var open = await OpenPage.OnAsync(host.Address);
        var page = await ShowAsync(open);

        var toggle = page.GetByRole(AriaRole.Switch, new() { Name = "Maintenance", Checked = true });
        await toggle.ClickAsync();
        await Expect(page.Locator("#notice")).ToHaveTextAsync("garden serves again.");
        host.Change(stack => stack with { Status = stack.Status with { Maintenance = false } });

        await Expect(page.GetByRole(AriaRole.Switch, new() { Name = "Maintenance", Checked = false })).ToBeVisibleAsync();
        Assert.That(host.Asked, Is.EqualTo(new[] { """PUT /api/v1/stacks/garden/maintenance {"on":false}""" }));
        Assert.That(open.Complaints, Is.Empty);
    }

    [Test]
    public async Task A_log_line_that_is_markup_is_shown_as_it_is()
    {
        var now = TimeProvider.System.GetUtcNow();
        await using var host = await PageHost.StartAsync(Samples.Board(now, null, Samples.Failed(now, Nasty)));
        await using var open = await OpenPage.OnAsync(host.Address);
        var page = await ShowAsync(open);
        host.Happen(Samples.Running(now), Nasty);
        await Expect(page.Locator("#under-way-15 .progress")).ToHaveTextAsync(Nasty);
        await Expect(page.Locator("#deployment-14 .failure pre")).ToContainTextAsync(Nasty);

        using (Assert.EnterMultipleScope())
        {
            Assert.That(await page.EvaluateAsync<bool>("window.hit === undefined"), Is.True);
            Assert.That(await page.Locator("pre *, main svg, main img, main script").CountAsync(), Is.Zero);
            Assert.That(open.Complaints, Is.Empty);
        }
    }

    [Test]
    public async Task Traffic_is_drawn_and_said_in_words()
    {
        await using var host = await PageHost.StartAsync(Samples.Board(TimeProvider.System.GetUtcNow()));
        Traffic(host, points: 1);
        await using var open = await OpenPage.OnAsync(host.Address);
        var page = await ShowAsync(open);

        await Expect(page.Locator("#plots-garden canvas")).ToHaveCountAsync(3);
        await Expect(page.Locator("#plots-garden [role=img]").First).ToHaveAttributeAsync("aria-label", new System.Text.RegularExpressions.Regex("^Requests over the last 10 minutes, at most [0-9]"));
        await Expect(page.Locator("#traffic-garden")).ToContainTextAsync("failed since the daemon started");
        Assert.That(open.Complaints, Is.Empty);
    }

    [Test]
    public async Task Without_JavaScript_everything_can_be_read()
    {
        var now = TimeProvider.System.GetUtcNow();
        await using var host = await PageHost.StartAsync(Samples.Board(now));
        await using var open = await OpenPage.OnAsync(host.Address, 380, javaScript: false);
        await open.Page.GotoAsync("/");

        await Expect(open.Page.Locator("#service-garden\\/app")).ToContainTextAsync("healthy");
        await Expect(open.Page.Locator(".failure pre")).ToContainTextAsync("connection refused");
        await Expect(open.Page.Locator("noscript p")).ToBeVisibleAsync();
    }

    [TestCase(380, ColorScheme.Light, "narrow")]
    [TestCase(380, ColorScheme.Dark, "narrow-dark")]
    [TestCase(1280, ColorScheme.Light, "light")]
    [TestCase(1280, ColorScheme.Dark, "dark")]
    public async Task Nothing_is_wider_than_the_window_and_every_text_stands_out(int width, ColorScheme scheme, string name)
    {
        var now = TimeProvider.System.GetUtcNow();
        var running = Samples.Running(now);
        var status = Samples.Stack(now) with { Running = running };
        var long_ = string.Join('\n', Enumerable.Range(1, 20).Select(line => $"2026-11-22T20:31:{line:00}.123Z fail: Npgsql.NpgsqlException (0x80004005): Failed to connect to 172.20.0.3:5432, attempt {line}"));
        await using var host = await PageHost.StartAsync(Samples.Board(now, status, running, Samples.Failed(now, long_), Samples.Succeeded(now)), Samples.Board(now, Samples.Stack(now, "shop") with { Warm = null }));
        Traffic(host, points: 1);
        await using var open = await OpenPage.OnAsync(host.Address, width, scheme);
        var page = await ShowAsync(open);
        host.Happen(running, "garden-app-blue-13-1: not yet: GET /api/health returned 503");
        await Expect(page.Locator("#under-way-15 .progress")).ToBeVisibleAsync();
        await page.Locator("#containers-garden summary").ClickAsync();
        await Expect(page.Locator("#plots-garden canvas")).ToHaveCountAsync(3);

        await page.ScreenshotAsync(new() { Path = Path.Combine(TestContext.CurrentContext.WorkDirectory, $"status-{name}.png"), FullPage = true, Animations = ScreenshotAnimations.Disabled });
        using (Assert.EnterMultipleScope())
        {
            Assert.That(await page.EvaluateAsync<int>("document.documentElement.scrollWidth"), Is.LessThanOrEqualTo(width));
            Assert.That(await page.EvaluateAsync<string[]>(Contrast.Script), Is.Empty);
            Assert.That(open.Complaints, Is.Empty);
        }
    }

    private static async Task<IPage> ShowAsync(OpenPage open)
    {
        await open.Page.GotoAsync("/");
        await Expect(open.Page.Locator("#link")).ToHaveTextAsync("live");
        return open.Page;
    }

    private static void Traffic(PageHost host, int points)
    {
        var upstream = new Upstream(new("garden", "app", "green", 12), [new("id", "127.0.0.1")], TimeProvider.System);
        host.Router.Publish(new("garden", [new() { Stack = "garden", Service = "app", Host = "*", TargetPort = 80, Upstream = upstream }], [], false));
        for (var i = 0; i < points; i++)
        {
            for (var request = 0; request < 500; request++) upstream.Traffic.Record(request % 200 == 7, TimeSpan.FromMilliseconds(12 + (request % 40)));
            host.Pulse.Sample();
        }
    }
}
