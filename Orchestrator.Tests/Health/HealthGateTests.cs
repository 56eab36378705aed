using Microsoft.Extensions.Time.Testing;
using Orchestrator.Health;
using Orchestrator.Stacks;

namespace Orchestrator.Tests.Health;

[TestFixture]
public sealed class HealthGateTests
{
    private static readonly GateSpec Gate = new() { Kind = GateKind.Exec };

    private readonly FakeTimeProvider _time = new();

    private static Task<ContainerExit?> Runs(CancellationToken cancellationToken) => Task.FromResult<ContainerExit?>(null);

    [Test]
    public async Task Three_successes_and_five_quiet_seconds_open_the_gate()
    {
        var probe = new ScriptedProbe(_time, (0, false), (4, true));

        var result = await WaitAsync(probe, Runs, Gate);

        Assert.That(result.Healthy, result.Reason);
        Assert.That(result.Took.TotalSeconds, Is.EqualTo(11).Within(0.3));
        Assert.That(result.Last, Has.Length.EqualTo(5));
    }

    [Test]
    public async Task A_failure_in_the_quiet_time_starts_the_count_again()
    {
        var probe = new ScriptedProbe(_time, (0, true), (5, false), (6, true));

        var result = await WaitAsync(probe, Runs, Gate);

        Assert.That(result.Healthy, result.Reason);
        Assert.That(result.Took.TotalSeconds, Is.EqualTo(13).Within(0.3));
    }

    [Test]
    public async Task A_container_that_never_becomes_healthy_is_reported_with_its_last_probe_failure()
    {
        var result = await WaitAsync(new ScriptedProbe(_time, (0, false)), Runs, Gate);

        Assert.That(result.Healthy, Is.False);
        Assert.That(result.Reason, Is.EqualTo("not healthy within 60 s; the last probe: GET /up: 503"));
        Assert.That(result.Last.Select(probe => probe.Healthy), Is.EqualTo(new[] { false, false, false, false, false }));
        Assert.That(result.Took.TotalSeconds, Is.EqualTo(60).Within(0.3));
    }

    [Test]
    public async Task The_start_period_is_not_held_against_the_deadline()
    {
        var gate = Gate with { StartPeriod = TimeSpan.FromSeconds(30), Deadline = TimeSpan.FromSeconds(10) };
        var probe = new ScriptedProbe(_time, (0, false), (29, true));

        var result = await WaitAsync(probe, Runs, gate);

        Assert.That(result.Healthy, result.Reason);
    }

    [Test]
    public async Task An_exit_fails_the_gate_at_once_and_stops_the_probe_that_is_under_way()
    {
        Task<ContainerExit?> Exits(CancellationToken cancellationToken) =>
            Task.FromResult(_time.GetUtcNow() - _time.Start > TimeSpan.FromSeconds(3) ? new ContainerExit(137, OomKilled: true, 0, Gone: false) : null);

        var result = await WaitAsync(new EndlessProbe(), Exits, Gate);

        Assert.That(result.Healthy, Is.False);
        Assert.That(result.Exit, Is.EqualTo(new ContainerExit(137, true, 0, false)));
        Assert.That(result.Hint, Is.EqualTo(ProbeHint.OutOfMemory));
        Assert.That(result.Reason, Does.StartWith("the container was killed for want of memory (exit code 137) after "));
        Assert.That(result.Took.TotalSeconds, Is.LessThan(4.1));
    }

    [Test]
    public async Task An_exit_between_the_last_probe_and_the_verdict_counts()
    {
        var looks = 0;
        Task<ContainerExit?> ExitsAtTheSecondLook(CancellationToken cancellationToken) =>
            Task.FromResult(++looks > 1 ? new ContainerExit(1, false, 0, false) : null);

        var gate = Gate with { Successes = 1, Stable = TimeSpan.Zero };
        var result = await WaitAsync(new ScriptedProbe(_time, (0, true)), ExitsAtTheSecondLook, gate);

        Assert.That(result.Healthy, Is.False);
        Assert.That(result.Reason, Does.Contain("exited with code 1"));
    }

    [Test]
    public async Task The_deadline_ends_a_probe_that_hangs()
    {
        var result = await WaitAsync(new EndlessProbe(), Runs, Gate);

        Assert.That(result.Healthy, Is.False);
        Assert.That(result.Reason, Is.EqualTo("not healthy within 60 s; no probe came to an end"));
    }

    [Test]
    public async Task Until_the_first_answer_a_cheap_probe_is_sent_more_often_than_the_interval()
    {
        var probe = new ScriptedProbe(_time, (0, false), (0.9, true));

        await WaitAsync(probe, Runs, Gate with { Kind = GateKind.Http, Successes = 2, Stable = TimeSpan.Zero });

        Assert.That(probe.Asked.Select(at => at.TotalSeconds), Is.EqualTo(new[] { 0, 0.2, 0.4, 0.6, 0.8, 1.0, 2.0 }).Within(0.21));
    }

    [Test]
    public async Task Cancellation_is_not_a_verdict()
    {
        using var cancel = new CancellationTokenSource();
        var wait = new HealthGate(_time).WaitAsync(new EndlessProbe(), Runs, Gate, null, cancel.Token);
        await cancel.CancelAsync();

        Assert.That(async () => await wait, Throws.InstanceOf<OperationCanceledException>());
    }

    [Test]
    public async Task An_engine_that_cannot_say_whether_the_container_runs_is_not_a_verdict()
    {
        static Task<ContainerExit?> Breaks(CancellationToken cancellationToken) => throw new InvalidOperationException("engine");

        Assert.That(async () => await new HealthGate(_time).WaitAsync(new EndlessProbe(), Breaks, Gate, null, CancellationToken.None),
            Throws.InvalidOperationException);
        await Task.CompletedTask;
    }

    private async Task<GateResult> WaitAsync(IHealthProbe probe, Func<CancellationToken, Task<ContainerExit?>> observeExit, GateSpec gate)
    {
        var wait = new HealthGate(_time).WaitAsync(probe, observeExit, gate, progress: null, CancellationToken.None);
        await _time.AdvanceUntilAsync(wait, step: TimeSpan.FromMilliseconds(200), limit: 350);
        return await wait;
    }

    private sealed class EndlessProbe : IHealthProbe
    {
        public async Task<ProbeResult> ProbeAsync(CancellationToken cancellationToken)
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
            throw new InvalidOperationException("endless");
        }
    }
}
