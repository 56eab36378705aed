using System.Net;
using Orchestrator.Deployments;

namespace Orchestrator.Tests.Engine;

/// <summary>What is wrong with one stack's record is no other's business.</summary>
internal sealed class QuarantineTests
{
    [Test]
    public async Task A_stack_whose_release_is_damaged_is_served_from_the_labels_of_its_containers_and_says_so_and_nothing_is_deployed_onto_it()
    {
        await using var daemon = await TestDaemon.StartAsync();
        var (torn, whole) = (TestDaemon.NewName(), TestDaemon.NewName());
        foreach (var name in new[] { torn, whole })
            Assert.That((await daemon.ApplyAsync(Garden.Light(name, "1.0.0", $"{name}.example"))).State, Is.EqualTo(DeploymentState.Succeeded));

        await daemon.DamageAsync("UPDATE releases SET manifest = replace(manifest, '3000', '3001') WHERE stack = @Stack", new { Stack = torn });
        await daemon.RestartAsync();

        Assert.That((await daemon.GetAsync($"{whole}.example", "/version")).Version, Is.EqualTo("1.0.0"));
        Assert.That((await daemon.GetAsync($"{torn}.example", "/version")).Version, Is.EqualTo("1.0.0"));
        Assert.That(async () => await daemon.DeployAsync(torn, "app", Garden.Image("2.0.0")), Throws.TypeOf<Orchestrator.Journal.JournalException>());
        var status = await daemon.Deployments.StatusAsync(CancellationToken.None);
        Assert.That(status.Single(stack => stack.Stack == torn).Problem, Does.Contain("does not fit its checksum"));
        Assert.That(status.Single(stack => stack.Stack == whole).Problem, Is.Null);
        Assert.That((await daemon.Deployments.StatusAsync(torn, CancellationToken.None))?.Problem, Is.Not.Null);

        await daemon.DamageAsync("UPDATE releases SET manifest = replace(manifest, '3001', '3000') WHERE stack = @Stack", new { Stack = torn });
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        while ((await daemon.Deployments.StatusAsync(torn, limit.Token))?.Problem is not null) await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, limit.Token);
        Assert.That((await daemon.GetAsync($"{torn}.example", "/version")).Version, Is.EqualTo("1.0.0"), "once the record is whole again it is served without being told");
    }

    [Test]
    public async Task A_stack_whose_current_record_is_damaged_is_served_from_the_record_before_it_only_if_that_is_what_runs()
    {
        await using var daemon = await TestDaemon.StartAsync();
        var name = TestDaemon.NewName();
        foreach (var tag in new[] { "1.0.0", "2.0.0" })
            Assert.That((await daemon.ApplyAsync(Garden.Light(name, tag, $"{name}.example"))).State, Is.EqualTo(DeploymentState.Succeeded));

        // The record before it is of the same deployment: the shift, before the commit.
        await daemon.DamageAsync("UPDATE stack_states SET content = replace(content, 'green', 'blue') WHERE generation = (SELECT MAX(generation) FROM stack_states WHERE stack = @Stack) AND stack = @Stack", new { Stack = name });
        await daemon.RestartAsync();
        Assert.That((await daemon.GetAsync($"{name}.example", "/version")).Version, Is.EqualTo("2.0.0"));
        Assert.That((await daemon.Deployments.StatusAsync(CancellationToken.None)).Single(stack => stack.Stack == name).Problem, Does.Contain("does not fit its checksum"));

        // And when that one says what does not run any more, the engine is believed.
        await daemon.DamageAsync("DELETE FROM stack_states WHERE stack = @Stack AND generation < (SELECT MAX(generation) FROM stack_states WHERE stack = @Stack)", new { Stack = name });
        await daemon.RestartAsync();
        Assert.That((await daemon.GetAsync($"{name}.example", "/version")).Version, Is.EqualTo("2.0.0"));

        var report = await daemon.RepairAsync();
        Assert.That(report.Done, string.Join('\n', report.Steps));
        Assert.That((await daemon.StateAsync(name)).Live["app"].Release, Is.EqualTo(2));
        Assert.That((await daemon.DeployAsync(name, "app", Garden.Image("1.0.0"))).State, Is.EqualTo(DeploymentState.Succeeded));
    }

    [Test]
    public async Task A_quarantined_stack_is_not_laid_anew_beneath_a_deployment_that_is_under_way_but_after_it()
    {
        await using var daemon = await TestDaemon.StartAsync();
        var name = TestDaemon.NewName();
        Assert.That((await daemon.ApplyAsync(Garden.Light(name, "1.0.0", $"{name}.example"))).State, Is.EqualTo(DeploymentState.Succeeded));
        var routes = daemon.Get<StackRoutesKeeper>();

        // Its gate asks for what there is not, for 3 s.
        var hangs = await daemon.SubmitAsync(daemon.Request(Garden.Light(name, "2.0.0", $"{name}.example").Replace("http: /up", "http: /nowhere", StringComparison.Ordinal).Replace("deadline: 15s", "deadline: 3s", StringComparison.Ordinal)));
        await daemon.ReachesAsync(hangs, StepKind.Gate);
        routes.Quarantine(name, "as if its record had been damaged at start");
        Assert.That(await routes.TryRestoreAsync(name, CancellationToken.None), Is.False, "the deployment lays its own");

        Assert.That((await daemon.EndAsync(hangs)).State, Is.EqualTo(DeploymentState.Failed));
        Assert.That(await routes.TryRestoreAsync(name, CancellationToken.None) || daemon.Traffic.ProblemOf(name) is null, "by this attempt, or by the one of every ten seconds");
        Assert.That(await routes.TryRestoreAsync(name, CancellationToken.None), Is.False, "once is enough: what a deployment lays from now on stays");
        Assert.That((await daemon.GetAsync($"{name}.example", "/version")).Version, Is.EqualTo("1.0.0"));
    }

    [Test]
    public async Task A_replica_whose_address_changed_without_an_event_is_found_and_no_request_fails_meanwhile()
    {
        await using var daemon = await TestDaemon.StartAsync();
        var name = TestDaemon.NewName();
        Assert.That((await daemon.ApplyAsync(Garden.Light(name, "1.0.0", $"{name}.example"))).State, Is.EqualTo(DeploymentState.Succeeded));
        var before = (await daemon.ContainersAsync(name)).Single();
        var network = before.Addresses.Keys.First(key => key.EndsWith("_default", StringComparison.Ordinal));

        // Somebody else takes its address while it is away.
        await TestDaemon.DockerAsync($"network disconnect {network} {before.Id.Value}");
        await TestDaemon.DockerAsync($"run -d --label basmalin.stack={name} --name {name}-other --network {network} {Garden.Registry}/redis:7");
        await TestDaemon.DockerAsync($"network connect {network} {before.Id.Value}");
        var after = (await daemon.ContainersAsync(name)).Single(seen => seen.Service == "app");
        Assert.That(after.Addresses[network], Is.Not.EqualTo(before.Addresses[network]));

        var answer = await daemon.GetAsync($"{name}.example", "/version");
        Assert.That((answer.Status, answer.Version), Is.EqualTo((HttpStatusCode.OK, "1.0.0")), "held until it was found");
    }
}
