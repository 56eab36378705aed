using Orchestrator.Benchmarks.Measuring;

namespace Orchestrator.Benchmarks.Edge;

/// <summary>The edge with one route in front of the small backend, each a process of its own, and what puts it under load.</summary>
internal sealed class LoadedEdge : IAsyncDisposable
{
    private readonly string _directory;
    private readonly Contender _backend;
    private readonly Wrk _wrk;

    private LoadedEdge(string directory, Contender backend, Contender edge)
    {
        _directory = directory;
        _backend = backend;
        Edge = edge;
        _wrk = new Wrk(directory);
    }

    public Contender Edge { get; }

    public static async Task<LoadedEdge> StartAsync(CancellationToken cancellationToken)
    {
        await Packages.EnsureAsync(["wrk"], cancellationToken);
        var directory = Directory.CreateTempSubdirectory("basmalin-bench-").FullName;
        Contender? backend = null;
        try
        {
            backend = await Contender.StartOwnAsync("backend", ServeCommand.Backend, 0, 0, null, cancellationToken);
            return new LoadedEdge(directory, backend, await Contender.StartOwnAsync("edge", ServeCommand.Edge, backend.Port, 1, null, cancellationToken));
        }
        catch
        {
            if (backend is not null) await backend.DisposeAsync();
            Directory.Delete(directory, recursive: true);
            throw;
        }
    }

    public Task<WrkResult> LoadAsync(int connections, int seconds, CancellationToken cancellationToken) =>
        _wrk.RunAsync(Edge.Address, Edge.Host, connections, seconds, cancellationToken);

    public async ValueTask DisposeAsync()
    {
        Progress.Clear();
        await Edge.DisposeAsync();
        await _backend.DisposeAsync();
        Directory.Delete(_directory, recursive: true);
    }
}
