using System.Collections.Immutable;
using System.Net;
using Orchestrator.Healing;
using Orchestrator.Traffic.Requests;

namespace Orchestrator.Agent.Hosting;

/// <summary>
/// What <c>agent.yml</c> says, checked. Read by <see cref="AgentFile"/> rather than bound by <c>IConfiguration</c>: every problem then has its
/// file and line, and an unknown key is one.
/// </summary>
public sealed record AgentOptions
{
    /// <summary>Journal, keys and secrets. Absolute; made when missing; one daemon at a time.</summary>
    public string Data { get; init; } = "/var/lib/basmalin";

    /// <summary>The file that this was read from; null: there was none.</summary>
    internal string? File { get; init; }

    public EdgeOptions Edge { get; init; } = new();

    public AdminOptions Admin { get; init; } = new();

    public DockerOptions Docker { get; init; } = new();

    public StoreKind Store { get; init; } = StoreKind.Sqlite;

    /// <summary>Directory whose Compose files (<c>*.yml</c>, <c>*.yaml</c>, and <c>compose.yml</c> one level below) are applied at start. Null: none.</summary>
    public string? Stacks { get; init; }

    public LogOptions Log { get; init; } = new();

    public LimitOptions Limits { get; init; } = new();

    public RetentionOptions Retention { get; init; } = new();

    public PreflightOptions Preflight { get; init; } = new();

    public BackupOptions Backups { get; init; } = new();

    public HealingOptions Healing { get; init; } = new();

    public ImmutableArray<FreezeOptions> Freeze { get; init; } = [];

    public ImmutableArray<NotifyOptions> Notify { get; init; } = [];
}

/// <summary>Where users' requests arrive.</summary>
public sealed record EdgeOptions
{
    /// <summary>Routes with hosts and paths are served here. Ports that Compose publishes are opened besides.</summary>
    public ImmutableArray<ListenAddress> Http { get; init; } = [new("*", 80)];

    /// <summary>The same routes over TLS.</summary>
    public ImmutableArray<ListenAddress> Https { get; init; } = [];

    /// <summary>The port that clients are sent to for HTTPS, where it is mapped; null: that of the first HTTPS listener.</summary>
    public int? HttpsPort { get; init; }

    /// <summary>Directory of certificates: <c>NAME.crt</c> or <c>NAME.pem</c> beside <c>NAME.key</c>. Null: none.</summary>
    public string? Certificates { get; init; }

    /// <summary>Proxies in front whose word about their clients is taken. Empty: none.</summary>
    public ImmutableArray<IPNetwork> TrustedProxies { get; init; } = [];

    public EdgeLimits Limits { get; init; } = new();

    public AccessLogOptions AccessLog { get; init; } = new();

    /// <summary>How long a request, a stream or a WebSocket may pass without a byte.</summary>
    public TimeSpan Idle { get; init; } = TimeSpan.FromHours(1);

    /// <summary>Where routes with <c>tls: auto</c> get their certificates. Null: nowhere.</summary>
    public AcmeOptions? Acme { get; init; }
}

/// <summary>Where the daemon is driven.</summary>
public sealed record AdminOptions
{
    /// <summary>API, status page and metrics, behind a token. Null: the socket only.</summary>
    public ListenAddress? Listen { get; init; } = new("127.0.0.1", 9180);

    /// <summary>Unix socket for root, the daemon's own user and, under systemd, the members of its group; needs no token.</summary>
    public string Socket { get; init; } = "/run/basmalin/admin.sock";
}

public sealed record DockerOptions
{
    public Uri Endpoint { get; init; } = new("unix:///var/run/docker.sock");
}

/// <summary>Where the journal is kept.</summary>
public enum StoreKind
{
    Sqlite,
}

public sealed record RetentionOptions
{
    /// <summary>Releases kept for each stack, besides the current and the warm one; from 1 to 100.</summary>
    public int Releases { get; init; } = 5;

    /// <summary>Deployments that the history of each stack keeps; from 10 to 10,000.</summary>
    public int Deployments { get; init; } = 200;
}

public sealed record PreflightOptions
{
    /// <summary>Free space that must be left where the engine keeps its images. The larger of the two counts.</summary>
    public DiskFloor DiskFloor { get; init; } = new(0.10, 5L << 30);

    /// <summary>Prefixes of image references that may run. Empty: any.</summary>
    public ImmutableArray<string> AllowedImages { get; init; } = [];
}

/// <param name="Ratio">Share of the file system, from 0 to 1.</param>
public readonly record struct DiskFloor(double Ratio, long Bytes);

/// <summary>A time in which nothing is deployed unless it is forced.</summary>
public sealed record FreezeOptions
{
    /// <summary>Days on which the window begins. Empty: every day.</summary>
    public ImmutableArray<DayOfWeek> Days { get; init; } = [];

    /// <summary>Time of day at which it begins.</summary>
    public TimeOnly From { get; init; } = TimeOnly.MinValue;

    /// <summary>Time of day at which it ends; earlier than <see cref="From"/>: on the next day.</summary>
    public TimeOnly To { get; init; } = TimeOnly.MaxValue;

    public TimeZoneInfo Zone { get; init; } = TimeZoneInfo.Utc;
}

/// <summary>Somebody who is told when a deployment has ended, or a certificate, a backup or a replica needs to be looked after.</summary>
public sealed record NotifyOptions
{
    public required Uri Url { get; init; }

    /// <summary>File whose content signs the body. Null: unsigned.</summary>
    public string? SecretFile { get; init; }

    /// <summary>Stacks that it concerns. Empty: all.</summary>
    public ImmutableArray<string> Stacks { get; init; } = [];

    /// <summary>Of <c>Notification.Events</c>. Empty: all.</summary>
    public ImmutableArray<string> Events { get; init; } = [];
}
