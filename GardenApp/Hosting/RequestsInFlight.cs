namespace GardenApp.Hosting;

/// <summary>How many requests are being served now, probes aside.</summary>
internal sealed class RequestsInFlight
{
    private int _count;

    internal int Count => Volatile.Read(ref _count);

    internal void Entered() => Interlocked.Increment(ref _count);

    internal void Left() => Interlocked.Decrement(ref _count);
}
