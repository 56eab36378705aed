namespace Orchestrator.Tests.Stacks;

internal static class Sources
{
    /// <summary>The repository, found from where the tests run: CI maps the paths that the compiler writes down.</summary>
    public static string Directory { get; } = Find();

    private static string Find()
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (directory is not null && !File.Exists(Path.Combine(directory.FullName, "BasMalin.sln"))) directory = directory.Parent;
        return directory?.FullName ?? throw new InvalidOperationException("BasMalin.sln is in none of the directories above the tests");
    }
}
