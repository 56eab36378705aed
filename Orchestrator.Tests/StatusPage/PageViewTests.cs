using System.Collections.Immutable;
using System.Xml.Linq;
using Orchestrator.Agent.StatusPage;
using Orchestrator.Agent.StatusPage.Views;
using Orchestrator.Backups.Sets;
using Orchestrator.Deployments;
using Orchestrator.Restores;
using Orchestrator.Stacks;

namespace Orchestrator.Tests.StatusPage;

public sealed class PageViewTests
{
    private const string Nasty = """<script>alert(1)</script>"><img src=x onerror=alert(2)>'&amp;<!-- ]]> </pre></textarea>""";
    private static readonly DateTimeOffset Now = new(2026, 11, 22, 20, 31, 5, TimeSpan.Zero);

    [Test]
    public void A_service_shows_its_colour_health_replicas_release_routes_and_image()
    {
        var row = Page(Samples.Board(Now)).ById("service-garden/app");

        Assert.That(row.Text(), Is.EqualTo("app routed green healthy 2 of 2 12 garden.example/ 0.0.0.0:3000 registry.example/garden:1.5.0").Or.EqualTo("app routed green healthy 2 of 2 12 garden.example/0.0.0.0:3000 registry.example/garden:1.5.0"));
    }

    [Test]
    public void A_warm_release_says_until_when_the_way_back_is_instant()
    {
        var page = Page(Samples.Board(Now));

        Assert.That(page.Find("p", "warm").Text(), Is.EqualTo("Release 11 is still warm (app, worker): the way back is an instant swap, until 22 Nov 2026, 20:40:05 UTC."));
        Assert.That(page.Find("p", "warm").Element("time")!.Attribute("datetime")!.Value, Is.EqualTo("2026-11-22T20:40:05.000Z"));
    }

    [Test]
    public void Rolling_back_offers_committed_releases_and_says_which_one_is_a_swap()
    {
        var dialog = Page(Samples.Board(Now)).ById("rollback-garden");

        Assert.Multiple(() =>
        {
            Assert.That(dialog.Descendants("input").Select(input => input.Attribute("value")!.Value), Is.EqualTo(new[] { "11", "9" }));
            Assert.That(dialog.Descendants("input").Single(input => input.Attribute("checked") is not null).Attribute("value")!.Value, Is.EqualTo("11"));
            Assert.That(dialog.Descendants("span").Where(span => (string?)span.Attribute("class") == "way").Select(way => way.Text()[..7]), Is.EqualTo(new[] { "Instant", "Replaye" }));
        });
    }

    [Test]
    public void Who_may_only_look_is_shown_no_dialog_and_told_why()
    {
        var page = Page(Samples.Board(Now, Samples.Stack(Now) with { Running = Samples.Running(Now) }, Samples.Running(Now)), Samples.Onlooker);

        Assert.Multiple(() =>
        {
            Assert.That(page.Descendants("dialog"), Is.Empty);
            Assert.That(page.Find("div", "actions").Elements("button").Select(button => (string?)button.Attribute("disabled")), Is.EqualTo(new[] { "", "" }));
            Assert.That(page.Find("p", "why").Value, Is.EqualTo("wall-screen may only look: this needs a token of the scope deploy."));
        });
    }

    [Test]
    public void Backups_show_the_newest_set_whether_it_was_proved_and_what_goes_on()
    {
        var set = new BackupSetRecord
        {
            Stack = "garden",
            Sequence = 42,
            Id = new("000042-20261122T010000Z"),
            State = BackupSetState.Succeeded,
            Reason = Nasty,
            StartedAt = Now.AddHours(-8),
            EndedAt = Now.AddHours(-8).AddSeconds(90),
            ProvedAt = Now.AddHours(-1),
            Zones = ImmutableSortedDictionary<string, string>.Empty.Add("local", BackupSetRecord.Whole).Add("far", Nasty),
        };
        var drill = new DrillRecord
        {
            Number = 7,
            Stack = "garden",
            Set = set.Id.Value,
            StartedAt = Now.AddHours(-1),
            EndedAt = Now.AddHours(-1),
            Passed = true,
            Checks = [],
            Phases = ImmutableSortedDictionary<string, double>.Empty.Add("total", 31.5),
        };
        var copying = new BackupOperation
        {
            Id = 1,
            Stack = "garden",
            Kind = "backup",
            State = OperationState.Running,
            StartedAt = Now,
            What = Nasty,
            Bytes = 3 << 20,
            Of = 6 << 20,
            Rate = 1 << 20,
        };
        var backups = new BackupBoard(set, null, drill, ImmutableSortedDictionary<string, DateTimeOffset>.Empty.Add("backup", Now.AddHours(5)), [copying]);

        backups = backups with { Sets = [set, set with { Manifest = null }], Drills = [drill with { Passed = false }, drill] };
        var page = Page(Samples.Board(Now) with { Backups = backups });
        var section = page.ById("backups-garden").Text();

        Assert.Multiple(() =>
        {
            Assert.That(section, Does.Contain("Recovery, as drills measured it 31.5 s").And.Contain("Time that a set took 1 min 30 s"));
            Assert.That(section, Does.StartWith("Backups proved"));
            Assert.That(section, Does.Contain("000042-20261122T010000Z").And.Contain("took 1 min 30 s"));
            Assert.That(section, Does.Contain("passed").And.Contain("answers in 31.5 s"));
            Assert.That(section, Does.Contain("3.0 MiB of 6.0 MiB, 1.0 MiB/s, 3.0 s left"));
        });
    }

    [Test]
    public void A_set_that_failed_is_the_first_thing_that_one_sees_of_backups()
    {
        var failed = new BackupSetRecord
        {
            Stack = "garden",
            Sequence = 1,
            Id = new("000001-20261122T010000Z"),
            State = BackupSetState.Failed,
            Reason = "schedule",
            StartedAt = Now,
            Problem = "postgres of garden does not run, so its data cannot be had",
            Hint = "Start it.",
        };

        var section = Page(Samples.Board(Now) with { Backups = new BackupBoard(null, failed, null, ImmutableSortedDictionary<string, DateTimeOffset>.Empty, []) }).ById("backups-garden").Text();

        Assert.That(section, Does.StartWith("Backups failed").And.Contain("postgres of garden does not run").And.Contain("Start it."));
    }

    [Test]
    public void Without_another_release_there_is_nothing_to_roll_back_to()
    {
        var board = Samples.Board(Now) with { Releases = [Samples.Release(Now, 12, "1.5.0")] };

        Assert.That(Page(board).Find("p", "why").Value, Is.EqualTo("There is no other release to roll back to."));
    }

    [Test]
    public void A_failed_deployment_shows_reason_detail_log_lines_and_what_to_do()
    {
        var failure = Page(Samples.Board(Now)).Find("div", "failure");

        Assert.Multiple(() =>
        {
            Assert.That(failure.Find("p", "reason").Text(), Is.EqualTo("neverHealthy garden-app-blue-13-1: was not healthy within 60 s."));
            Assert.That(failure.Element("pre")!.Value, Is.EqualTo("Last probes:\n  GET /api/health returned 503\nLast lines of its log:\nUnhandled exception. connection refused"));
            Assert.That(failure.Find("p", "hint").Text(), Does.StartWith("What to do: The old version is still serving."));
        });
    }

    [Test]
    public void A_deployment_under_way_shows_each_step_and_what_is_to_come()
    {
        var status = Samples.Stack(Now) with { Running = Samples.Running(Now) };
        var now = Page(Samples.Board(Now, status, Samples.Running(Now))).ById("now-garden");

        Assert.Multiple(() =>
        {
            Assert.That(now.Descendants("li").Select(step => step.Attribute("class")!.Value), Is.EqualTo(new[] { "step step-succeeded", "step step-succeeded", "step step-succeeded", "step step-skipped", "step step-running" }));
            Assert.That(now.Find("p", "to-come").Value, Is.EqualTo("Then: Services in place, Migrate, Gate, Smoke, Shift traffic, Dependants, Drain old, Bake, Commit"));
            Assert.That(now.Find("div", "track").Attribute("aria-valuenow")!.Value, Is.EqualTo("4"));
        });
    }

    [TestCase("healthy", "serving")]
    [TestCase("unhealthy", "degraded")]
    [TestCase("stopped", "degraded")]
    [TestCase("starting", "starting")]
    [TestCase("running", "serving")]
    [TestCase("completed", "serving")]
    public void A_stack_is_as_well_as_its_worst_service(string health, string word)
    {
        var stack = Samples.Stack(Now);
        Assert.That(StackHealth.Of(stack with { Services = stack.Services.SetItem(0, stack.Services[0] with { Health = health }) }).Word, Is.EqualTo(word));
    }

    [Test]
    public void A_removed_stack_says_so_and_how_it_comes_back()
    {
        var removed = Samples.Board(Now) with { Status = Samples.Stack(Now) with { Services = [], Running = null } };
        var page = Page(Samples.Operator, removed);

        Assert.That(StackHealth.Of(removed.Status).Word, Is.EqualTo("removed"));
        Assert.That(page.ById("services-garden").Text(), Is.EqualTo("Removed: a rollback brings its services back."));
    }

    [Test]
    public void A_damaged_stack_is_named_with_what_is_wrong_and_the_others_are_shown()
    {
        var damaged = new StackBoard(new("broken", 0, null, [], null, false, null, null, "checksum of row 3 differs"), [], []);
        var page = Page(Samples.Operator, damaged, Samples.Board(Now));

        Assert.That(page.ById("head-broken").Text(), Does.Contain("checksum of row 3 differs"));
        Assert.That(page.ById("service-garden/app"), Is.Not.Null);
    }

    [Test]
    public void A_visitor_of_one_stack_sees_no_other()
    {
        var other = Samples.Board(Now, Samples.Stack(Now, "shop"));

        Assert.That(Page(new Visitor("shop-ci", true, "shop"), Samples.Board(Now), other).ToString(), Does.Contain("stack-shop").And.Not.Contain("stack-garden"));
    }

    [Test]
    public void Nothing_that_a_container_or_a_person_says_becomes_markup()
    {
        var harmless = Names(Everything("harmless"));

        Assert.That(Names(Everything(Nasty)), Is.EqualTo(harmless));
    }

    [Test]
    public void When_engine_or_journal_do_not_answer_the_page_says_so_and_shows_what_was_seen_last()
    {
        var board = new Board([Samples.Board(Now)], Now, "cannot connect to the engine");
        var page = Parsed.Of(PageView.Status(Samples.Frame, Samples.Operator, View(Samples.Operator).Render(board)));

        Assert.That(page.ById("overview").Text(), Does.Contain("cannot connect to the engine"));
        Assert.That(page.ById("service-garden/app"), Is.Not.Null);
    }

    [Test]
    public void The_login_says_what_was_wrong()
    {
        var page = Parsed.Of(PageView.LogIn(Samples.Frame, "The token is unknown."));

        Assert.That(page.ById("token").Attribute("aria-describedby")!.Value, Is.EqualTo(page.ById("problem").Attribute("id")!.Value));
        Assert.That(page.ById("problem").Value, Is.EqualTo("The token is unknown."));
    }

    [Test]
    public void Only_what_has_changed_is_sent_again()
    {
        var view = View(Samples.Operator);
        var before = new Board([Samples.Board(Now)], Now, null);
        var first = view.Changes(before);
        var quiet = view.Changes(before with { ReadAt = Now.AddSeconds(2) });
        var begun = view.Changes(before.With(Samples.Running(Now)));

        Assert.Multiple(() =>
        {
            Assert.That(first.Keys, Is.EqualTo(new[] { "board" }));
            Assert.That(quiet, Is.Empty);
            Assert.That(begun.Keys, Is.EquivalentTo(new[] { "head-garden", "now-garden" }));
        });
    }

    private static XElement Everything(string text)
    {
        var status = Samples.Stack(Now);
        var hostile = status with
        {
            Version = text,
            Running = Samples.Running(Now),
            Services = [status.Services[0] with { Image = text, Routes = [text], Health = text, Containers = [Samples.Container("id", text, Colour.Blue, 1, Now, true) with { State = text, Address = text }] }],
        };
        var running = Samples.Running(Now) with { Request = new() { Stack = "garden", Kind = DeploymentKind.Deploy, Version = text, Origin = text } };
        var failed = Samples.Failed(Now, text);
        failed = failed with
        {
            Request = failed.Request with { Origin = text, Commit = text, Version = text, Images = failed.Request.Images.Add(text, text) },
            Failure = new(FailureReason.NeverHealthy, $"{text}\n{text}", text),
            Steps = [new(StepKind.Gate, StepState.Failed, Now, Now, text)],
        };
        var view = View(Samples.Operator with { Name = text });
        view.Note(new(running, StepKind.Start, text, Now));
        var board = new Board([Samples.Board(Now, hostile, running, failed) with { Releases = [Samples.Release(Now, 11, text)] }], Now, text);
        return Parsed.Of(PageView.Status(Samples.Frame with { Build = text, Machine = text }, Samples.Operator with { Name = text }, view.Render(board)));
    }

    /// <summary>Every element with the names of its attributes: what a browser makes of the page, without its texts.</summary>
    private static string Names(XElement page) =>
        string.Join('\n', page.DescendantsAndSelf().Select(element => element.Name + " " + string.Join(' ', element.Attributes().Select(attribute => attribute.Name))));

    private static LiveView View(Visitor visitor) => new(visitor, Pulses.Empty());

    private static XElement Page(StackBoard stack) => Page(Samples.Operator, stack);

    private static XElement Page(StackBoard stack, Visitor visitor) => Page(visitor, stack);

    private static XElement Page(Visitor visitor, params ReadOnlySpan<StackBoard> stacks) =>
        Parsed.Of(PageView.Status(Samples.Frame, visitor, View(visitor).Render(new([.. stacks], Now, null))));
}
