namespace Orchestrator.Docker;

/// <summary>How to reach the engine, and how long its slow verbs may take. Ordinary calls have the time-out of <see cref="Resilience.PipelineOptions"/>.</summary>
public sealed record DockerEngineOptions
{
    /// <summary><c>unix:///path</c>, <c>tcp://host:port</c> or <c>http://host:port</c>.</summary>
    public required Uri Endpoint { get; init; }

    /// <summary>The daemon's own name, with which containers are labelled; null: they are not.</summary>
    public string? Agent { get; init; }

    /// <summary>For verbs that may copy or delete much: create, start, remove.</summary>
    public TimeSpan SlowCallTimeout { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>How long after the grace of a stop the engine may take to say that it is done.</summary>
    public TimeSpan StopMargin { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>A pull of which nothing was heard for so long is given up and begun again. Builds have none: a step may compile in silence.</summary>
    public TimeSpan PullSilence { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>The end of a log is given up when nothing more of it comes for so long.</summary>
    public TimeSpan TailSilence { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>The directory of <c>config.json</c> with the registries' credentials. Null: <c>$DOCKER_CONFIG</c>, else <c>~/.docker</c>.</summary>
    public string? CredentialsDirectory { get; init; }

    /// <summary>How long a credential helper may take.</summary>
    public TimeSpan CredentialHelperTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Inspections that run at the same time while containers are listed.</summary>
    public int Parallelism { get; init; } = 8;
}
