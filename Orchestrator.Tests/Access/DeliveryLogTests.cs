using Orchestrator.Access;
using Orchestrator.Tests.Journal.Sqlite;

namespace Orchestrator.Tests.Access;

[TestFixture]
public sealed class DeliveryLogTests
{
    [Test]
    public async Task A_delivery_is_taken_once_and_forgotten_after_thirty_days()
    {
        using var fixture = await JournalFixture.OpenAsync();
        var deliveries = new DeliveryLog(fixture.Database);
        var at = fixture.Time.GetUtcNow();

        var taken = await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => Task.Run(() => deliveries.TryAddAsync("garden", "d1", at, CancellationToken.None))));

        Assert.That(taken.Count(added => added), Is.EqualTo(1));
        Assert.That(await deliveries.TryAddAsync("shop", "d1", at, CancellationToken.None), Is.True, "another stack, another sender");
        Assert.That(await deliveries.TryAddAsync("garden", "d1", at + TimeSpan.FromDays(30), CancellationToken.None), Is.False);
        Assert.That(await deliveries.TryAddAsync("garden", "d1", at + TimeSpan.FromDays(31), CancellationToken.None), Is.True);
    }
}
