namespace Orchestrator.Benchmarks.Measuring;

/// <summary>Debian's packages, installed only where they are missing.</summary>
internal static class Packages
{
    /// <returns>Their versions, in the same order.</returns>
    public static async Task<IReadOnlyList<string>> EnsureAsync(IReadOnlyList<string> packages, CancellationToken cancellationToken)
    {
        var missing = new List<string>();
        foreach (var package in packages)
        {
            if (await VersionAsync(package, cancellationToken) is null)
                missing.Add(package);
        }

        if (missing.Count > 0)
        {
            // A package that comes with a service would start it at once, on port 80: RUNLEVEL=1 tells Debian's scripts that now is not the time.
            Progress.Say($"installing {string.Join(", ", missing)}");
            await ExternalProgram.RunAsync("apt-get", ["update", "-qq"], cancellationToken);
            await ExternalProgram.RunAsync(
                "env", ["DEBIAN_FRONTEND=noninteractive", "RUNLEVEL=1", "apt-get", "install", "-y", "-qq", "--no-install-recommends", .. missing], cancellationToken);
        }

        var versions = new List<string>();
        foreach (var package in packages)
            versions.Add(await VersionAsync(package, cancellationToken) ?? throw new InvalidOperationException($"{package} was installed and is not there."));
        return versions;
    }

    private static async Task<string?> VersionAsync(string package, CancellationToken cancellationToken)
    {
        try
        {
            var said = await ExternalProgram.RunAsync("dpkg-query", ["-W", "-f=${db:Status-Status} ${Version}", package], cancellationToken);
            return said.StartsWith("installed ", StringComparison.Ordinal) ? said["installed ".Length..] : null;
        }
        catch (InvalidOperationException)
        {
            // Unknown to dpkg: not installed.
            return null;
        }
    }
}
