namespace Orchestrator.Traffic;

/// <summary>An address of the host could not be listened on. The message names it and says why; nothing was changed.</summary>
public sealed class EdgeBindException : Exception
{
    public EdgeBindException(PublishedEndpoint endpoint, string why, Exception? inner)
        : base($"Cannot listen on {endpoint}: {why}", inner) => Endpoint = endpoint;

    public PublishedEndpoint Endpoint { get; }
}
