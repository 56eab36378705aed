using System.Collections.Immutable;
using Orchestrator.Planning;
using Orchestrator.Stacks;

namespace Orchestrator.Tests.Planning;

internal sealed class PlannerTests
{
    private const string Image1 = "registry/app@sha256:1";
    private const string Image2 = "registry/app@sha256:2";
    private static readonly ImmutableSortedDictionary<string, string> NoContents = ImmutableSortedDictionary<string, string>.Empty;

    [Test]
    public void A_new_stack_is_created_service_by_service()
    {
        var plan = Planner.Make(new() { Wanted = Stack(App(), Database()), State = new() { Stack = "s" } });

        Assert.That(plan.Services.Select(action => (action.Service, action.Kind, action.To)), Is.EqualTo(new (string, ServiceActionKind, Colour?)[]
        {
            ("app", ServiceActionKind.Create, Colour.Blue), ("db", ServiceActionKind.Create, null),
        }));
    }

    [Test]
    public void What_runs_as_wanted_is_kept()
    {
        var plan = Planner.Make(Running(App(), Database()));

        Assert.That(plan.NothingToDo, Is.True, PlanText.Whole(plan));
    }

    [Test]
    public void Another_image_replaces_a_coloured_service_by_the_other_colour()
    {
        var plan = Planner.Make(Running(App(), Database()) with { WantedImages = Images(Image2) });

        Assert.Multiple(() =>
        {
            Assert.That(plan.Find("app"), Has.Property(nameof(ServiceAction.Kind)).EqualTo(ServiceActionKind.Replace));
            Assert.That(plan.Find("app")?.To, Is.EqualTo(Colour.Green));
            Assert.That(plan.Find("app")?.Changes, Is.EqualTo(new[] { new Change("image", Image1, Image2) }));
            Assert.That(plan.Find("db")?.Kind, Is.EqualTo(ServiceActionKind.Keep));
        });
    }

    [Test]
    public void Another_content_of_a_secret_makes_those_anew_that_are_granted_it_and_no_others()
    {
        var app = App() with { Container = new() { Secrets = [new("key", "/run/secrets/key", null, null, 0x124)] } };
        var before = NoContents.Add("secrets.key", "version 1");
        var input = Running(app, Database());
        input = input with
        {
            CurrentContents = before,
            WantedContents = before,
            Observed = [.. input.Observed.Select(seen => seen.Service == "app" ? seen with { Spec = Planner.SpecOf(app, Image1, before) } : seen)],
        };
        Assert.That(Planner.Make(input).NothingToDo, Is.True, "the same content");

        var plan = Planner.Make(input with { WantedContents = NoContents.Add("secrets.key", "version 2") });
        Assert.Multiple(() =>
        {
            Assert.That(plan.Find("app")?.Kind, Is.EqualTo(ServiceActionKind.Replace));
            Assert.That(plan.Find("app")?.Reasons, Is.EqualTo(new[] { "secrets.key changed" }));
            Assert.That(plan.Find("db")?.Kind, Is.EqualTo(ServiceActionKind.Keep));
        });
    }

    [Test]
    public void A_changed_variable_is_named_but_its_value_is_never_shown()
    {
        var changed = App() with { Container = new() { Environment = ImmutableSortedDictionary<string, string>.Empty.Add("PASSWORD", "new secret") } };
        var plan = Planner.Make(Running(App(), Database()) with { Wanted = Stack(changed, Database()) });
        var text = PlanText.Whole(plan);

        Assert.Multiple(() =>
        {
            Assert.That(text, Does.Contain("container.environment.PASSWORD"));
            Assert.That(text, Does.Not.Contain("secret"));
        });
    }

    [Test]
    public void A_service_with_data_is_recreated_in_place_and_the_plan_says_that_it_is_away()
    {
        var changed = Database() with { Container = Database().Container with { User = "70" } };
        var plan = Planner.Make(Running(App(), Database()) with { Wanted = Stack(App(), changed) });

        Assert.Multiple(() =>
        {
            Assert.That(plan.Find("db")?.Kind, Is.EqualTo(ServiceActionKind.Recreate));
            Assert.That(plan.Notes, Has.Some.Contains("db: recreated in place"));
            Assert.That(plan.Find("app")?.Kind, Is.EqualTo(ServiceActionKind.Keep));
        });
    }

    [Test]
    public void A_service_that_left_the_file_is_removed_last()
    {
        var plan = Planner.Make(Running(App(), Database()) with { Wanted = Stack(App()) });

        Assert.That(plan.Services[^1], Has.Property(nameof(ServiceAction.Service)).EqualTo("db").And.Property(nameof(ServiceAction.Kind)).EqualTo(ServiceActionKind.Remove));
    }

    [Test]
    public void A_route_that_changes_moves_no_container()
    {
        var moved = App() with { BasMalin = new() { Route = new() { Hosts = ["other.example"], Port = 3000 } } };
        var plan = Planner.Make(Running(App(), Database()) with { Wanted = Stack(moved, Database()) });

        Assert.Multiple(() =>
        {
            Assert.That(plan.Services.Select(action => action.Kind), Is.All.EqualTo(ServiceActionKind.Keep));
            Assert.That(plan.Settings, Is.Not.Empty);
            Assert.That(plan.NothingToDo, Is.False);
        });
    }

    [Test]
    public void A_replica_that_is_missing_is_a_reason_to_replace()
    {
        var input = Running(App(), Database());
        var plan = Planner.Make(input with { Observed = [.. input.Observed.Where(seen => seen is not { Service: "app", Replica: 2 })] });

        Assert.That(plan.Find("app")?.Reasons, Is.EqualTo(new[] { "1 of 2 replicas running" }));
    }

    [Test]
    public void A_forced_deployment_replaces_what_has_no_data_and_leaves_data_alone()
    {
        var plan = Planner.Make(Running(App(), Database()) with { Force = true });

        Assert.That(plan.Services.Select(action => action.Kind), Is.EqualTo(new[] { ServiceActionKind.Replace, ServiceActionKind.Keep }));
    }

    [Test]
    public void What_depends_on_a_coloured_service_comes_after_the_switch()
    {
        var proxy = Worker("nginx") with { DependsOn = [new("app", DependencyCondition.Healthy, true, false)] };
        var behind = Worker("cache") with { DependsOn = [new("nginx", DependencyCondition.Started, true, false)] };
        var plan = Planner.Make(new() { Wanted = Stack(App(), proxy, behind, Database()), State = new() { Stack = "s" } });

        Assert.That(plan.Services.Where(action => action.AfterShift).Select(action => action.Service), Is.EqualTo(new[] { "nginx", "cache" }));
    }

    [Test]
    public void A_dependency_with_restart_takes_its_dependant_along()
    {
        var follower = Worker("follower") with { DependsOn = [new("db", DependencyCondition.Started, true, Restart: true)] };
        var changed = Database() with { Container = Database().Container with { User = "70" } };
        var plan = Planner.Make(Running(Database(), follower) with { Wanted = Stack(changed, follower) });

        Assert.That(plan.Find("follower")?.Reasons, Is.EqualTo(new[] { "restarts with db" }));
    }

    [Test]
    public void A_way_back_to_a_colour_that_still_runs_is_a_swap()
    {
        var input = Running(App(), Database());
        var warm = input.Observed.Select(seen => seen.Service == "app" ? seen with { Colour = Colour.Green, Release = 2, Spec = Planner.SpecOf(App(), Image2, input.WantedContents) } : seen);
        var back = input with
        {
            CurrentImages = Images(Image1),
            WantedImages = Images(Image2),
            TargetRelease = 2,
            State = input.State with { Warm = new(2, Live(Colour.Green, 2), DateTimeOffset.MaxValue) },
            Observed = [.. input.Observed, .. warm.Where(seen => seen.Service == "app")],
        };

        Assert.Multiple(() =>
        {
            Assert.That(Planner.Make(back).WarmSwap, Is.True);
            Assert.That(Planner.Make(back with { Observed = [.. back.Observed.Where(seen => seen is not { Colour: Colour.Green, Replica: 1 })] }).WarmSwap, Is.False, "one of its replicas is gone");
            Assert.That(Planner.Make(back with { TargetRelease = 3 }).WarmSwap, Is.False, "another release is wanted");
        });
    }

    [Test]
    public void The_same_input_gives_the_same_plan() =>
        CsCheck.Check.Sample(CsCheck.Gen.Select(CsCheck.Gen.Int[0, 4], CsCheck.Gen.Bool, CsCheck.Gen.Int[0, 3]), (replicas, force, running) =>
        {
            var input = Running(App() with { Replicas = replicas }, Database()) with { Force = force };
            input = input with { Observed = [.. input.Observed.Where(seen => seen.Service != "app" || seen.Replica <= running)] };
            var plan = Planner.Make(input);
            var again = Planner.Make(input);

            Assert.That(PlanText.Whole(again), Is.EqualTo(PlanText.Whole(plan)));
            Assert.That(plan.Services.Select(action => action.Service), Is.EqualTo(input.Wanted.Services.Select(spec => spec.Name)), "every service has exactly one action");
            Assert.That(plan.Services.Where(action => action.Kind == ServiceActionKind.Replace).Select(action => action.To), Is.All.Not.EqualTo(Colour.Blue), "the live colour is never the candidate");
        });

    internal static ServiceSpec App() => new()
    {
        Name = "app",
        Role = ServiceRole.Routed,
        Coloured = true,
        Replicas = 2,
        Image = "registry/app:1",
        Container = new(),
        BasMalin = new() { Route = new() { Hosts = ["app.example"], Port = 3000 } },
    };

    internal static ServiceSpec Database() => new()
    {
        Name = "db",
        Role = ServiceRole.Stateful,
        Coloured = false,
        Image = "postgres:16",
        Container = new() { Mounts = [new(MountKind.Volume, "data", "/data", false, false)] },
    };

    internal static ServiceSpec Worker(string name) => new() { Name = name, Role = ServiceRole.Worker, Coloured = false, Image = "worker:1", Container = new() };

    internal static Stack Stack(params ServiceSpec[] services) => new() { Name = "s", Directory = "/", Services = [.. services] };

    private static ImmutableSortedDictionary<string, string> Images(string app) =>
        ImmutableSortedDictionary<string, string>.Empty.Add("app", app).Add("db", "postgres@sha256:1").Add("follower", "worker@sha256:1");

    private static ImmutableSortedDictionary<string, Generation> Live(Colour colour, int release) => ImmutableSortedDictionary<string, Generation>.Empty.Add("app", new(colour, release));

    private static PlanInput Running(params ServiceSpec[] services) => new()
    {
        Wanted = Stack(services),
        Current = Stack(services),
        CurrentImages = Images(Image1),
        State = new() { Stack = "s", CurrentRelease = 1, Live = services.Any(spec => spec.Coloured) ? Live(Colour.Blue, 1) : ImmutableSortedDictionary<string, Generation>.Empty },
        Observed =
        [
            .. from spec in services
               from replica in Enumerable.Range(1, spec.Replicas)
               select new ObservedReplica(spec.Name, spec.Coloured ? Colour.Blue : null, 1, replica, Planner.SpecOf(spec, Images(Image1)[spec.Name], NoContents), true, false),
        ],
    };
}
