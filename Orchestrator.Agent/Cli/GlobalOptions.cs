using System.CommandLine;

namespace Orchestrator.Agent.Cli;

/// <summary>Options that every verb has.</summary>
internal static class GlobalOptions
{
    public static readonly Option<bool> Json = new("--json") { Description = "Write JSON to standard output and nothing else.", Recursive = true };

    public static readonly Option<string?> Socket = new("--socket")
    {
        Description = "The daemon's admin socket. [BASMALIN_SOCKET, default /run/basmalin/admin.sock]",
        HelpName = "PATH",
        Recursive = true,
    };

    public static readonly Option<string?> Url = new("--url") { Description = "The daemon's admin address, instead of the socket. [BASMALIN_URL]", HelpName = "URL", Recursive = true };

    public static readonly Option<string?> Token = new("--token")
    {
        Description = "Token for --url. Better in BASMALIN_TOKEN: arguments can be seen by others on this machine.",
        HelpName = "TOKEN",
        Recursive = true,
    };
}
