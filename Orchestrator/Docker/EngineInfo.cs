namespace Orchestrator.Docker;

public sealed record EngineInfo
{
    public required string Version { get; init; }

    public required string ApiVersion { get; init; }

    public required string OperatingSystem { get; init; }

    public required string Architecture { get; init; }

    public int Cpus { get; init; }

    /// <summary>Bytes of memory of the host.</summary>
    public long Memory { get; init; }

    /// <summary>The directory where images and volumes are kept.</summary>
    public required string RootDirectory { get; init; }

    public bool LiveRestore { get; init; }
}
