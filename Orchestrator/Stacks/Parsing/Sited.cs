namespace Orchestrator.Stacks.Parsing;

/// <summary>A value that knows the key it was read from, so that what is found out later can be reported there.</summary>
internal readonly record struct Sited<T>(T Value, string Path);
