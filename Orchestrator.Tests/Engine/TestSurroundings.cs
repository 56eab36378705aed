using Orchestrator.Docker;
using Orchestrator.Journal;
using Orchestrator.Resilience;

namespace Orchestrator.Tests.Engine;

/// <summary>What a <see cref="TestDaemon"/> stands on.</summary>
internal sealed record TestSurroundings
{
    public DockerEngineOptions Engine { get; init; } = new() { Endpoint = new("unix:///var/run/docker.sock") };

    public PipelineOptions Pipelines { get; init; } = new();

    /// <summary>What is put around its journal.</summary>
    public Func<IJournal, IJournal> Journal { get; init; } = journal => journal;
}
