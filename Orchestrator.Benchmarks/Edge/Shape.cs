namespace Orchestrator.Benchmarks.Edge;

/// <summary>What is asked for, and over what.</summary>
/// <param name="Path"><c>/</c>: 1 KiB; <see cref="SmallBackend.LargePath"/>: 1 MiB.</param>
/// <param name="NewConnections">Each request over a connection of its own.</param>
internal sealed record Shape(string Name, string Path, bool NewConnections, bool Tls)
{
    public static Shape Usual { get; } = new("1 KiB, connections kept", "/", NewConnections: false, Tls: false);

    public static Shape[] Others { get; } =
    [
        new("1 MiB, connections kept", SmallBackend.LargePath, NewConnections: false, Tls: false),
        new("1 KiB, a new connection each", "/", NewConnections: true, Tls: false),
        new("1 KiB over TLS, connections kept", "/", NewConnections: false, Tls: true),
    ];
}
