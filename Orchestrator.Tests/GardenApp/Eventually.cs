using System.Diagnostics;

namespace Orchestrator.Tests.GardenApp;

/// <summary>Waits for something outside the process that cannot call back.</summary>
internal static class Eventually
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    /// <param name="patience">Null: a minute, which is enough for what is no work.</param>
    internal static async Task TrueAsync(Func<Task<bool>> condition, string what, TimeSpan? patience = null)
    {
        var limit = patience ?? Patience;
        var watch = Stopwatch.StartNew();
        while (!await condition())
        {
            if (watch.Elapsed > limit) Assert.Fail($"within {limit.TotalSeconds} s it did not come to pass that {what}");
            await Task.Delay(Pause, TimeProvider.System, CancellationToken.None);
        }
    }
}
