using Orchestrator.Docker;
using Orchestrator.Stacks;

namespace Orchestrator.Tests.Docker;

public sealed class ContainerLifecycleTests
{
    private Lab _lab = null!;

    private DockerEngine Engine => _lab.Engine;

    [SetUp]
    public void Open() => _lab = new Lab();

    [TearDown]
    public async Task Close() => await _lab.DisposeAsync();

    [Test]
    public async Task The_engine_says_what_it_is()
    {
        var info = await Engine.InfoAsync(CancellationToken.None);

        Assert.Multiple(() =>
        {
            Assert.That(info.Version, Is.Not.Empty);
            Assert.That(Version.Parse(info.ApiVersion), Is.GreaterThanOrEqualTo(new Version(1, 41)));
            Assert.That(info.OperatingSystem, Is.Not.Empty);
            Assert.That(info.Architecture, Is.Not.Empty);
            Assert.That(info.Cpus, Is.Positive);
            Assert.That(info.Memory, Is.GreaterThan(100_000_000));
            Assert.That(info.RootDirectory, Does.StartWith("/"));
        });
    }

    [Test]
    public async Task A_container_is_created_once_however_often_it_is_asked_for()
    {
        var request = _lab.Request("once");
        var first = await Engine.CreateAsync(request, CancellationToken.None);
        var second = await Engine.CreateAsync(request, CancellationToken.None);

        Assert.That(second, Is.EqualTo(first));
        Assert.That((await Engine.ListAsync(_lab.Stack, CancellationToken.None)).Single().State, Is.EqualTo(ContainerState.Created));
    }

    [Test]
    public async Task A_name_that_other_settings_have_is_a_conflict()
    {
        await Engine.CreateAsync(_lab.Request("taken"), CancellationToken.None);
        var other = _lab.Request("taken", new ContainerSettings { User = "65534" });

        var thrown = await Lab.FailureAsync(() => Engine.CreateAsync(other, CancellationToken.None));

        Assert.That(thrown.Fault, Is.EqualTo(EngineFault.Conflict));
        Assert.That(thrown.Message, Does.Contain($"{_lab.Stack}-taken").And.Contain("other settings"));
    }

    [Test]
    public async Task Every_verb_may_be_said_twice()
    {
        var id = await Engine.CreateAsync(_lab.Request("twice"), CancellationToken.None);
        await Engine.StartAsync(id, CancellationToken.None);
        await Engine.StartAsync(id, CancellationToken.None);
        Assert.That((await Engine.InspectAsync(id, CancellationToken.None))!.State, Is.EqualTo(ContainerState.Running));

        await Engine.StopAsync(id, TimeSpan.Zero, CancellationToken.None);
        await Engine.StopAsync(id, TimeSpan.Zero, CancellationToken.None);
        await Engine.StopAsync(id, TimeSpan.FromSeconds(5), CancellationToken.None);
        Assert.That((await Engine.InspectAsync(id, CancellationToken.None))!.State, Is.EqualTo(ContainerState.Exited));

        await Engine.RemoveAsync(id, TimeSpan.Zero, CancellationToken.None);
        await Engine.RemoveAsync(id, TimeSpan.Zero, CancellationToken.None);
        await Engine.StopAsync(id, TimeSpan.FromSeconds(1), CancellationToken.None);
        Assert.That(await Engine.InspectAsync(id, CancellationToken.None), Is.Null);
        Assert.That(await Engine.ListAsync(_lab.Stack, CancellationToken.None), Is.Empty);
    }

    [Test]
    public async Task Removals_of_one_container_at_the_same_time_all_succeed()
    {
        var id = await _lab.RunAsync("raced");

        await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => Engine.RemoveAsync(id, TimeSpan.Zero, CancellationToken.None)));

        Assert.That(await Engine.InspectAsync(id, CancellationToken.None), Is.Null);
    }

    [Test]
    public async Task A_stop_sends_the_containers_signal_and_waits_for_it()
    {
        var id = await _lab.RunAsync(_lab.Request(
            "polite",
            new ContainerSettings { StopSignal = "SIGUSR1" },
            "sh", "-c", "trap 'echo leaving; exit 7' USR1; echo ready; while true; do sleep 0.1; done"));
        await _lab.UntilItSaysAsync(id, "ready");

        await Engine.StopAsync(id, TimeSpan.FromSeconds(10), CancellationToken.None);

        var seen = (await Engine.InspectAsync(id, CancellationToken.None))!;
        Assert.That(seen.ExitCode, Is.EqualTo(7));
        Assert.That((await Engine.TailAsync(id, 1, CancellationToken.None)).Single().Text, Is.EqualTo("leaving"));
    }

    [Test]
    public async Task A_container_that_ignores_its_signal_is_killed_after_the_grace()
    {
        var id = await _lab.RunAsync("deaf", "sh", "-c", "trap '' TERM; while true; do sleep 0.1; done");

        await Engine.StopAsync(id, TimeSpan.FromMilliseconds(300), CancellationToken.None);

        Assert.That((await Engine.InspectAsync(id, CancellationToken.None))!.ExitCode, Is.EqualTo(137));
    }

    [Test]
    public async Task A_restart_starts_anew()
    {
        var id = await _lab.RunAsync("again");
        var before = (await Engine.InspectAsync(id, CancellationToken.None))!.StartedAt;

        await Engine.RestartAsync(id, TimeSpan.Zero, CancellationToken.None);
        var between = (await Engine.InspectAsync(id, CancellationToken.None))!;
        await Engine.RestartAsync(id, TimeSpan.FromSeconds(1), CancellationToken.None);
        var after = (await Engine.InspectAsync(id, CancellationToken.None))!;

        Assert.That(between.StartedAt, Is.GreaterThan(before!));
        Assert.That(after.StartedAt, Is.GreaterThan(between.StartedAt!));
        Assert.That(after.State, Is.EqualTo(ContainerState.Running));
    }

    [Test]
    public async Task A_wait_gives_the_exit_code()
    {
        var id = await _lab.RunAsync("ends", "sh", "-c", "sleep 0.3; exit 3");

        Assert.That(await Engine.WaitAsync(id, CancellationToken.None), Is.EqualTo(3));
        Assert.That(await Engine.WaitAsync(id, CancellationToken.None), Is.EqualTo(3));
        Assert.That((await Engine.InspectAsync(id, CancellationToken.None))!.ExitCode, Is.EqualTo(3));
    }

    [Test]
    public async Task A_wait_for_what_never_ran_is_refused()
    {
        var id = await Engine.CreateAsync(_lab.Request("never"), CancellationToken.None);

        var thrown = await Lab.FailureAsync(() => Engine.WaitAsync(id, CancellationToken.None));

        Assert.That(thrown.Message, Does.Contain("never started"));
    }

    [Test]
    public async Task A_wait_is_called_off_by_its_token()
    {
        var id = await _lab.RunAsync("waited");
        using var stop = new CancellationTokenSource();
        var wait = Engine.WaitAsync(id, stop.Token);
        await stop.CancelAsync();

        Assert.That(async () => await wait, Throws.InstanceOf<OperationCanceledException>());
        Assert.That(await _lab.MetricAsync("basmalin_resilience_retries_total", "engine"), Is.Zero);
    }

    [Test]
    public async Task Memory_that_ran_out_is_said()
    {
        // A shell variable that doubles until the kernel ends it.
        var id = await _lab.RunAsync(_lab.Request(
            "greedy",
            new ContainerSettings { Resources = new ResourceLimits { Memory = 16 << 20 } },
            "sh", "-c", "x=0123456789abcdef; while true; do x=$x$x; done"));

        var code = await Engine.WaitAsync(id, CancellationToken.None);

        var seen = (await Engine.InspectAsync(id, CancellationToken.None))!;
        Assert.That((code, seen.OomKilled, seen.ExitCode), Is.EqualTo((137L, true, 137L)));
    }

    [Test]
    public async Task A_container_that_keeps_failing_shows_its_restarts()
    {
        var id = await _lab.RunAsync(_lab.Request("crashing", new ContainerSettings { Restart = new RestartPolicy("on-failure", 2) }, "sh", "-c", "exit 9"));

        ObservedContainer seen;
        do seen = (await Engine.InspectAsync(id, CancellationToken.None))!;
        while (seen.RestartCount < 2 || seen.State != ContainerState.Exited);

        Assert.That(seen.ExitCode, Is.EqualTo(9));
    }

    [Test]
    public async Task A_health_check_is_seen_with_what_it_said_when_it_failed()
    {
        var id = await _lab.RunAsync(_lab.Request("ill", new ContainerSettings
        {
            Healthcheck = new HealthcheckSpec { Test = ["CMD-SHELL", "echo no database; exit 1"], Interval = TimeSpan.FromMilliseconds(200), Retries = 1 },
        }));
        Assert.That((await Engine.InspectAsync(id, CancellationToken.None))!.Health, Is.EqualTo(DockerHealth.Starting).Or.EqualTo(DockerHealth.Unhealthy));

        ObservedContainer seen;
        do seen = (await Engine.InspectAsync(id, CancellationToken.None))!;
        while (seen.Health == DockerHealth.Starting);

        Assert.That((seen.Health, seen.HealthDetail), Is.EqualTo((DockerHealth.Unhealthy, "no database")));
    }

    [Test]
    public async Task A_list_has_only_the_stack_that_was_asked_for_and_all_of_it()
    {
        await using var other = new Lab();
        await other.Engine.CreateAsync(other.Request("elsewhere"), CancellationToken.None);
        await _lab.RunAsync("a");
        await Engine.CreateAsync(_lab.Request("b"), CancellationToken.None);

        var mine = await Engine.ListAsync(_lab.Stack, CancellationToken.None);
        var all = await Engine.ListAsync(null, CancellationToken.None);

        Assert.That(mine.Select(container => container.Service), Is.EqualTo((string[])["a", "b"]));
        Assert.That(all.Select(container => container.Stack), Does.Contain(_lab.Stack).And.Contain(other.Stack));
    }

    [Test]
    public async Task A_list_lives_with_containers_that_vanish_meanwhile()
    {
        var ids = new List<ContainerId>();
        for (var i = 0; i < 8; i++) ids.Add(await Engine.CreateAsync(_lab.Request($"brief-{i}"), CancellationToken.None));
        var removing = Task.WhenAll(ids.Select(id => Engine.RemoveAsync(id, TimeSpan.Zero, CancellationToken.None)));

        while (!removing.IsCompleted) await Engine.ListAsync(_lab.Stack, CancellationToken.None);

        await removing;
        Assert.That(await Engine.ListAsync(_lab.Stack, CancellationToken.None), Is.Empty);
    }

    [Test]
    public async Task A_port_that_is_taken_is_said_so_and_the_start_is_not_repeated()
    {
        using var holder = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        holder.Start();
        var port = ((System.Net.IPEndPoint)holder.LocalEndpoint).Port;
        var request = _lab.Request("late") with { Ports = [new PublishedPort("127.0.0.1", port, 8080, "tcp")] };
        var id = await Engine.CreateAsync(request, CancellationToken.None);

        var thrown = await Lab.FailureAsync(() => Engine.StartAsync(id, CancellationToken.None));

        Assert.That(thrown.Fault, Is.EqualTo(EngineFault.PortInUse));
        Assert.That(thrown.Message, Does.Contain($"{port}").And.Contain(id.Short));
        Assert.That(await _lab.MetricAsync("basmalin_resilience_retries_total", "engine"), Is.Zero);
    }

    [Test]
    public async Task A_program_that_is_not_there_is_a_bad_request()
    {
        var id = await Engine.CreateAsync(_lab.Request("absent", null, "/no/such/program"), CancellationToken.None);

        var thrown = await Lab.FailureAsync(() => Engine.StartAsync(id, CancellationToken.None));

        Assert.That(thrown.Fault, Is.EqualTo(EngineFault.BadRequest));
        Assert.That(thrown.Message, Does.Contain("/no/such/program"));
    }

    [Test]
    public async Task An_image_that_is_not_there_is_said()
    {
        var thrown = await Lab.FailureAsync(
            () => Engine.CreateAsync(_lab.Request("imageless") with { Image = "basmalin-test/absent:1" }, CancellationToken.None));

        Assert.That(thrown.Fault, Is.EqualTo(EngineFault.ImageNotFound));
        Assert.That(await _lab.MetricAsync("basmalin_resilience_attempts_total", "engine-once", "refused"), Is.EqualTo(1));
    }

    [Test]
    public async Task A_container_that_is_not_there_is_not_found()
    {
        var nobody = new ContainerId(new string('0', 64));

        Assert.That((await Lab.FailureAsync(() => Engine.StartAsync(nobody, CancellationToken.None))).Fault, Is.EqualTo(EngineFault.NotFound));
        Assert.That((await Lab.FailureAsync(() => Engine.WaitAsync(nobody, CancellationToken.None))).Fault, Is.EqualTo(EngineFault.NotFound));
        Assert.That((await Lab.FailureAsync(() => Engine.TailAsync(nobody, 1, CancellationToken.None))).Fault, Is.EqualTo(EngineFault.NotFound));
    }
}
