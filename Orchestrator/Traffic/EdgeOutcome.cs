using Microsoft.AspNetCore.Http;
using Yarp.ReverseProxy.Forwarder;

namespace Orchestrator.Traffic;

/// <summary>How an attempt to forward a request ended.</summary>
internal enum EdgeOutcome
{
    /// <summary>The application answered, whatever it said.</summary>
    Answered,

    /// <summary>No connection to the replica: nothing of the request was sent, so it can go elsewhere.</summary>
    NotSent,

    /// <summary>The replica broke off before it answered.</summary>
    CutOff,

    /// <summary>The replica broke off, or was drained, within its answer.</summary>
    Truncated,

    /// <summary>No answer in time, the drain's deadline included.</summary>
    TimedOut,

    /// <summary>The client went away.</summary>
    ClientLeft,

    /// <summary>The client's body is too large, too slow, or cannot be read.</summary>
    Refused,
}

internal static class EdgeOutcomes
{
    public static EdgeOutcome Of(HttpContext context, ForwarderError error, bool drained)
    {
        switch (error)
        {
            case ForwarderError.None:
                return EdgeOutcome.Answered;
            case ForwarderError.Request or ForwarderError.RequestTimedOut when CouldNotConnect(context.GetForwarderErrorFeature()?.Exception):
                return EdgeOutcome.NotSent;
            case ForwarderError.RequestTimedOut:
                return EdgeOutcome.TimedOut;
            case ForwarderError.RequestCanceled or ForwarderError.RequestBodyCanceled or ForwarderError.ResponseBodyCanceled when drained:
                return context.Response.HasStarted ? EdgeOutcome.Truncated : EdgeOutcome.TimedOut;

            // After a complete answer it means only that the application did not want all of the body.
            case ForwarderError.RequestBodyDestination or ForwarderError.RequestBodyCanceled when context.Response.HasStarted && !context.RequestAborted.IsCancellationRequested:
                return EdgeOutcome.Answered;
            case ForwarderError.RequestBodyClient when !context.Response.HasStarted && !context.RequestAborted.IsCancellationRequested && RefusalOf(context) is not null:
                return EdgeOutcome.Refused;
            case ForwarderError.RequestCanceled or ForwarderError.RequestBodyCanceled or ForwarderError.RequestBodyClient
                or ForwarderError.ResponseBodyCanceled or ForwarderError.ResponseBodyClient:
                return EdgeOutcome.ClientLeft;

            // Upgraded connections have no end of their own: they end when somebody goes, or when a drain asks them to.
            case ForwarderError.UpgradeRequestCanceled or ForwarderError.UpgradeRequestClient or ForwarderError.UpgradeResponseCanceled
                or ForwarderError.UpgradeResponseClient or ForwarderError.UpgradeActivityTimeout:
                return EdgeOutcome.ClientLeft;
            default:
                return context.Response.HasStarted ? EdgeOutcome.Truncated : EdgeOutcome.CutOff;
        }
    }

    /// <summary>What the server says is wrong with the body, as a status code; null: nothing.</summary>
    public static int? RefusalOf(HttpContext context) => context.GetForwarderErrorFeature()?.Exception switch
    {
        AggregateException several => several.Flatten().InnerExceptions.OfType<BadHttpRequestException>().FirstOrDefault()?.StatusCode,
        { } one => (one.GetBaseException() as BadHttpRequestException)?.StatusCode,
        null => null,
    };

    // SocketsHttpHandler reports its connect time-out as a cancellation by a time-out; its other cancellations have no inner exception of that kind.
    private static bool CouldNotConnect(Exception? exception) => exception is
        HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError }
        or OperationCanceledException { InnerException: TimeoutException };
}
