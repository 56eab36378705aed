namespace Orchestrator.Traffic.Files;

/// <summary>Files that a route serves itself.</summary>
/// <param name="Path">Where they begin, as clients see it, on segment boundaries.</param>
/// <param name="Root">Absolute directory of the host.</param>
/// <param name="Directory">Below the root; empty: all of it. Looked up with each request, and never left by a link.</param>
/// <param name="Cache">How long clients may keep a file without asking; zero: they ask each time.</param>
/// <param name="Fallback">What is not there is asked of the application; false: 404.</param>
public sealed record StaticFolder(string Path, string Root, string Directory, TimeSpan Cache, bool Fallback);
