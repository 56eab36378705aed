namespace GardenApp.Transfer;

/// <summary>An export or import that cannot go on; the message is for the person at the terminal. Caught by the two verbs.</summary>
public sealed class TransferException : Exception
{
    public TransferException(string message) : base(message)
    {
    }
}
