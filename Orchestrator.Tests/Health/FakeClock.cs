using Microsoft.Extensions.Time.Testing;

namespace Orchestrator.Tests.Health;

internal static class FakeClock
{
    /// <summary>Turns the clock until the task is done. The one place that yields to continuations on other threads.</summary>
    public static async Task AdvanceUntilAsync(this FakeTimeProvider time, Task task, TimeSpan step, int limit)
    {
        await SettleAsync(task);
        for (var i = 0; i < limit && !task.IsCompleted; i++)
        {
            time.Advance(step);
            await SettleAsync(task);
        }

        Assert.That(task.IsCompleted, "not done within the limit of the hand-turned clock");
    }

    private static async Task SettleAsync(Task task)
    {
        for (var i = 0; i < 2 && !task.IsCompleted; i++) await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System);
    }
}
