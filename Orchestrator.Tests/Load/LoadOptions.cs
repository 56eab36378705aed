namespace Orchestrator.Tests.Load;

/// <summary>What kinds of requests arrive, as shares of their sum.</summary>
/// <param name="KeepAlive">GET over a pool of connections.</param>
/// <param name="NewConnection">GET over a connection of its own.</param>
/// <param name="Post">POST of a random body, whose hash must come back.</param>
/// <param name="Slow">GET of an answer that takes a while.</param>
public sealed record LoadMix(int KeepAlive, int NewConnection, int Post, int Slow)
{
    public static LoadMix Usual { get; } = new(KeepAlive: 60, NewConnection: 20, Post: 15, Slow: 5);

    internal int Sum => KeepAlive + NewConnection + Post + Slow;
}

/// <summary>A load and where it goes. The paths are GardenApp's.</summary>
public sealed record LoadOptions
{
    public required Uri Address { get; init; }

    /// <summary>The Host header; null: the address.</summary>
    public string? Host { get; init; }

    /// <summary>Arrivals per second.</summary>
    public double Rate { get; init; } = 100;

    public LoadMix Mix { get; init; } = LoadMix.Usual;

    public string GetPath { get; init; } = "/version";

    /// <summary>Answers with JSON that has the body's SHA-256 in hex.</summary>
    public string PostPath { get; init; } = "/api/echo";

    public string SlowPath { get; init; } = "/api/slow?ms=500";

    /// <summary>Bodies have from 1 byte to this many.</summary>
    public int LargestBody { get; init; } = 64 * 1024;

    /// <summary>An echo, kept busy with a message a few times per second and opened again when it is closed; null: none.</summary>
    public string? WebSocketPath { get; init; }

    /// <summary>An event stream, read to its end and opened again; null: none.</summary>
    public string? EventsPath { get; init; }

    /// <summary>An answer that has not come whole by then, from the intended start on, is a failure.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(60);

    public string VersionHeader { get; init; } = "X-Garden-Version";

    /// <summary>How many failures are kept with their details; all are counted.</summary>
    public int FailuresKept { get; init; } = 20;

    /// <summary>Told of each request when it is over, from any thread; null: nobody is.</summary>
    public Action<LoadVisit>? Over { get; init; }
}
