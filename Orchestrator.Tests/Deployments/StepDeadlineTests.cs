using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Orchestrator.Deployments;
using Orchestrator.Docker;
using Orchestrator.Planning;
using Orchestrator.Tests.Journal.Sqlite;

namespace Orchestrator.Tests.Deployments;

/// <summary>No step holds a deployment for ever, and an undo waits for an engine that is away.</summary>
public sealed class StepDeadlineTests
{
    private JournalFixture _fixture = null!;

    private FakeTimeProvider Time => _fixture.Time;

    [SetUp]
    public async Task SetUpAsync() => _fixture = await JournalFixture.OpenAsync();

    [TearDown]
    public void TearDown() => _fixture.Dispose();

    [Test]
    public void Every_step_has_a_deadline_that_what_the_file_declares_fits_into([Values] StepKind kind)
    {
        var work = Planned("""
              app:
                image: a
                depends_on: [ side ]
                x-basmalin:
                  route: { hosts: [a.example], port: 3000 }
                  gate: { http: /, deadline: 30m }
                  migrate: [ "true" ]
                  migrate_timeout: 3h
                  shift: { steps: [10%, 100%], dwell: 20m }
                  drain: { http: 45m, websocket: 1m }
                  bake: { for: 50m }
              side: { image: a, stop_grace_period: 40m }
            """);
        var declared = kind switch
        {
            StepKind.Foundation => TimeSpan.FromMinutes(40),
            StepKind.Migrate => TimeSpan.FromHours(3),
            StepKind.Gate => TimeSpan.FromMinutes(30),
            StepKind.Shift => TimeSpan.FromMinutes(40),
            StepKind.Drain => TimeSpan.FromMinutes(45),
            StepKind.Bake => TimeSpan.FromMinutes(50),
            _ => TimeSpan.Zero,
        };

        Assert.That(StepDeadline.Of(kind, work), Is.GreaterThanOrEqualTo(declared + TimeSpan.FromMinutes(5)).And.LessThan(TimeSpan.FromDays(2)));
        Assert.That(StepDeadline.OfUndo(StepKind.Shift, work), Is.GreaterThan(TimeSpan.FromMinutes(85)), "candidates are drained, and what was in their place is made again");
        Assert.That(StepDeadline.Of(kind, Unplanned()), Is.GreaterThanOrEqualTo(TimeSpan.FromMinutes(5)), "also while there is no plan");
    }

    [Test]
    public async Task A_step_that_hangs_is_given_up_at_its_deadline_named_with_what_was_heard_last_and_undone()
    {
        var step = new ScriptedStep
        {
            Execute = async (work, token) =>
            {
                work.Report("asking the engine");
                await Task.Delay(Timeout.InfiniteTimeSpan, Time, token);
            },
        };
        var running = Runner(step).RunAsync(await BegunAsync(), StepKind.Plan, CancellationToken.None, CancellationToken.None);

        await AdvanceUntilAsync(running, TimeSpan.FromMinutes(1));

        var ended = await running;
        Assert.That((ended.State, ended.Failure?.Reason, ended.Failure?.Step), Is.EqualTo((DeploymentState.Failed, FailureReason.DeadlineExceeded, StepKind.Foundation)));
        Assert.That(ended.Failure?.Detail, Is.EqualTo("The step foundation was not done within 10 min; the last that was heard of it: asking the engine."));
        Assert.That(ended.Failure?.Hint, Does.Contain("basmalin doctor"));
        Assert.That((step.Undone, ended.Steps.Single().State), Is.EqualTo((1, StepState.Failed)));
    }

    [Test]
    public async Task An_undo_waits_for_an_engine_that_is_away_and_leaves_nothing_half_done()
    {
        var step = new ScriptedStep { Execute = (_, _) => throw Away(), Undo = attempt => attempt < 5 ? throw Away() : Task.CompletedTask };
        var running = Runner(step).RunAsync(await BegunAsync(), StepKind.Plan, CancellationToken.None, CancellationToken.None);

        await AdvanceUntilAsync(running, TimeSpan.FromSeconds(1));

        var ended = await running;
        Assert.That((ended.State, ended.Failure?.Reason, ended.Steps.Single().State, step.Undone), Is.EqualTo((DeploymentState.Failed, FailureReason.EngineUnreachable, StepState.Failed, 5)));
    }

    [Test]
    public async Task An_engine_that_never_comes_back_or_refuses_ends_the_undo_and_that_is_written_down([Values(EngineFault.Unreachable, EngineFault.Conflict)] EngineFault fault)
    {
        var step = new ScriptedStep { Execute = (_, _) => throw Away(), Undo = _ => throw new EngineException(fault, "no", null) };
        var running = Runner(step).RunAsync(await BegunAsync(), StepKind.Plan, CancellationToken.None, CancellationToken.None);

        await AdvanceUntilAsync(running, TimeSpan.FromSeconds(5));

        var ended = await running;
        Assert.That((ended.State, ended.Steps.Single().State), Is.EqualTo((DeploymentState.Failed, StepState.UndoFailed)));
        Assert.That(step.Undone, fault == EngineFault.Conflict ? Is.EqualTo(1) : Is.GreaterThan(1));
    }

    [Test]
    public async Task A_daemon_that_stops_while_an_undo_waits_leaves_it_to_its_next_start()
    {
        using var stopping = new CancellationTokenSource();
        var step = new ScriptedStep { Execute = (_, _) => throw Away(), Undo = _ => throw Away() };
        var work = await BegunAsync();
        var running = Runner(step).RunAsync(work, StepKind.Plan, CancellationToken.None, stopping.Token);
        while (step.Undone == 0) await Task.Yield();

        await stopping.CancelAsync();

        Assert.That((await running).Ended, Is.False);
        var written = await _fixture.Journal.FindDeploymentAsync(work.Deployment.Id, CancellationToken.None);
        Assert.That((written?.State, written is null ? null : Recovery.Decide(written)), Is.EqualTo((DeploymentState.Running, (RecoveryAction)new RecoveryAction.Undo(RunAgain: false))));
    }

    private static EngineException Away() => new(EngineFault.Unreachable, "Could not list: the container engine does not answer", null);

    private DeploymentRunner Runner(IDeploymentStep step) =>
        new([step], _fixture.Journal, new DeploymentEvents(), new PatientUndo(Time, NullLogger<PatientUndo>.Instance), Time, NullLogger<DeploymentRunner>.Instance);

    private async Task<DeploymentWork> BegunAsync()
    {
        var admitted = await _fixture.Journal.AdmitAsync(JournalFixture.Deploy("garden"), null, CancellationToken.None);
        var running = admitted.Deployment with { State = DeploymentState.Running, StartedAt = Time.GetUtcNow(), Before = new StackState { Stack = "garden" } };
        await _fixture.Journal.SaveDeploymentAsync(running, CancellationToken.None);
        return new(running, new StackState { Stack = "garden" }, null);
    }

    private async Task AdvanceUntilAsync(Task done, TimeSpan by)
    {
        for (var turn = 0; turn < 100_000 && !done.IsCompleted; turn++)
        {
            Time.Advance(by);
            for (var yielded = 0; yielded < 50 && !done.IsCompleted; yielded++) await Task.Yield();
        }
    }

    private static DeploymentWork Unplanned() =>
        new(new() { Id = new(1), Request = JournalFixture.Deploy("garden"), State = DeploymentState.Running, CreatedAt = default }, new StackState { Stack = "garden" }, null);

    private static DeploymentWork Planned(string services)
    {
        var stack = Stacks.Compose.Stack($"name: garden\nservices:\n{services}");
        var plan = Planner.Make(new() { Wanted = stack, State = new StackState { Stack = "garden" } });
        var work = Unplanned();
        work.Deployment = work.Deployment with { Plan = plan };
        work.Target = JournalFixture.Release("garden") with { Number = 1, Stack = stack };
        return work;
    }

    private sealed class ScriptedStep : IDeploymentStep
    {
        private int _undone;

        public StepKind Kind => StepKind.Foundation;

        public required Func<DeploymentWork, CancellationToken, Task> Execute { get; init; }

        /// <summary>Is told which attempt it is, from 1.</summary>
        public Func<int, Task> Undo { get; init; } = _ => Task.CompletedTask;

        public int Undone => Volatile.Read(ref _undone);

        public async Task<StepFailure?> ExecuteAsync(DeploymentWork work, CancellationToken cancellationToken)
        {
            await Execute(work, cancellationToken);
            return null;
        }

        public Task UndoAsync(DeploymentWork work, CancellationToken cancellationToken) => Undo(Interlocked.Increment(ref _undone));
    }
}
