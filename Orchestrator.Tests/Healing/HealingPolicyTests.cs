using System.Collections.Immutable;
using Orchestrator.Deployments;
using Orchestrator.Docker;
using Orchestrator.Healing;

namespace Orchestrator.Tests.Healing;

/// <summary>What is done about a difference, how often, and when no more: without an engine.</summary>
public sealed class HealingPolicyTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    [Test]
    public void A_stack_that_is_as_its_release_says_gets_nothing_done_and_nothing_shown()
    {
        var decision = new Scene().Decide();

        Assert.That(decision, Is.EqualTo(new HealingDecision([], [], [], null)).UsingPropertiesComparer());
    }

    [Test]
    public void A_replica_that_is_missing_is_made_under_its_own_number()
    {
        var scene = new Scene();
        scene.Remove("app", 1);

        var decision = scene.Decide();

        Assert.That(decision.Acts, Is.EqualTo(new[] { new HealingAct.Create(new("app", 1)) }));
        Assert.That(decision.Notes.Single(), Is.EqualTo(new DriftNote("missing_replica", "app", "garden-app-blue-1", "it is not there", "being healed: create")));
    }

    [Test]
    public void A_replica_whose_name_is_not_free_yet_is_made_when_it_is()
    {
        var scene = new Scene();
        scene.Put(scene["app", 1] with { State = ContainerState.Removing });

        var decision = scene.Decide();
        Assert.That((decision.Acts.IsEmpty, decision.LookAgain), Is.EqualTo((true, (TimeSpan?)TimeSpan.FromSeconds(1))));
        Assert.That(decision.Notes.Single().Outlook, Is.EqualTo("the one before it is being removed"));

        scene.Remove("app", 1);
        Assert.That(scene.Decide().Acts, Is.EqualTo(new[] { new HealingAct.Create(new("app", 1)) }));
    }

    [Test]
    public void Only_reported_means_that_nothing_is_done()
    {
        var scene = new Scene { Options = new() { Mode = HealingMode.Report } };
        scene.Remove("app", 1);
        scene.Die("database", 1);
        scene.Picture = scene.Picture with { Sick = ImmutableDictionary<ContainerId, string>.Empty.Add(new("app2"), "503") };

        var decision = scene.Decide();

        Assert.That(decision.Acts, Is.Empty);
        Assert.That(decision.Notes.Select(note => note.Kind), Is.EquivalentTo(new[] { "missing_replica", "stopped", "unhealthy" }));
        Assert.That(decision.Notes.Select(note => note.Outlook), Is.All.EqualTo("only reported: healing.mode is report"));
    }

    [Test]
    public void A_job_that_is_done_is_no_difference_but_one_that_failed_and_a_database_that_ended_well_are()
    {
        var scene = new Scene();
        scene.Die("job", 1, code: 0);
        Assert.That(scene.Decide().Acts, Is.Empty);

        scene.Die("job", 1, code: 3);
        scene.Die("database", 1, code: 0);
        Assert.That(scene.Decide().Acts.Select(act => (act.Kind, act.Key)), Is.EquivalentTo(new[] { ("start", new ReplicaKey("job", 1)), ("start", new ReplicaKey("database", 1)) }));
    }

    [Test]
    public void A_replica_that_dies_again_and_again_waits_longer_each_time_and_is_given_up_with_its_reason_and_the_others_are_not_touched()
    {
        var scene = new Scene { Options = new() { Deaths = 4 } };
        var waits = new List<TimeSpan>();
        HealingDecision decision;
        for (var death = 1; ; death++)
        {
            scene.Die("app", 1, code: 137, oom: true);
            decision = scene.Act();
            if (!decision.GivenUp.IsEmpty) break;
            if (decision.LookAgain is { } wait)
            {
                Assert.That((decision.Acts, decision.Notes.Single().Outlook), Is.EqualTo((ImmutableArray<HealingAct>.Empty, $"the next attempt is in {wait.TotalSeconds:0} s")));
                waits.Add(wait);
                scene.Now += wait;
                decision = scene.Act();
            }

            Assert.That(decision.Acts.Single().Kind, Is.EqualTo("start"), $"death {death}");
            scene.Run("app", 1);
            scene.Act();
        }

        Assert.That(waits, Is.EqualTo(new[] { Second, 2 * Second }));
        var given = decision.GivenUp.Single();
        Assert.That((given.Key, given.Reason, given.Stop), Is.EqualTo((new ReplicaKey("app", 1), Surrender.CrashLoop, true)));
        Assert.That(given.Detail, Is.EqualTo("It died 4 times within 10 min; the last time the container was killed for want of memory (exit code 137)."));
        Assert.That(decision.Acts, Is.Empty);
        Assert.That(scene.Act().GivenUp, Is.Empty, "once");
        Assert.That(scene.Decide().Notes.Select(note => note.Kind), Is.EqualTo(new[] { "gave_up" }));

        scene.Remove("app", 2);
        Assert.That(scene.Decide().Acts.Single(), Is.EqualTo(new HealingAct.Create(new("app", 2))), "the other is healed as ever");
    }

    [Test]
    public void The_memory_limit_is_named()
    {
        var scene = new Scene(app: "mem_limit: 64m") { Options = new() { Deaths = 1 } };
        scene.Die("app", 1, code: 137, oom: true);

        Assert.That(scene.Decide().GivenUp.Single().Detail, Does.EndWith("killed for want of memory (exit code 137). It may have 64 MiB of memory."));
    }

    [Test]
    public void Restarts_by_the_engine_count_as_deaths_and_what_its_events_told_of_them_is_not_lost()
    {
        var scene = new Scene { Options = new() { Deaths = 5 } };
        scene.Decide();
        scene.Heard[new("app1")] = new(scene.Now, 3, false);
        scene.Put(scene["app", 1] with { RestartCount = 5, FinishedAt = Scene.Morning.AddMinutes(1) });      // it runs again at this moment

        Assert.That(scene.Decide().GivenUp.Single().Detail, Is.EqualTo("It died 5 times within 10 min; the last time the container exited with code 3."));
    }

    [Test]
    public void The_last_one_of_a_service_is_not_stopped_when_it_is_given_up_and_is_tried_again_once_in_a_window()
    {
        var scene = new Scene { Options = new() { Deaths = 1 } };
        scene.Die("database", 1);
        var given = scene.Act().GivenUp.Single();
        Assert.That(given.Stop, Is.False);

        scene.Now += TimeSpan.FromMinutes(9);
        Assert.That(scene.Act().Acts, Is.Empty);
        scene.Now += TimeSpan.FromMinutes(1);
        Assert.That(scene.Act().Acts.Single().Kind, Is.EqualTo("start"));
        Assert.That(scene.Act().Acts, Is.Empty, "not twice in one window");
    }

    [Test]
    public void Deaths_that_lie_apart_are_no_loop()
    {
        var scene = new Scene { Options = new() { Deaths = 3 } };
        for (var death = 0; death < 20; death++)
        {
            scene.Die("app", 1);
            Assert.That(scene.Act().Acts.Single().Kind, Is.EqualTo("start"));
            scene.Run("app", 1);
            scene.Act();
            scene.Now += TimeSpan.FromMinutes(5);
        }
    }

    [Test]
    public void What_is_put_right_in_vain_is_given_up_with_the_last_problem()
    {
        var scene = new Scene { Options = new() { Deaths = 2 } };
        scene.Remove("database", 1);
        scene.Act("port 5432 is in use");
        scene.Now += TimeSpan.FromMinutes(1);
        scene.Act("port 5432 is in use");
        scene.Now += TimeSpan.FromMinutes(1);

        var given = scene.Act().GivenUp.Single();
        Assert.That((given.Reason, given.Detail), Is.EqualTo((Surrender.NoEffect, "garden-database-1: it is not there. It was put right 2 times within 10 min, and is not right. The last time: port 5432 is in use")));
    }

    [Test]
    public void A_stack_gets_no_more_acts_in_a_window_than_its_budget_but_always_one_for_each_container()
    {
        var scene = new Scene { Options = new() { Acts = 1 } };
        foreach (var (service, slot) in new[] { ("app", 1), ("app", 2), ("database", 1), ("job", 1) }) scene.Remove(service, slot);
        Assert.That(scene.Act().Acts, Has.Length.EqualTo(4), "the engine has restarted: all of it comes back");

        scene.Now += TimeSpan.FromMinutes(2);
        var decision = scene.Act();
        Assert.That(decision.Acts, Is.Empty);
        Assert.That(decision.LookAgain, Is.EqualTo(TimeSpan.FromMinutes(8)));
        Assert.That(decision.Notes.First().Outlook, Is.EqualTo("the stack has been healed 4 times within 10 min: the next attempt is in 8 min"));
    }

    [Test]
    public void A_container_that_needs_a_volume_that_is_gone_is_not_made_and_that_is_said_once_until_it_is_back()
    {
        var scene = new Scene();
        scene.Remove("database", 1);
        scene.Picture = scene.Picture with { LostVolumes = ["garden_data"] };

        var decision = scene.Act();
        Assert.That(decision.Acts, Is.Empty);
        Assert.That((decision.GivenUp.Single().Reason, decision.GivenUp.Single().Subject), Is.EqualTo((Surrender.VolumeMissing, "garden_data")));
        Assert.That(decision.Notes.Select(note => note.Kind), Is.EquivalentTo(new[] { "missing_volume", "missing_replica" }));
        Assert.That(scene.Act().GivenUp, Is.Empty);
        Assert.That(scene.Decide().Notes.Select(note => note.Kind), Is.EquivalentTo(new[] { "missing_volume", "missing_replica" }));

        scene.Picture = scene.Picture with { LostVolumes = [] };
        Assert.That(scene.Act().Acts.Single(), Is.EqualTo(new HealingAct.Create(new("database", 1))));
    }

    [Test]
    public void An_unhealthy_replica_is_restarted_after_a_while_and_a_database_much_later()
    {
        var scene = new Scene();
        scene.Picture = scene.Picture with { Sick = ImmutableDictionary<ContainerId, string>.Empty.Add(new("app1"), "503").Add(new("database1"), "no") };

        Assert.That(scene.Act().LookAgain, Is.EqualTo(30 * Second));
        scene.Now += 30 * Second;
        var decision = scene.Act();
        Assert.That(decision.Acts.Single().Key, Is.EqualTo(new ReplicaKey("app", 1)));
        Assert.That(decision.LookAgain, Is.EqualTo(270 * Second));
        scene.Now += 270 * Second;
        Assert.That(scene.Act().Acts.Select(act => act.Key), Has.Member(new ReplicaKey("database", 1)));
    }

    [Test]
    public void A_replica_that_a_restart_did_not_help_is_replaced_and_a_service_in_place_is_restarted_again()
    {
        var scene = new Scene(database: "healthcheck: { test: [CMD, ok] }");
        scene.Picture = scene.Picture with { Sick = ImmutableDictionary<ContainerId, string>.Empty.Add(new("app1"), "refused").Add(new("database1"), "no") };
        scene.Act();
        scene.Now += 301 * Second;
        Assert.That(scene.Act().Acts.Select(act => act.Kind), Is.EqualTo(new[] { "restart", "restart" }));

        scene.Now += 5 * Second;
        scene.Act();
        scene.Now += 31 * Second;
        var second = (HealingAct.Replace)scene.Act().Acts.Single();
        Assert.That((second.Container.Id.Value, second.Why, second.Recycles), Is.EqualTo(("app1", "it runs and is not well: refused, and a restart did not help", false)));

        scene.Now += 301 * Second;
        Assert.That(scene.Act().Acts.Single(act => act.Key.Service == "database").Kind, Is.EqualTo("restart"), "there is never a second one of it");
    }

    [Test]
    public void After_the_window_a_replica_that_is_unhealthy_is_restarted_first_again()
    {
        var scene = new Scene();
        scene.Picture = scene.Picture with { Sick = ImmutableDictionary<ContainerId, string>.Empty.Add(new("app1"), "503") };
        scene.Act();
        scene.Now += 31 * Second;
        Assert.That(scene.Act().Acts.Single().Kind, Is.EqualTo("restart"));

        scene.Picture = scene.Picture with { Sick = ImmutableDictionary<ContainerId, string>.Empty };
        scene.Now += 601 * Second;
        scene.Act();
        scene.Picture = scene.Picture with { Sick = ImmutableDictionary<ContainerId, string>.Empty.Add(new("app1"), "503") };
        scene.Act();
        scene.Now += 31 * Second;

        Assert.That(scene.Act().Acts.Single().Kind, Is.EqualTo("restart"));
    }

    [Test]
    public void A_replica_that_was_restarted_because_it_was_unhealthy_has_not_died()
    {
        var scene = new Scene { Options = new() { Deaths = 1 } };
        scene.Picture = scene.Picture with { Sick = ImmutableDictionary<ContainerId, string>.Empty.Add(new("app1"), "503") };
        scene.Act();
        scene.Now += 30 * Second;
        Assert.That(scene.Act().Acts.Single().Kind, Is.EqualTo("restart"));

        scene.Picture = scene.Picture with { Sick = ImmutableDictionary<ContainerId, string>.Empty };
        scene.Put(scene["app", 1] with { FinishedAt = Scene.Morning.AddHours(1), StartedAt = Scene.Morning.AddHours(1) });
        Assert.That(scene.Act().GivenUp, Is.Empty);
    }

    [Test]
    public void A_network_that_is_gone_is_made_and_what_is_not_on_it_joins_it()
    {
        var scene = new Scene();
        foreach (var seen in scene.Picture.Containers) scene.Put(seen with { Addresses = seen.Addresses.Remove("garden_default") });
        scene.Picture = scene.Picture with { LostNetworks = ["garden_default"] };

        var acts = scene.Decide().Acts;
        Assert.That(acts.Select(act => act.Kind), Is.EqualTo(new[] { "networks", "rejoin", "rejoin", "rejoin", "rejoin" }));
        Assert.That(acts.OfType<HealingAct.Rejoin>().Select(act => act.Networks.Single()), Is.All.EqualTo("garden_default"));
    }

    [Test]
    public void Of_too_many_replicas_the_oldest_goes_and_of_too_many_in_place_none()
    {
        var scene = new Scene();
        scene.Put(scene.Container("app", 3) with { StartedAt = Scene.Morning.AddHours(1) });
        scene.Put(scene.Container("database", 2));

        var decision = scene.Decide();
        Assert.That(decision.Acts.Single(), Is.InstanceOf<HealingAct.Remove>().And.Property("Key").EqualTo(new ReplicaKey("app", 1)));
        Assert.That(decision.Notes.Select(note => note.Kind), Is.All.EqualTo("surplus_replica"));
    }

    [Test]
    public void What_belongs_to_no_release_that_serves_is_swept_and_another_image_is_replaced_where_that_is_safe()
    {
        var scene = new Scene();
        scene.Put(scene.Container("app", 7, "stray") with { Labels = scene["app", 1].Labels.SetItem(Labels.Colour, "green").SetItem(Labels.Replica, "7") });
        scene.Put(scene["app", 2] with { ImageId = "sha256:bbb" });
        scene.Put(scene["database", 1] with { ImageId = "sha256:bbb" });

        var decision = scene.Decide();
        Assert.That(decision.Acts.Select(act => act.Kind), Is.EquivalentTo(new[] { "replace", "sweep" }));
        Assert.That(decision.Notes.Single(note => note.Service == "database").Outlook, Is.EqualTo("a deployment makes it anew"));
    }

    [Test]
    public void A_container_that_somebody_paused_and_one_that_the_engine_restarts_are_left_alone()
    {
        var scene = new Scene();
        scene.Put(scene["app", 1] with { State = ContainerState.Paused });
        scene.Put(scene["app", 2] with { State = ContainerState.Restarting, ExitCode = 1 });

        var decision = scene.Decide();
        Assert.That(decision.Acts, Is.Empty);
        Assert.That(decision.Notes.Select(note => note.Kind), Is.EqualTo(new[] { "paused", "restarting" }));
    }

    [Test]
    public void Memory_that_stays_above_the_limit_has_one_replica_replaced_at_a_time_and_a_peak_has_none()
    {
        var scene = new Scene("recycle: { memory: 100M }");
        scene.Picture = scene.Picture with { Memory = ImmutableDictionary<ContainerId, long>.Empty.Add(new("app1"), 200 << 20).Add(new("app2"), 200 << 20) };
        Assert.That((scene.Act().Acts, scene.Decide().LookAgain), Is.EqualTo((ImmutableArray<HealingAct>.Empty, TimeSpan.FromMinutes(1))));

        scene.Now += 50 * Second;
        scene.Picture = scene.Picture with { Memory = scene.Picture.Memory.SetItem(new("app1"), 50 << 20) };
        scene.Act();
        scene.Picture = scene.Picture with { Memory = scene.Picture.Memory.SetItem(new("app1"), 200 << 20) };
        scene.Now += 10 * Second;

        var act = (HealingAct.Replace)scene.Act().Acts.Single();
        Assert.That((act.Container.Id.Value, act.Recycles, act.Why), Is.EqualTo(("app2", true, "its memory, 200 MiB, has been above 100 MiB for 60 s")));
    }

    [Test]
    public void Nothing_is_recycled_while_something_of_the_service_is_amiss_and_a_service_in_place_is_restarted()
    {
        var scene = new Scene("recycle: { at: \"0 2 * * *\" }", database: "x-basmalin: { recycle: { at: \"0 2 * * *\" } }");
        scene.Picture = scene.Picture with { Due = [new("app1"), new("app2"), new("database1")] };
        scene.Put(scene["app", 2] with { State = ContainerState.Paused });

        var act = (HealingAct.Restart)scene.Decide().Acts.Single();
        Assert.That((act.Key.Service, act.Recycles), Is.EqualTo(("database", true)));
    }

    [Test]
    public void Recycling_that_fails_is_given_up_and_the_old_replica_goes_on_and_recycling_that_works_never_is()
    {
        var scene = new Scene("recycle: { at: \"0 2 * * *\" }") { Options = new() { Deaths = 2, Acts = 100 } };
        scene.Picture = scene.Picture with { Due = [new("app1")] };
        for (var time = 0; time < 5; time++)
        {
            Assert.That(scene.Act().Acts.Single().Kind, Is.EqualTo("recycle"));
            scene.Now += Second;
        }

        for (var time = 0; time < 2; time++)
        {
            Assert.That(scene.Act("its gate").Acts.Single().Kind, Is.EqualTo("recycle"));
            scene.Now += TimeSpan.FromMinutes(1);
        }

        Assert.That(scene.Act().GivenUp.Single().Detail, Is.EqualTo("garden-app-blue-1 is to be recycled (its time has come), and no new replica could take its place, 2 times in a row. The last time: its gate"));
        Assert.That(scene.Act().Acts, Is.Empty);
    }

    [Test]
    public void Pauses_double_up_to_a_minute() =>
        Assert.That(Enumerable.Range(0, 10).Select(acts => HealingPolicy.PauseAfter(acts).TotalSeconds), Is.EqualTo(new[] { 0, 1, 2, 4, 8, 16, 32, 60, 60, 60 }));
}
