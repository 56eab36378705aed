using System.Collections.Immutable;

namespace Orchestrator.Agent.Webhooks;

/// <summary>What a delivery turns out to be.</summary>
public abstract record WebhookReading
{
    private WebhookReading()
    {
    }

    /// <summary>Something new is there to be deployed.</summary>
    public sealed record Event : WebhookReading
    {
        public string? Branch { get; init; }

        public string? Tag { get; init; }

        /// <summary>In hexadecimal digits.</summary>
        public string? Commit { get; init; }

        /// <summary>What people call the version.</summary>
        public string? Version { get; init; }

        /// <summary>Service → image, where the sender says so itself.</summary>
        public ImmutableSortedDictionary<string, string> Images { get; init; } = ImmutableSortedDictionary<string, string>.Empty;

        /// <summary>Where an image was pushed: only services whose template leads to this repository are concerned. Null: all are.</summary>
        public string? Repository { get; init; }
    }

    /// <summary>Nothing that concerns us; answered with the reason.</summary>
    public sealed record Ignored(string Reason) : WebhookReading;

    public sealed record Malformed(string Detail) : WebhookReading;
}
