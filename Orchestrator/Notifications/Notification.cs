using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json.Serialization;
using Orchestrator.Backups.Sets;
using Orchestrator.Certificates;
using Orchestrator.Deployments;
using Orchestrator.Healing;

namespace Orchestrator.Notifications;

/// <summary>Somebody should know. The names are a contract with whoever receives it; what has no meaning for an event is null.</summary>
public sealed record Notification
{
    public const string DeploymentEnded = "deployment.ended";
    public const string CertificateEnding = "certificate.ending";
    public const string CertificateFailed = "certificate.failed";

    /// <summary>All that <see cref="Event"/> may be.</summary>
    public static ImmutableArray<string> Events { get; } = [DeploymentEnded, CertificateEnding, CertificateFailed, HealingNews.GaveUp, .. BackupAlert.Events];

    /// <summary>Unique; the same when it is sent again.</summary>
    public required Guid Id { get; init; }

    /// <summary>One of <see cref="Events"/>.</summary>
    public required string Event { get; init; }

    public required DateTimeOffset At { get; init; }

    /// <summary>The stack that it concerns; null: none that is known.</summary>
    public string? Stack { get; init; }

    public long? Deployment { get; init; }

    /// <summary>apply, deploy or rollback.</summary>
    public string? Kind { get; init; }

    /// <summary>succeeded, rolledBack, failed, cancelled or superseded.</summary>
    public string? State { get; init; }

    /// <summary>The host whose certificate it is about; not there for other events.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Host { get; init; }

    /// <summary>The set, drill or service of a stack's backups that it is about, or the replica or volume that was given up; not there for other events.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Subject { get; init; }

    public int? Release { get; init; }

    public string? Version { get; init; }

    public string? Commit { get; init; }

    public string? Origin { get; init; }

    public ImmutableSortedDictionary<string, string> Images { get; init; } = ImmutableSortedDictionary<string, string>.Empty;

    /// <summary>Null: nothing went wrong.</summary>
    public string? Reason { get; init; }

    public string? Detail { get; init; }

    public string? Hint { get; init; }

    public static Notification Of(Deployment deployment, Guid id, DateTimeOffset now) => new()
    {
        Id = id,
        Event = DeploymentEnded,
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

    public static Notification Of(CertificateNews news, Guid id, DateTimeOffset now) => new()
    {
        Id = id,
        Event = news.Ends is null ? CertificateFailed : CertificateEnding,
        At = now,
        Stack = news.Stack,
        Host = news.Host,
        Reason = news.Ends is null ? "certificateNotIssued" : news.Ends <= now ? "certificateEnded" : "certificateEndsSoon",
        Detail = news.Detail,
        Hint = news.Hint,
    };

    public static Notification Of(BackupAlert alert, Guid id) => new()
    {
        Id = id,
        Event = alert.Event,
        At = alert.At,
        Stack = alert.Stack,
        Subject = alert.Subject,
        Reason = alert.Event,
        Detail = alert.Problem,
        Hint = alert.Hint,
    };

    public static Notification Of(HealingNews news, Guid id) => new()
    {
        Id = id,
        Event = HealingNews.GaveUp,
        At = news.At,
        Stack = news.Stack,
        Subject = news.Subject,
        Reason = news.Reason,
        Detail = news.Detail,
        Hint = news.Hint,
    };

    /// <summary>What it is about, in a few words, for the log.</summary>
    public override string ToString() => Subject is not null ? $"{Event} of {Stack}" : Host is null
        ? string.Create(CultureInfo.InvariantCulture, $"{Event} of deployment {Deployment}")
        : $"{Event} of {Host}";

    private static string Word(string name) => char.ToLowerInvariant(name[0]) + name[1..];
}
