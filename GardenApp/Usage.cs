namespace GardenApp;

/// <summary>What can be asked of the executable.</summary>
internal static class Usage
{
    /// <summary>Exit code for a wrong command line or wrong settings.</summary>
    internal const int ExitCode = 2;

    internal static int Print(TextWriter output, int exitCode)
    {
        output.WriteLine("""
            usage: GardenApp                                          serve on PORT (default 3000)
                   GardenApp migrate                                  bring the database's schema up to this version
                   GardenApp export --user NAME --out FILE.zip        all data of one user; '-' writes to standard output
                   GardenApp import FILE.zip [--user NAME] [--replace]  bring it back; --replace deletes what the user has first
                   GardenApp --healthcheck [PATH]                     ask the server in this container; exit 0 when PATH (/api/health) answers 200
            """);
        return exitCode;
    }
}
