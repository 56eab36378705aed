namespace GardenApp.Uploads;

/// <summary>What became of an upload.</summary>
internal abstract record Received
{
    private Received()
    {
    }

    internal sealed record Stored(Upload Upload) : Received;

    internal sealed record TooLarge : Received;

    internal sealed record NoSuchGarden : Received;
}
