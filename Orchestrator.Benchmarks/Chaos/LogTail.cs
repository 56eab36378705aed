namespace Orchestrator.Benchmarks.Chaos;

/// <summary>The end of a file that grows.</summary>
internal static class LogTail
{
    public static string Of(string file, int lines = 40) => File.Exists(file) ? string.Join('\n', File.ReadLines(file).TakeLast(lines)) : $"({file} is not there)";
}
