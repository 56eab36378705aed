namespace GardenApp;

/// <summary>What to say to somebody who called a verb that does not exist.</summary>
internal static class Usage
{
    /// <summary>Exit code for a wrong command line or wrong settings.</summary>
    internal const int ExitCode = 2;

    internal static int Print(TextWriter output)
    {
        output.WriteLine("""
            usage: GardenApp                     serve on PORT (default 3000)
                   GardenApp --healthcheck [PATH]  ask the server in this container; exit 0 when PATH (/api/health) answers 200
            """);
        return ExitCode;
    }
}
