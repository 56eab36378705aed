using System.Collections.Immutable;
using System.Net.ServerSentEvents;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Orchestrator.Agent.StatusPage;
using Orchestrator.Deployments;
using Orchestrator.Docker;
using Orchestrator.Tests.Health;

namespace Orchestrator.Tests.StatusPage;

public sealed class LiveStreamTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly DeploymentEvents _events = new();
    private StackBoard _stack = null!;
    private string? _problem;
    private int _reads;
    private bool _mayStay = true;
    private StatusBoard _board = null!;
    private LiveStream _stream = null!;

    [SetUp]
    public void SetUp()
    {
        var now = _time.GetUtcNow();
        (_stack, _problem, _reads, _mayStay) = (Samples.Board(now), null, 0, true);
        var feed = new StatusFeed(ReadAsync, (_, _) => Task.FromResult(_stack.Recent), (_, _) => Task.FromResult(_stack.Releases), WatchAsync);
        _board = new StatusBoard(feed, _time, NullLogger<StatusBoard>.Instance);
        _stream = new LiveStream(feed, _board, new TrafficPulse(Pulses.Router(), _time), new Assets(), _time);
    }

    [TearDown]
    public void TearDown() => _board.Dispose();

    [Test]
    public async Task A_stream_says_who_it_is_and_how_things_are_and_then_nothing_until_something_happens()
    {
        using var stop = new CancellationTokenSource();
        var heard = new List<SseItem<string>>();
        var listening = ListenAsync(heard, stop.Token);
        await _time.AdvanceUntilAsync(Until(() => heard.Count >= 2), TimeSpan.FromMilliseconds(100), 50);
        await _time.AdvanceUntilAsync(Until(() => _reads >= 4), TimeSpan.FromMilliseconds(500), 50);
        Assert.That(heard.Select(item => item.EventType), Is.EqualTo(new[] { "hello", "patch" }));

        var running = Samples.Running(_time.GetUtcNow());
        _stack = _stack.With(running);
        _events.Publish(new(running, StepKind.Start, null, _time.GetUtcNow()));
        await _time.AdvanceUntilAsync(Until(() => heard.Count >= 3), TimeSpan.FromMilliseconds(100), 50);
        Assert.That(heard[2].Data, Does.Contain("under-way-15"));

        await stop.CancelAsync();
        await listening;
    }

    [Test]
    public async Task A_stream_ends_when_the_visitor_may_no_longer_look()
    {
        var listening = ListenAsync([], CancellationToken.None);
        await _time.AdvanceUntilAsync(Until(() => _reads >= 2), TimeSpan.FromMilliseconds(500), 50);
        Assert.That(listening.IsCompleted, Is.False);

        _mayStay = false;
        await _time.AdvanceUntilAsync(listening, TimeSpan.FromMilliseconds(500), 10);
    }

    [Test]
    public async Task Those_who_look_at_the_same_time_are_served_by_one_reading()
    {
        var since = _time.GetUtcNow();
        var boards = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => _board.ReadAsync(since, CancellationToken.None)));

        Assert.That(_reads, Is.EqualTo(1));
        Assert.That(boards, Is.All.SameAs(boards[0]));
    }

    [Test]
    public async Task While_the_engine_does_not_answer_what_was_seen_last_is_shown_with_the_reason()
    {
        await _board.ReadAsync(_time.GetUtcNow(), CancellationToken.None);
        _problem = "cannot connect";
        _time.Advance(TimeSpan.FromSeconds(5));
        var stale = await _board.ReadAsync(_time.GetUtcNow(), CancellationToken.None);
        _problem = null;
        _time.Advance(TimeSpan.FromSeconds(5));
        var fresh = await _board.ReadAsync(_time.GetUtcNow(), CancellationToken.None);

        using (Assert.EnterMultipleScope())
        {
            Assert.That(stale.Stacks, Has.Length.EqualTo(1));
            Assert.That(stale.Problem, Is.EqualTo("cannot connect"));
            Assert.That(fresh.Problem, Is.Null);
        }
    }

    private async Task ListenAsync(List<SseItem<string>> heard, CancellationToken cancellationToken)
    {
        await foreach (var item in _stream.RunAsync(Samples.Operator, _ => Task.FromResult(_mayStay), cancellationToken)) heard.Add(item);
    }

    private static async Task Until(Func<bool> holds)
    {
        while (!holds()) await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System);
    }

    private Task<ImmutableArray<StackStatus>> ReadAsync(CancellationToken cancellationToken)
    {
        _reads++;
        return _problem is null ? Task.FromResult(ImmutableArray.Create(_stack.Status)) : throw new EngineException(EngineFault.Unreachable, _problem, null);
    }

    private async IAsyncEnumerable<DeploymentEvent> WatchAsync([System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var subscription = _events.Subscribe();
        await foreach (var happened in subscription.ReadAsync(cancellationToken)) yield return happened;
    }
}
