using Orchestrator.Docker;
using Orchestrator.Health;
using Orchestrator.Stacks;
using Orchestrator.Tests.Docker;

namespace Orchestrator.Tests.Health;

/// <summary>Probes and the gate against real containers.</summary>
[TestFixture]
public sealed class EngineProbeTests
{
    private static readonly GateSpec Quick = new()
    {
        Kind = GateKind.Running,
        Interval = TimeSpan.FromMilliseconds(100),
        Successes = 2,
        Stable = TimeSpan.FromMilliseconds(300),
        Deadline = TimeSpan.FromSeconds(20),
    };

    private Lab _lab = null!;

    [OneTimeSetUp]
    public Task MakeTheImage() => new DockerSetUp().MakeTheImage();

    [SetUp]
    public void Open() => _lab = new Lab();

    [TearDown]
    public async Task Close() => await _lab.DisposeAsync();

    [TestCase("true", true, "exit code 0")]
    [TestCase("echo DATABASE_URL is not set; exit 3", false, "exit code 3: DATABASE_URL is not set")]
    [TestCase("sleep 60", false, "not done within 2 s")]
    public async Task A_command_in_the_container_decides(string command, bool healthy, string said)
    {
        var id = await _lab.RunAsync("app", "sleep", "600");

        var result = await ProbeAsync(new ExecProbe(_lab.Engine, id, ["sh", "-c", command], TimeSpan.FromSeconds(2), TimeProvider.System));

        Assert.That(result.Healthy, Is.EqualTo(healthy), result.Detail);
        Assert.That(result.Detail, Does.Contain(said));
    }

    [Test]
    public async Task A_command_that_is_not_in_the_image_is_named_as_such()
    {
        var id = await _lab.RunAsync("app", "sleep", "600");

        var result = await ProbeAsync(new ExecProbe(_lab.Engine, id, ["/no/curl"], TimeSpan.FromSeconds(5), TimeProvider.System));

        Assert.That((result.Healthy, result.Hint), Is.EqualTo((false, ProbeHint.MissingFile)), result.Detail);
    }

    [Test]
    public async Task A_container_that_does_not_run_is_a_result_for_every_probe()
    {
        var id = await _lab.Engine.CreateAsync(_lab.Request("app"), CancellationToken.None);
        IHealthProbe[] probes =
        [
            new ExecProbe(_lab.Engine, id, ["true"], TimeSpan.FromSeconds(5), TimeProvider.System),
            new DockerHealthProbe(_lab.Engine, id),
            new RunningProbe(_lab.Engine, id),
        ];
        var gone = new ContainerId(new string('0', 64));

        foreach (var probe in probes) Assert.That((await ProbeAsync(probe)).Healthy, Is.False, probe.GetType().Name);
        Assert.That((await ProbeAsync(new RunningProbe(_lab.Engine, gone))).Healthy, Is.False);
        Assert.That((await ProbeAsync(new DockerHealthProbe(_lab.Engine, gone))).Detail, Does.Contain("no such container"));
    }

    [Test]
    public async Task The_health_check_of_the_container_opens_the_gate()
    {
        var settings = new ContainerSettings
        {
            Healthcheck = new HealthcheckSpec { Test = ["CMD-SHELL", "test -e /tmp/ready || { echo not yet; exit 1; }"], Interval = TimeSpan.FromSeconds(1) },
        };
        var id = await _lab.RunAsync(_lab.Request("app", settings, "sh", "-c", "sleep 2; touch /tmp/ready; sleep 600"));

        var result = await WaitAsync(new DockerHealthProbe(_lab.Engine, id), id, Quick);

        Assert.That(result.Healthy, result.Reason);
        Assert.That(result.Took, Is.GreaterThan(TimeSpan.FromSeconds(1.5)));
    }

    [Test]
    public async Task A_container_without_a_health_check_is_told_to_get_one()
    {
        var id = await _lab.RunAsync("app", "sleep", "600");

        var result = await ProbeAsync(new DockerHealthProbe(_lab.Engine, id));

        Assert.That((result.Healthy, result.Hint), Is.EqualTo((false, ProbeHint.NoHealthcheck)));
    }

    [Test]
    public async Task An_exit_fails_the_gate_at_once_with_its_code()
    {
        var id = await _lab.RunAsync("app", "sh", "-c", "sleep 1; exit 42");

        var result = await WaitAsync(new RunningProbe(_lab.Engine, id), id, Quick with { Stable = TimeSpan.FromSeconds(15) });

        Assert.That(result.Healthy, Is.False);
        Assert.That((result.Exit?.ExitCode, result.Exit?.OomKilled), Is.EqualTo((42, false)));
        Assert.That(result.Reason, Does.StartWith("the container exited with code 42"));
        Assert.That(result.Took, Is.LessThan(TimeSpan.FromSeconds(10)), "long before the window or the deadline is over");
    }

    [Test]
    public async Task A_container_that_the_engine_keeps_restarting_never_passes()
    {
        var settings = new ContainerSettings { Restart = new RestartPolicy("always", 0) };
        var id = await _lab.RunAsync(_lab.Request("app", settings, "sh", "-c", "sleep 0.2; exit 1"));

        var result = await WaitAsync(new RunningProbe(_lab.Engine, id), id, Quick with { Stable = TimeSpan.FromSeconds(15) });

        Assert.That(result.Healthy, Is.False);
        Assert.That(result.Exit, Is.Not.Null, result.Reason);
    }

    [Test]
    public async Task Memory_that_runs_out_is_named()
    {
        var settings = new ContainerSettings { Resources = new ResourceLimits { Memory = 16 * 1024 * 1024 } };
        var id = await _lab.RunAsync(_lab.Request("app", settings, "sh", "-c", "sleep 1; exec tail /dev/zero"));

        var result = await WaitAsync(new RunningProbe(_lab.Engine, id), id, Quick with { Stable = TimeSpan.FromSeconds(15) });

        Assert.That((result.Exit?.ExitCode, result.Exit?.OomKilled, result.Hint), Is.EqualTo((137, true, ProbeHint.OutOfMemory)), result.Reason);
    }

    [Test]
    public async Task An_application_on_another_port_is_reached_when_the_right_one_is_named()
    {
        var network = await _lab.NetworkAsync("default");
        var request = _lab.Request("app", null, "sh", "-c", "mkdir /tmp/www; echo ok > /tmp/www/up; exec httpd -f -p 8081 -h /tmp/www") with
        {
            Networks = [new NetworkJoin(network, ["app"])],
        };
        var id = await _lab.RunAsync(request);
        var address = (await _lab.Engine.InspectAsync(id, CancellationToken.None))!.Addresses[network];
        var factory = new ProbeFactory(_lab.Engine, TimeProvider.System);
        var gate = Quick with { Kind = GateKind.Http, Http = "/up" };

        var right = await WaitAsync(factory.Create(gate, id, address, 8081, ["*.example", "garden.example"]), id, gate);
        var wrong = await WaitAsync(factory.Create(gate, id, address, 8080, []), id, gate with { Deadline = TimeSpan.FromSeconds(1) });

        Assert.That(right.Healthy, right.Reason);
        Assert.That(right.Reason, Does.Contain("Host: garden.example"));
        Assert.That((wrong.Healthy, wrong.Hint), Is.EqualTo((false, ProbeHint.WrongPort)), wrong.Reason);
        Assert.That(wrong.Reason, Does.Contain($"GET http://{address}:8080/up: connection refused"));
    }

    private static Task<ProbeResult> ProbeAsync(IHealthProbe probe) => probe.ProbeAsync(CancellationToken.None);

    private Task<GateResult> WaitAsync(IHealthProbe probe, ContainerId id, GateSpec gate) => new HealthGate(TimeProvider.System)
        .WaitAsync(probe, new ExitWatch(_lab.Engine, id, restartsBefore: 0).ObserveAsync, gate, progress: null, CancellationToken.None);
}
