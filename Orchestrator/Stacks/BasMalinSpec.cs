using System.Collections.Immutable;

namespace Orchestrator.Stacks;

/// <summary>The <c>x-basmalin</c> extension of a service.</summary>
public sealed record BasMalinSpec
{
    public RouteSpec? Route { get; init; }

    /// <summary>Null: chosen by the service (HTTP when routed, Docker health when there is one, else running and stable).</summary>
    public GateSpec? Gate { get; init; }

    /// <summary>The gate goes on being asked of live replicas.</summary>
    public ProbeSpec Probe { get; init; } = new();

    public ImmutableArray<SmokeRequest> Smoke { get; init; } = [];

    /// <summary>Command of a one-shot container of the new image, run before the candidate starts. Empty: none.</summary>
    public ImmutableArray<string> Migrate { get; init; } = [];

    /// <summary>How long the migration may take.</summary>
    public TimeSpan MigrateTimeout { get; init; } = TimeSpan.FromMinutes(10);

    public ShiftSpec? Shift { get; init; }

    public DrainSpec Drain { get; init; } = new();

    public BakeSpec Bake { get; init; } = new();

    /// <summary>How long the previous colour keeps running after the commit. Zero: it is stopped at once.</summary>
    public TimeSpan Warm { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary><c>stateful: true</c>: never run twice.</summary>
    public bool Stateful { get; init; }

    public BackupSpec? Backup { get; init; }

    public RecycleSpec? Recycle { get; init; }
}

/// <summary>Where requests for a service come from.</summary>
public sealed record RouteSpec
{
    /// <summary>Exact names, <c>*.example.org</c> (one level) or <c>*</c> (any). Empty: only the published ports lead to it.</summary>
    public ImmutableArray<string> Hosts { get; init; } = [];

    /// <summary>A prefix on segment boundaries, starting with '/'.</summary>
    public string Path { get; init; } = "/";

    /// <summary>The port inside the container. 0: the only one that is published, exposed, or declared by the image.</summary>
    public int Port { get; init; }

    /// <summary>Where the certificates of its hosts come from.</summary>
    public TlsMode Tls { get; init; }

    /// <summary>What happens to its requests that come without TLS.</summary>
    public HttpsMode Https { get; init; }

    /// <summary>Exact names whose requests are sent to the first of <see cref="Hosts"/>.</summary>
    public ImmutableArray<string> RedirectHosts { get; init; } = [];

    /// <summary>Null: nobody outside sees a colour that does not have the traffic.</summary>
    public RoutePreviewSpec? Preview { get; init; }

    /// <summary>The cookie by which a client stays at the replica that answered it; null: each request goes to the least busy one.</summary>
    public string? StickyCookie { get; init; }

    /// <summary>The application does not see <see cref="Path"/>.</summary>
    public bool StripPrefix { get; init; }

    /// <summary>The application speaks HTTP/2 without TLS.</summary>
    public bool Http2 { get; init; }

    /// <summary>Status code or <c>maintenance</c> → HTML, read from its file when the stack was.</summary>
    public ImmutableSortedDictionary<string, string> Pages { get; init; } = ImmutableSortedDictionary<string, string>.Empty;

    /// <summary>Largest request body in bytes; null: the edge's own limit.</summary>
    public long? BodyLimit { get; init; }

    public RouteTimeoutsSpec? Timeouts { get; init; }

    public RouteRateSpec? Rate { get; init; }

    public RouteHeadersSpec? Headers { get; init; }

    public ImmutableArray<StaticFolderSpec> Static { get; init; } = [];

    /// <summary>Media types whose answers are compressed, <c>text/*</c> for all of a kind; empty: the usual ones; null: none.</summary>
    public ImmutableArray<string>? Compress { get; init; }
}

/// <summary>Where certificates come from.</summary>
public enum TlsMode
{
    /// <summary>The daemon's directory of certificates.</summary>
    Files,

    /// <summary>Ordered and renewed by ACME.</summary>
    Auto,

    /// <summary>There is to be none.</summary>
    Off,
}

/// <summary>What happens to requests without TLS.</summary>
public enum HttpsMode
{
    /// <summary>They are redirected once the host has a certificate.</summary>
    WhenCertified,

    /// <summary>They are redirected always.</summary>
    Redirect,

    /// <summary>They are served.</summary>
    Allow,
}

/// <summary>What is asked of a candidate before it may have traffic.</summary>
public enum GateKind
{
    Http,
    Tcp,
    Exec,
    Docker,

    /// <summary>Runs, and keeps running, for the stability window.</summary>
    Running,
}

/// <summary>The rule by which probe results become healthy or not.</summary>
public sealed record GateSpec
{
    public required GateKind Kind { get; init; }

    /// <summary>For HTTP: path and query.</summary>
    public string Http { get; init; } = "/";

    /// <summary>For HTTP and TCP: 0 means the route's port.</summary>
    public int Port { get; init; }

    /// <summary>For HTTP: the Host header; null: the route's first host, else the container's address.</summary>
    public string? Host { get; init; }

    /// <summary>For HTTP: status codes that count as healthy, as inclusive ranges.</summary>
    public ImmutableArray<StatusRange> Expect { get; init; } = [new(200, 299)];

    /// <summary>For HTTP, optional: a field of the JSON answer, dotted, that must equal <see cref="JsonValue"/>.</summary>
    public string? JsonField { get; init; }

    public string? JsonValue { get; init; }

    public ImmutableArray<string> Exec { get; init; } = [];

    public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(1);

    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Consecutive successes, from 1 to 100.</summary>
    public int Successes { get; init; } = 3;

    /// <summary>Failures during it do not count; the first success ends it.</summary>
    public TimeSpan StartPeriod { get; init; } = TimeSpan.Zero;

    /// <summary>After the successes, no failure and no exit for this long.</summary>
    public TimeSpan Stable { get; init; } = TimeSpan.FromSeconds(5);

    public TimeSpan Deadline { get; init; } = TimeSpan.FromSeconds(60);
}

/// <summary>How live replicas are asked what their gate asked; gates by exec and by running are not asked again.</summary>
public sealed record ProbeSpec
{
    /// <summary>Zero: not at all.</summary>
    public TimeSpan Every { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Failures in a row that take a replica out of rotation, from 1 to 100; never the last one of its service.</summary>
    public int Failures { get; init; } = 3;
}

/// <summary>HTTP status codes from <see cref="From"/> to <see cref="To"/>, both included.</summary>
public readonly record struct StatusRange(int From, int To)
{
    public bool Contains(int status) => status >= From && status <= To;

    public override string ToString() => From == To ? $"{From}" : $"{From}-{To}";
}

/// <summary>A request through the real proxy to the candidate, before anybody else gets there.</summary>
/// <param name="Within">The answer must have arrived whole by then.</param>
/// <param name="Contains">Text that the body must contain; null: any body.</param>
public sealed record SmokeRequest(string Method, string Path, ImmutableArray<StatusRange> Expect, TimeSpan Within, string? Contains);

/// <summary>The candidate gets a rising share of the requests, and is compared with the live colour at each step.</summary>
/// <param name="Steps">Percentages above 0, rising, the last one 100.</param>
/// <param name="Dwell">How long each step but the last is kept; up to twice as long while there were too few requests to compare.</param>
public sealed record ShiftSpec(ImmutableArray<decimal> Steps, TimeSpan Dwell)
{
    /// <summary>A client stays with the colour that it got, by a cookie; else each request is drawn anew.</summary>
    public bool Sticky { get; init; }

    /// <summary>A client stays with the colour that it got, by a hash of its address; not together with <see cref="Sticky"/>.</summary>
    public bool ByAddress { get; init; }

    /// <summary>Requests that a colour must have had in a step before its numbers say anything; from 1.</summary>
    public int MinRequests { get; init; } = 20;

    /// <summary>From 0 to 1: by how much the candidate's share of failed requests may be larger than the live colour's.</summary>
    public double MaxErrorRatio { get; init; } = 0.01;

    /// <summary>95th percentile of the latency against the live colour's over the same time. Null: not compared.</summary>
    public double? MaxP95Ratio { get; init; }
}

/// <summary>How long what is under way may go on after the switch.</summary>
public sealed record DrainSpec
{
    public TimeSpan Http { get; init; } = TimeSpan.FromSeconds(30);

    public TimeSpan WebSocket { get; init; } = TimeSpan.FromSeconds(60);
}

/// <summary>The watch on live traffic after the switch. <see cref="For"/> zero: none.</summary>
public sealed record BakeSpec
{
    public TimeSpan For { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>From 0 to 1: answers with 5xx or none, of all.</summary>
    public double MaxErrorRatio { get; init; } = 0.01;

    /// <summary>95th percentile of the latency against the previous colour's. Null: not compared.</summary>
    public double? MaxP95Ratio { get; init; }

    /// <summary>Below this many requests the ratios say nothing.</summary>
    public int MinRequests { get; init; } = 50;
}

/// <summary>How data of a service is kept safe.</summary>
public sealed record BackupSpec
{
    /// <summary>postgres, redis, volume.</summary>
    public required string Kind { get; init; }

    /// <summary>Cron expression, in <see cref="Zone"/>; null: only before deployments.</summary>
    public string? Every { get; init; }

    /// <summary>Time zone of the schedules, an IANA name.</summary>
    public string Zone { get; init; } = "UTC";

    /// <summary>PostgreSQL: the write-ahead log is received continuously.</summary>
    public bool Wal { get; init; }

    /// <summary>PostgreSQL: commits wait until the daemon has the log on its disk. Needs <see cref="Wal"/>.</summary>
    public bool Synchronous { get; init; }

    /// <summary>How long commits may wait for a daemon that does not answer before the database goes on without it.</summary>
    public TimeSpan SynchronousPatience { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Redis: the stream of commands is received continuously.</summary>
    public bool Stream { get; init; }

    /// <summary>PostgreSQL: cron expression of logical dumps, a second format beside the physical copy. Null: none.</summary>
    public string? Dump { get; init; }

    /// <summary>PostgreSQL: table → its column with the user's key, for the export of one person's rows. Empty: none can be exported.</summary>
    public ImmutableSortedDictionary<string, string> Export { get; init; } = ImmutableSortedDictionary<string, string>.Empty;

    /// <summary>PostgreSQL: table → column → one of <see cref="Masking.Functions"/>; or <see cref="Masking.Table"/> → keep or drop. For copies in which nobody is to be recognised.</summary>
    public ImmutableSortedDictionary<string, ImmutableSortedDictionary<string, string>> Anonymise { get; init; } = ImmutableSortedDictionary<string, ImmutableSortedDictionary<string, string>>.Empty;

    /// <summary>Login with the right to replicate; null: the image's own superuser (<c>POSTGRES_USER</c>), or Redis's default user.</summary>
    public string? User { get; init; }

    /// <summary>Name of the stored secret with its password; null: that of the image's environment.</summary>
    public string? PasswordSecret { get; init; }

    /// <summary>daily, weekly, monthly, yearly → how many.</summary>
    public ImmutableSortedDictionary<string, int> Keep { get; init; } = ImmutableSortedDictionary<string, int>.Empty;

    /// <summary>Every set that is not older than this is kept as well; zero: none is for its age.</summary>
    public TimeSpan KeepWithin { get; init; }

    /// <summary>daily, weekly, monthly, or a cron expression; null: weekly, wherever there is <see cref="Every"/>.</summary>
    public string? Drill { get; init; }

    /// <summary>A recovery point is taken in the Protect step of each deployment of the stack.</summary>
    public bool BeforeDeploy { get; init; }
}

/// <summary>When replicas are replaced by new ones of the same release, one at a time.</summary>
/// <param name="Memory">Bytes above which a replica is replaced when it stays there.</param>
/// <param name="At">Five cron fields.</param>
public sealed record RecycleSpec(long? Memory, string? At)
{
    /// <summary>The time zone of <see cref="At"/>, by its IANA name.</summary>
    public string Zone { get; init; } = "UTC";
}
