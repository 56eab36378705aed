namespace Orchestrator.Deployments;

/// <summary>A stack that is borrowed while nobody deploys it; given back by disposing.</summary>
/// <param name="giveWay">Cancelled when a deployment wants it: what is under way is left so that it can be taken up or swept later.</param>
public sealed class StackLoan(IDisposable held, CancellationToken giveWay) : IDisposable
{
    public CancellationToken GiveWay => giveWay;

    public void Dispose() => held.Dispose();
}
