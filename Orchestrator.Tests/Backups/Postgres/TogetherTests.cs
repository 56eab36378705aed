using Orchestrator.Backups.Postgres;

namespace Orchestrator.Tests.Backups.Postgres;

public sealed class TogetherTests
{
    [Test]
    public async Task Both_results_are_there()
    {
        Assert.That(await Together.RunAsync(_ => Task.FromResult(1), async token => { await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System, token); return "two"; }, CancellationToken.None), Is.EqualTo((1, "two")));
    }

    [TestCase(true)]
    [TestCase(false)]
    public async Task What_fails_first_ends_the_other_and_is_thrown_when_that_has_ended(bool first)
    {
        var ended = false;
        Func<CancellationToken, Task<int>> failing = async _ => { await Task.Yield(); throw new IOException("full"); };
        Func<CancellationToken, Task<int>> waiting = async token =>
        {
            try
            {
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, token);
                return 1;
            }
            finally
            {
                await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, CancellationToken.None);
                ended = true;
            }
        };

        var run = first ? Together.RunAsync(failing, waiting, CancellationToken.None) : Together.RunAsync(waiting, failing, CancellationToken.None);
        var failure = await Task.WhenAny(run).ContinueWith(_ => run.Exception?.InnerException, TaskScheduler.Default);

        Assert.That((failure?.Message, ended), Is.EqualTo(("full", true)));
    }

    [Test]
    public async Task Who_fails_second_is_not_passed_over()
    {
        var run = Together.RunAsync(_ => Task.FromResult(1), async Task<int> (token) => { await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, token); throw new IOException("late"); }, CancellationToken.None);
        await Task.WhenAny(run);

        Assert.That(run.Exception?.InnerException?.Message, Is.EqualTo("late"));
    }

    [Test]
    public async Task The_callers_wish_to_stop_ends_both()
    {
        using var stopping = new CancellationTokenSource();
        var run = Together.RunAsync(Forever, Forever, stopping.Token);
        await stopping.CancelAsync();
        await Task.WhenAny(run);

        Assert.That(run.IsCanceled, Is.True);

        static async Task<int> Forever(CancellationToken token)
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, token);
            return 1;
        }
    }
}
