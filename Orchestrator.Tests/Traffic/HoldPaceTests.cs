using Microsoft.Extensions.Time.Testing;
using Orchestrator.Traffic;

namespace Orchestrator.Tests.Traffic;

[TestFixture]
public sealed class HoldPaceTests
{
    private readonly FakeTimeProvider _time = new();

    [Test]
    public async Task Held_requests_go_a_few_at_a_time_and_twice_as_many_each_round()
    {
        var pace = new HoldPace(8);
        var waiting = Enumerable.Range(0, 100).Select(_ => EnterAsync(pace, CancellationToken.None)).ToList();
        var rounds = new List<int>();
        while (waiting.Any(turn => !turn.IsCompleted) || waiting.Count > 0)
        {
            var gone = waiting.Where(turn => turn.IsCompleted).ToList();
            rounds.Add(gone.Count);
            waiting.RemoveAll(gone.Contains);
            foreach (var turn in gone)
            {
                Assert.That(await turn, Is.True);
                pace.Leave();
            }

            await Task.WhenAll(waiting.Take(gone.Count * 2));
        }

        Assert.That(rounds, Is.EqualTo(new[] { 8, 16, 32, 44 }));
    }

    [Test]
    public async Task Who_found_no_replica_leaves_its_place_to_the_next_one_and_to_no_more()
    {
        var pace = new HoldPace(1);
        Assert.That(await EnterAsync(pace, CancellationToken.None), Is.True);
        var (next, last) = (EnterAsync(pace, CancellationToken.None), EnterAsync(pace, CancellationToken.None));

        pace.GiveBack();
        Assert.That(await next, Is.True);
        Assert.That(last.IsCompleted, Is.False, "nothing was seen of how the application keeps up");

        pace.Leave();
        Assert.That(await last, Is.True);
    }

    [Test]
    public async Task Who_leaves_while_waiting_for_its_turn_takes_none()
    {
        var pace = new HoldPace(1);
        Assert.That(await EnterAsync(pace, CancellationToken.None), Is.True);
        using var leaving = new CancellationTokenSource();
        var gone = EnterAsync(pace, leaving.Token);
        var next = EnterAsync(pace, CancellationToken.None);
        await leaving.CancelAsync();
        Assert.That(await gone, Is.False);

        pace.Leave();

        Assert.That(await next, Is.True);
    }

    [Test]
    public async Task Nobody_waits_for_its_turn_longer_than_three_seconds()
    {
        var pace = new HoldPace(1);
        await EnterAsync(pace, CancellationToken.None);
        var slow = EnterAsync(pace, CancellationToken.None);

        _time.Advance(TimeSpan.FromMilliseconds(999));
        Assert.That(slow.IsCompleted, Is.False);
        _time.Advance(TimeSpan.FromSeconds(2.1));

        Assert.That(await slow, Is.False);
    }

    private Task<bool> EnterAsync(HoldPace pace, CancellationToken aborted) => pace.EnterAsync(TimeSpan.FromSeconds(30), _time, aborted).AsTask();
}
