namespace Orchestrator.Agent.Hosting;

/// <summary>Bounds that keep one guest from taking the house.</summary>
public sealed record LimitOptions
{
    /// <summary>Requests that are held for a service that has nothing healthy; from 0 to 100,000.</summary>
    public int HoldRequests { get; init; } = 1000;

    /// <summary>Memory that the held requests of one service may take, bodies read ahead included; from 1 MiB to 16 GiB.</summary>
    public long HoldBytes { get; init; } = 128L << 20;

    /// <summary>How long a request is held before it is answered with 503.</summary>
    public TimeSpan HoldFor { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Bytes of a webhook's body.</summary>
    public long WebhookBody { get; init; } = 1L << 20;

    /// <summary>Failed logins and refused tokens of one address in a minute before it is turned away; from 1 to 10,000.</summary>
    public int FailedLogins { get; init; } = 10;

    /// <summary>How long requests under way may go on when the daemon is stopped.</summary>
    public TimeSpan Stop { get; init; } = TimeSpan.FromSeconds(30);
}
