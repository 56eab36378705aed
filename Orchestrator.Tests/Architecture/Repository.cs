namespace Orchestrator.Tests.Architecture;

/// <summary>The working copy that these tests were built from. Found from the binaries upwards: CI maps source paths away.</summary>
internal static class Repository
{
    public static string Root { get; } = Find();

    public static string PathOf(params string[] parts) => Path.Combine([Root, .. parts]);

    /// <summary>Source files of one project, without what the build has made.</summary>
    public static IEnumerable<string> Sources(string project) =>
        Directory.EnumerateFiles(PathOf(project), "*.cs", SearchOption.AllDirectories)
            .Where(file => !file.Contains("/obj/", StringComparison.Ordinal) && !file.Contains("/bin/", StringComparison.Ordinal));

    private static string Find()
    {
        for (var directory = new DirectoryInfo(AppContext.BaseDirectory); directory is not null; directory = directory.Parent)
        {
            if (File.Exists(Path.Combine(directory.FullName, "BasMalin.sln"))) return directory.FullName;
        }

        throw new InvalidOperationException($"BasMalin.sln was not found above {AppContext.BaseDirectory}");
    }
}
