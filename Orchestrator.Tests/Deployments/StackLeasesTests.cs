using Orchestrator.Deployments;

namespace Orchestrator.Tests.Deployments;

/// <summary>Deployments go first.</summary>
public sealed class StackLeasesTests
{
    [Test]
    public async Task Whoever_borrowed_is_asked_to_give_way_and_nobody_borrows_what_is_waited_for()
    {
        var leases = new StackLeases();
        var loan = leases.TryBorrow("garden");
        Assert.That(loan, Is.Not.Null);
        Assert.That(leases.TryBorrow("garden"), Is.Null, "one at a time");
        using var other = leases.TryBorrow("another");
        Assert.That(other, Is.Not.Null, "stacks are independent of each other");

        var deployment = leases.EnterAsync("garden", CancellationToken.None);
        Assert.That((loan!.GiveWay.IsCancellationRequested, deployment.IsCompleted), Is.EqualTo((true, false)));
        loan.Dispose();
        using (await deployment) Assert.That(leases.TryBorrow("garden"), Is.Null);

        using var again = leases.TryBorrow("garden");
        Assert.That(again?.GiveWay.IsCancellationRequested, Is.False);
    }

    [Test]
    public void A_deployment_that_no_longer_waits_leaves_no_trace()
    {
        var leases = new StackLeases();
        var loan = leases.TryBorrow("garden");
        using var stop = new CancellationTokenSource();
        var waiting = leases.EnterAsync("garden", stop.Token);
        stop.Cancel();
        Assert.That(async () => await waiting, Throws.InstanceOf<OperationCanceledException>());

        loan!.Dispose();
        using var next = leases.TryBorrow("garden");
        Assert.That(next, Is.Not.Null);
    }
}
