using Orchestrator.Deployments;
using Orchestrator.Docker;
using Orchestrator.Healing;
using Orchestrator.Tests.Load;

namespace Orchestrator.Tests.Engine;

/// <summary>What breaks after its deployment comes back, on a real engine; what does not is said aloud, and the rest goes on.</summary>
internal sealed class HealingTests
{
    private static readonly HealingOptions Quick = new()
    {
        Interval = TimeSpan.FromSeconds(1),
        Window = TimeSpan.FromMinutes(2),
        Deaths = 3,
        Unhealthy = TimeSpan.FromSeconds(1),
        Memory = TimeSpan.FromSeconds(1),
    };

    private readonly ShiftedClock _clock = new();
    private readonly List<HealingNews> _news = [];
    private TestDaemon _daemon = null!;

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        _daemon = await TestDaemon.StartAsync(time: _clock, healing: Quick);
        _daemon.Get<HealingAlarm>().Raised += news =>
        {
            lock (_news) _news.Add(news);
        };
    }

    [OneTimeTearDown]
    public async Task StopAsync() => await _daemon.DisposeAsync();

    [Test]
    public async Task A_removed_replica_comes_back_under_load_and_one_that_keeps_dying_is_given_up_while_the_other_serves()
    {
        var (name, host) = await ApplyAsync((name, host) => Garden.Light(name, "1.0.0", host, replicas: 2));
        Assert.That(await DriftAsync(name), Is.Empty, "a stack that was just deployed is as its release says");

        // Without bodies: one that was half sent to a replica that is killed is never sent again.
        await using var load = OpenLoopLoad.Start(Users(host) with { Mix = new(KeepAlive: 70, NewConnection: 25, Post: 0, Slow: 5) });
        await load.SeenAsync("1.0.0", Soon());
        var before = await _daemon.ContainersAsync(name);
        await TestDaemon.DockerAsync($"rm -f {before[0].Id.Value}");
        await UntilAsync(async () => Available(name) == 2 && (await _daemon.ContainersAsync(name)).All(seen => seen.Id != before[0].Id), "the replica is back in the rotation");
        var healed = (await _daemon.ContainersAsync(name)).Single(seen => seen.Name == before[0].Name);
        Assert.That((healed.ImageId, healed.Spec, healed.Labels), Is.EqualTo((before[0].ImageId, before[0].Spec, before[0].Labels)), "it is made of exactly the same");
        Assert.That(healed.Addresses.Keys, Is.EqualTo(before[0].Addresses.Keys), "and is on the same networks");

        for (var death = 1; death <= Quick.Deaths; death++)
        {
            await UntilAsync(() => RunsAsync(healed.Id), $"it is started again before death {death}");
            await TestDaemon.DockerAsync($"kill {healed.Id.Value}");
        }

        await UntilAsync(() => Task.FromResult(NewsOf(name).Count > 0), "it is given up");
        var report = await load.StopAsync();
        TestContext.Out.WriteLine(report);
        var news = NewsOf(name).Single();
        Assert.Multiple(() =>
        {
            // An answer that had begun when its replica was killed cannot be asked for again: one at most for each of the four kills; everything else is asked of the other replica.
            Assert.That(report.Failures, Has.Length.LessThanOrEqualTo(1 + Quick.Deaths).And.All.Contains("while copying content"), report.ToString());
            Assert.That(report.Failed, Is.EqualTo(report.Failures.Length));
            Assert.That((news.Subject, news.Reason), Is.EqualTo((healed.Name, "crashLoop")));
            Assert.That(news.Detail, Does.Contain("It died 3 times within 2 min; the last time the container exited with code 137 (SIGKILL)").And.Contain("Last lines of its log"));
            Assert.That(Available(name), Is.EqualTo(1));
        });
        Assert.That((await DriftAsync(name)).Select(note => note.Kind), Is.EqualTo(new[] { "gave_up" }));

        Assert.That(_daemon.Get<Healer>().TryAgain(name), Is.EqualTo(1));
        await UntilAsync(() => Task.FromResult(Available(name) == 2), "an operator has it tried again");
    }

    [Test]
    public async Task A_service_that_is_killed_for_want_of_memory_is_named_with_its_limit_and_a_job_that_is_done_is_left_alone()
    {
        var (name, _) = await ApplyAsync((name, host) => Garden.Light(name, "1.0.0", host, tail: $$"""
              hog:
                image: {{Garden.Registry}}/redis:7
                command: ["sh", "-c", "echo eating; sleep 1; tail /dev/zero"]
                mem_limit: 24m
              job:
                image: {{Garden.Registry}}/redis:7
                command: ["sh", "-c", "echo done"]
            """));

        await UntilAsync(() => Task.FromResult(NewsOf(name).Count > 0), "it is given up");
        var news = NewsOf(name).Single();
        Assert.That((news.Subject, news.Reason), Is.EqualTo(($"{name}-hog-1", "crashLoop")));
        Assert.That(news.Detail, Does.Contain("killed for want of memory (exit code 137). It may have 24 MiB of memory.").And.Contain("eating"));
        Assert.That((await DriftAsync(name)).Select(note => (note.Kind, note.Service)), Is.EqualTo(new[] { ("gave_up", "hog") }));
        Assert.That((await _daemon.GetAsync($"{name}.example", "/up")).Status, Is.EqualTo(System.Net.HttpStatusCode.OK));
    }

    [Test]
    public async Task A_stateful_service_that_is_removed_comes_back_with_its_volume_and_one_whose_volume_is_gone_does_not()
    {
        var (name, host) = await ApplyAsync((name, host) => Garden.Light(name, "1.0.0", host, tail: $$"""
              keys:
                image: {{Garden.Registry}}/redis:7
                command: ["redis-server", "--appendonly", "yes"]
                volumes: [ "data:/data" ]
                stop_grace_period: 2s
            volumes:
              data: {}
            """));
        await RedisAsync(name, "SET kept yes");

        await TestDaemon.DockerAsync($"rm -f {name}-keys-1");
        await UntilAsync(async () => (await KeysAsync(name)) is { State: ContainerState.Running }, "the service is back");
        await UntilAsync(async () => await RedisAsync(name, "GET kept") == "yes", "with its data");

        // A network is torn away beneath it.
        await TestDaemon.DockerAsync($"network disconnect -f {name}_default {name}-keys-1");
        await UntilAsync(async () => (await KeysAsync(name))?.Addresses.ContainsKey($"{name}_default") == true, "it is on its network again");

        await TestDaemon.DockerAsync($"rm -f {name}-keys-1");
        await TestDaemon.DockerAsync($"volume rm -f {name}_data");
        if (await _daemon.Engine.FindVolumeDirectoryAsync($"{name}_data", CancellationToken.None) is not null)
        {
            // It was back between the two: together, then, while a deployment's lease keeps healing away.
            using var lease = await _daemon.Get<DeploymentQueue>().Leases.EnterAsync(name, CancellationToken.None);
            await TestDaemon.DockerAsync($"rm -f {name}-keys-1");
            await TestDaemon.DockerAsync($"volume rm -f {name}_data");
        }

        await UntilAsync(() => Task.FromResult(NewsOf(name).Any(news => news.Reason == "volumeMissing")), "the loss is said aloud");
        Assert.That(await KeysAsync(name), Is.Null, "nothing is made on an empty volume");
        Assert.That(await _daemon.Engine.FindVolumeDirectoryAsync($"{name}_data", CancellationToken.None), Is.Null);
        Assert.That((await DriftAsync(name)).Select(note => note.Kind), Has.Member("missing_volume"));
        Assert.That((await _daemon.GetAsync(host, "/up")).Status, Is.EqualTo(System.Net.HttpStatusCode.OK), "what still works goes on");
    }

    [Test]
    public async Task A_replica_that_fails_its_probes_gets_no_new_requests_before_it_is_restarted()
    {
        // It goes bad a second after the first request, and is well again when it is restarted.
        var (name, host) = await ApplyAsync((name, host) => Garden.Light(name, "1.0.0", host, settings: "  GARDEN_FAULT_FAIL_AFTER_SECONDS: \"1\"", basMalin: "probe: { every: 300ms, failures: 2 }")
            .Replace("http: /up", "http: /api/health", StringComparison.Ordinal));
        var replica = (await _daemon.ContainersAsync(name)).Single().Id;
        var available = new TaskCompletionSource<int>();
        void Hear(EngineEvent happened)
        {
            if (happened.Action == "kill" && happened.Container == replica) available.TrySetResult(Available(name));
        }

        _daemon.Get<StackRoutesKeeper>().Happened += Hear;
        await _daemon.GetAsync(host, "/api/gardens");
        Assert.That(await available.Task.WaitAsync(TimeSpan.FromSeconds(60)), Is.Zero, "when it is told to end, nothing new is sent to it");
        _daemon.Get<StackRoutesKeeper>().Happened -= Hear;
        await UntilAsync(() => Task.FromResult(Available(name) == 1), "it is in the rotation again");
    }

    [Test]
    public async Task A_replica_that_is_taken_off_its_network_gets_no_requests_until_it_is_on_it_again_and_that_is_seen_at_once()
    {
        // The beat does not come: what is seen was told by the engine.
        await using var daemon = await TestDaemon.StartAsync(healing: Quick with { Mode = HealingMode.Report, Interval = TimeSpan.FromHours(1) });
        var name = TestDaemon.NewName();
        var host = $"{name}.example";
        var deployed = await daemon.ApplyAsync(Garden.Light(name, "1.0.0", host));
        Assert.That(deployed.State, Is.EqualTo(DeploymentState.Succeeded), deployed.Failure?.ToString());
        var replica = (await daemon.ContainersAsync(name)).Single();

        await TestDaemon.DockerAsync($"network disconnect -f {name}_default {replica.Name}");
        await UntilAsync(() => Task.FromResult(daemon.Traffic.LiveOf(name)["app"].Available == 0), "nothing is sent to an address that is no longer its own");
        await UntilAsync(async () => (await daemon.Deployments.StatusAsync(name, CancellationToken.None))?.Drift.Any(note => note.Kind == "off_network") == true, "it is shown");

        await TestDaemon.DockerAsync($"network connect {name}_default {replica.Name}");
        await UntilAsync(() => Task.FromResult(daemon.Traffic.LiveOf(name)["app"].Available == 1), "it is in the rotation again");
        Assert.That((await daemon.GetAsync(host, "/up")).Status, Is.EqualTo(System.Net.HttpStatusCode.OK));
    }

    [Test]
    public async Task Who_loses_a_network_while_a_deployment_is_at_the_stack_is_on_it_again_at_once()
    {
        const string Trial = "shift: { steps: [1%, 100%], dwell: 30m, min_requests: 100000 }";
        var keys = $$"""
              keys:
                image: {{Garden.Registry}}/redis:7
                stop_grace_period: 1s
            """;
        await using var daemon = await TestDaemon.StartAsync(healing: Quick);
        var name = TestDaemon.NewName();
        var host = $"{name}.example";
        var first = await daemon.ApplyAsync(Garden.Light(name, "1.0.0", host, basMalin: Trial, tail: keys));
        Assert.That(first.State, Is.EqualTo(DeploymentState.Succeeded), first.Failure?.ToString());
        var before = await daemon.ContainersAsync(name);
        var trial = await daemon.SubmitAsync(daemon.Request(Garden.Light(name, "2.0.0", host, basMalin: Trial, tail: keys)));
        await daemon.ReachesAsync(trial, StepKind.Shift);

        foreach (var seen in before) await TestDaemon.DockerAsync($"network disconnect -f {name}_default {seen.Id.Value}");
        foreach (var seen in before)
            await UntilAsync(async () => (await daemon.Engine.InspectAsync(seen.Id, CancellationToken.None))?.Addresses.ContainsKey($"{name}_default") == true, $"{seen.Name} is on its network again");
        await UntilAsync(() => Task.FromResult(daemon.Traffic.LiveOf(name)["app"].Available == 1), "it is in the rotation again");

        Assert.That((await daemon.Journal.FindDeploymentAsync(trial, CancellationToken.None))?.State, Is.EqualTo(DeploymentState.Running), "nobody waited for its end");
        await daemon.Deployments.CancelAsync(trial, CancellationToken.None);
        Assert.That((await daemon.EndAsync(trial)).State, Is.EqualTo(DeploymentState.Cancelled));
        Assert.That((await daemon.GetAsync(host, "/up")).Version, Is.EqualTo("1.0.0"));
    }

    /// <summary>SIGSTOP: the engine calls it running, and nothing ever answers.</summary>
    [Test]
    public async Task A_replica_that_hangs_is_restarted_and_serves_again()
    {
        var (name, host) = await ApplyAsync((name, host) => Garden.Light(name, "1.0.0", host, settings: "stop_grace_period: 1s", basMalin: "probe: { every: 1s, failures: 2 }", replicas: 2).Replace("    stop_grace_period: 5s\n", "", StringComparison.Ordinal));
        var hung = (await _daemon.ContainersAsync(name))[0];
        await TestDaemon.DockerAsync($"kill --signal STOP {hung.Id.Value}");
        await UntilAsync(() => Task.FromResult(Available(name) == 1), "it is out of the rotation");
        Assert.That((await _daemon.GetAsync(host, "/up")).Status, Is.EqualTo(System.Net.HttpStatusCode.OK), "the other serves");

        await UntilAsync(async () => Available(name) == 2 && await _daemon.Engine.InspectAsync(hung.Id, CancellationToken.None) is { State: ContainerState.Running } back && back.StartedAt > hung.StartedAt, "it was restarted, and is in the rotation");
    }

    [Test]
    public async Task A_network_that_is_torn_away_from_everybody_and_removed_is_made_again_with_everybody_on_it()
    {
        var (name, host) = await ApplyAsync((name, host) => Garden.Light(name, "1.0.0", host, tail: $$"""
              keys:
                image: {{Garden.Registry}}/redis:7
                stop_grace_period: 1s
            """));
        var before = await _daemon.ContainersAsync(name);

        foreach (var network in before.SelectMany(seen => seen.Addresses.Keys).Distinct())
        {
            foreach (var seen in before) await TestDaemon.DockerAsync($"network disconnect -f {network} {seen.Id.Value}");
            await TestDaemon.DockerAsync($"network rm {network}");
        }

        // One of them has to be made anew besides, on networks that are not there.
        await TestDaemon.DockerAsync($"rm -f {name}-keys-1");

        await UntilAsync(async () => (await _daemon.ContainersAsync(name)) is var now && now.Length == before.Length && now.Zip(before).All(pair => pair.First.State == ContainerState.Running && pair.First.Addresses.Keys.SequenceEqual(pair.Second.Addresses.Keys)), "all are on their networks");
        await UntilAsync(async () => (await _daemon.GetAsync(host, "/up")).Status == System.Net.HttpStatusCode.OK, "it serves");
        await UntilAsync(async () => (await DriftAsync(name)).Count == 0, "all is as the release says");
        Assert.That(NewsOf(name), Is.Empty, "nothing was given up");
    }

    [Test]
    public async Task A_lone_replica_that_keeps_too_much_memory_is_replaced_under_load_without_loss_and_so_is_one_whose_time_has_come()
    {
        var (name, host) = await ApplyAsync((name, host) => Garden.Light(name, "1.0.0", host, basMalin: "recycle: { memory: 4M, at: \"0 2 * * *\", zone: Europe/Sarajevo }"));
        var first = (await _daemon.ContainersAsync(name)).Single().Id;
        await using var load = OpenLoopLoad.Start(Users(host) with { WebSocketPath = "/api/ws" });
        await load.SeenAsync("1.0.0", Soon());
        await UntilAsync(async () => (await _daemon.ContainersAsync(name)).All(seen => seen.Id != first), "its memory is above the limit");

        // The limit is taken away by a deployment that touches no container; the time remains.
        var second = await _daemon.ApplyAsync(Garden.Light(name, "1.0.0", host, basMalin: "recycle: { at: \"0 2 * * *\", zone: Europe/Sarajevo }"));
        Assert.That(second.State, Is.EqualTo(DeploymentState.Succeeded), second.Failure?.ToString());
        await UntilAsync(async () => (await _daemon.ContainersAsync(name)).Length == 1, "nothing is left of what healing gave up for the deployment");
        var quiet = (await _daemon.ContainersAsync(name)).Single().Id;
        _clock.Offset = TimeSpan.FromDays(1);
        await UntilAsync(async () => (await _daemon.ContainersAsync(name)).All(seen => seen.Id != quiet), "its time has come");
        _clock.Offset = TimeSpan.Zero;

        var report = await load.StopAsync();
        TestContext.Out.WriteLine(report);
        Assert.That(report.Failed, Is.Zero, report.ToString());
        Assert.That(report.WebSocketCloses, Is.All.EqualTo(1012), "WebSockets are asked to come back, not cut");
    }

    private async Task<(string Name, string Host)> ApplyAsync(Func<string, string, string> yaml)
    {
        var name = TestDaemon.NewName();
        var host = $"{name}.example";
        var deployed = await _daemon.ApplyAsync(yaml(name, host));
        Assert.That(deployed.State, Is.EqualTo(DeploymentState.Succeeded), deployed.Failure?.ToString());
        return (name, host);
    }

    private LoadOptions Users(string host) => new() { Address = _daemon.Edge, Host = host, Rate = 40, Timeout = TimeSpan.FromSeconds(20) };

    private int Available(string stack) => _daemon.Traffic.LiveOf(stack)["app"].Available;

    private async Task<bool> RunsAsync(ContainerId id) => await _daemon.Engine.InspectAsync(id, CancellationToken.None) is { State: ContainerState.Running };

    private async Task<ObservedContainer?> KeysAsync(string stack) => (await _daemon.ContainersAsync(stack)).SingleOrDefault(seen => seen.Service == "keys");

    private static async Task<string> RedisAsync(string stack, string command) => (await TestDaemon.DockerAsync($"exec {stack}-keys-1 redis-cli {command}")).Trim();

    private async Task<IReadOnlyList<DriftNote>> DriftAsync(string stack) =>
        (await _daemon.Deployments.StatusAsync(stack, CancellationToken.None))?.Drift ?? throw new InvalidOperationException($"There is no stack {stack}.");

    private List<HealingNews> NewsOf(string stack)
    {
        lock (_news) return [.. _news.Where(news => news.Stack == stack)];
    }

    private static async Task UntilAsync(Func<Task<bool>> happened, string what)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (!await happened())
        {
            if (limit.IsCancellationRequested) Assert.Fail($"It was waited in vain: {what}");
            await Task.Yield();
        }
    }

    private static CancellationToken Soon() => new CancellationTokenSource(TimeSpan.FromSeconds(40)).Token;

    /// <summary>The wall clock can be set; what is measured goes on as it does in a kernel.</summary>
    private sealed class ShiftedClock : TimeProvider
    {
        private long _offset;

        public TimeSpan Offset
        {
            set => Interlocked.Exchange(ref _offset, value.Ticks);
        }

        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + new TimeSpan(Interlocked.Read(ref _offset));
    }
}
