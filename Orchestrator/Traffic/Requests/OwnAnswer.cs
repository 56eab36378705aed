using Microsoft.AspNetCore.Http;

namespace Orchestrator.Traffic.Requests;

/// <summary>An answer of the proxy itself, when no application gives one.</summary>
/// <param name="Title">A few words, for people.</param>
/// <param name="Detail">What happened and what to do; holds nothing that the client does not know.</param>
internal sealed record OwnAnswer(int Status, string Title, string Detail)
{
    /// <summary>When it is worth coming back; null: nobody knows.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>What is asked of the client, as WWW-Authenticate; null: nothing.</summary>
    public string? Challenge { get; init; }

    /// <summary>The name of a page in <see cref="RoutePolicy.Pages"/>, if it is not that of the status.</summary>
    public string? Page { get; init; }

    public static OwnAnswer ForwardProxy { get; } = new(StatusCodes.Status405MethodNotAllowed, "Method not allowed", "This is not a forward proxy.");

    public static OwnAnswer NoFile { get; } = new(StatusCodes.Status404NotFound, "Not found", "There is no such file.");

    public static OwnAnswer UnknownPreview { get; } = new(StatusCodes.Status404NotFound, "Not found", "No preview has this token.");

    /// <summary>For whoever asks after the health of a service that is paused: it is so on purpose, and must not be taken out for it.</summary>
    public static OwnAnswer Paused { get; } = new(StatusCodes.Status200OK, "Paused", "Paused on purpose.");

    public static OwnAnswer TooLarge { get; } =
        new(StatusCodes.Status413PayloadTooLarge, "Too large", "The body of the request is larger than what is accepted here.");

    public static OwnAnswer BadGateway { get; } =
        new(StatusCodes.Status502BadGateway, "Bad gateway", "The application did not give a complete answer.");

    public static OwnAnswer Timeout { get; } =
        new(StatusCodes.Status504GatewayTimeout, "No answer in time", "The application did not answer in time.");

    public static OwnAnswer NoRoute(HostString host) =>
        new(StatusCodes.Status404NotFound, "Not found", $"No route for the host '{host.Value}' and this path.");

    public static OwnAnswer TooManyRequests(TimeSpan retryAfter) =>
        new(StatusCodes.Status429TooManyRequests, "Too many requests", "More requests came than are accepted here. Please wait a moment.") { RetryAfter = retryAfter };

    public static OwnAnswer Maintenance(TimeSpan retryAfter) =>
        new(StatusCodes.Status503ServiceUnavailable, "Back soon", "Back soon: this application is being maintained. Please try again in a few minutes.")
        {
            RetryAfter = retryAfter,
            Page = "maintenance",
        };

    public static OwnAnswer Unavailable(TimeSpan retryAfter) =>
        new(StatusCodes.Status503ServiceUnavailable, "Not available", "The application is not available at the moment. Please try again.") { RetryAfter = retryAfter };

    /// <summary>What the client sent cannot be passed on.</summary>
    public static OwnAnswer Refusal(int status) => status switch
    {
        StatusCodes.Status413PayloadTooLarge => TooLarge,
        StatusCodes.Status408RequestTimeout => new(status, "Request timeout", "The request came too slowly."),
        _ => new(StatusCodes.Status400BadRequest, "Bad request", "The request cannot be understood."),
    };
}
