using System.Collections.Immutable;
using Orchestrator.Deployments;

namespace Orchestrator.Notifications;

/// <summary>Somebody should know: a deployment has ended. The names are a contract with whoever receives it.</summary>
public sealed record Notification
{
    /// <summary>Unique; the same when it is sent again.</summary>
    public required Guid Id { get; init; }

    /// <summary><c>deployment.ended</c>.</summary>
    public required string Event { get; init; }

    public required DateTimeOffset At { get; init; }

    public required string Stack { get; init; }

    public required long Deployment { get; init; }

    /// <summary>apply, deploy or rollback.</summary>
    public required string Kind { get; init; }

    /// <summary>succeeded, rolledBack, failed, cancelled or superseded.</summary>
    public required string State { get; init; }

    public int? Release { get; init; }

    public string? Version { get; init; }

    public string? Commit { get; init; }

    public required string Origin { get; init; }

    public ImmutableSortedDictionary<string, string> Images { get; init; } = ImmutableSortedDictionary<string, string>.Empty;

    /// <summary>Null: nothing went wrong.</summary>
    public string? Reason { get; init; }

    public string? Detail { get; init; }

    public string? Hint { get; init; }

    public static Notification Of(Deployment deployment, Guid id, DateTimeOffset now) => new()
    {
        Id = id,
        Event = "deployment.ended",
        At = deployment.EndedAt ?? now,
        Stack = deployment.Request.Stack,
        Deployment = deployment.Id.Value,
        Kind = Word(deployment.Request.Kind.ToString()),
        State = Word(deployment.State.ToString()),
        Release = deployment.Release,
        Version = deployment.Request.Version,
        Commit = deployment.Request.Commit,
        Origin = deployment.Request.Origin,
        Images = deployment.Request.Images,
        Reason = deployment.Failure is { } failure ? Word(failure.Reason.ToString()) : null,
        Detail = deployment.Failure?.Detail,
        Hint = deployment.Failure?.Hint,
    };

    private static string Word(string name) => char.ToLowerInvariant(name[0]) + name[1..];
}
