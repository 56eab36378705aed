namespace Orchestrator.Tests.Engine;

/// <summary>The wall clock can be set; what is measured goes on as it does in a kernel.</summary>
internal sealed class SettableClock : TimeProvider
{
    private long _offset;

    public TimeSpan Offset
    {
        get => new(Interlocked.Read(ref _offset));
        set => Interlocked.Exchange(ref _offset, value.Ticks);
    }

    public override DateTimeOffset GetUtcNow() => System.GetUtcNow() + Offset;

    /// <summary>Sets it to a moment.</summary>
    public void Set(DateTimeOffset moment) => Offset = moment - System.GetUtcNow();
}
