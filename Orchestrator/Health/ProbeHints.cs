using System.Globalization;
using System.Text.RegularExpressions;

namespace Orchestrator.Health;

/// <summary>From what was seen to what to do next.</summary>
public static partial class ProbeHints
{
    private const int EndLength = 8 * 1024;

    /// <summary>One sentence for people.</summary>
    public static string Sentence(this ProbeHint hint) => hint switch
    {
        ProbeHint.WrongPort =>
            "Nothing listens there: compare the port of 'route' or 'gate' with the one the application listens on, and make it " +
            "listen on 0.0.0.0, not on 127.0.0.1.",
        ProbeHint.RedirectToHttps =>
            "The application sends plain HTTP on to HTTPS, which ends at the proxy: let it trust X-Forwarded-Proto, or give the gate " +
            "a path that does not redirect.",
        ProbeHint.Redirect => "A redirect is not an answer: give the gate the path that it leads to, or put the status into 'gate.expect'.",
        ProbeHint.HostNotAllowed =>
            "The application refuses the Host header: allow the host of the route in it, or name one that it takes with " +
            "'gate.host'.",
        ProbeHint.NeedsLogin => "The path asks for a login: give the gate one that answers anybody.",
        ProbeHint.PathNotFound => "The application runs but does not know the path: check 'gate.http'.",
        ProbeHint.SpeaksTls =>
            "The port speaks TLS, the gate and the proxy speak plain HTTP: let the application listen for HTTP on another port and " +
            "name that one.",
        ProbeHint.NotHttp => "What listens there does not speak HTTP: check the port, or use 'gate: { tcp: PORT }'.",
        ProbeHint.TooSlow =>
            "It is reached but does not answer in time: look for what it waits for (a database, a migration), or raise " +
            "'gate.timeout'.",
        ProbeHint.Unreachable => "The container cannot be reached at all: look at its networks and at the host's firewall.",
        ProbeHint.MissingVariable =>
            "An environment variable seems to be missing: compare 'environment' and 'env_file' with what the application " +
            "needs.",
        ProbeHint.DependencyUnreachable =>
            "It cannot reach something that it needs: check 'depends_on', the networks and the address that it was " +
            "given.",
        ProbeHint.AddressInUse =>
            "The address that it wants to listen on is taken: two processes in the container, or 'network_mode: host' with two " +
            "colours.",
        ProbeHint.PermissionDenied => "It may not do something: check 'user', the owner of the mounted volumes, 'read_only' and 'cap_drop'.",
        ProbeHint.MissingFile => "A file or program is missing in the image: check 'command', 'entrypoint', 'working_dir' and the mounts.",
        ProbeHint.WrongArchitecture => "The image was built for another processor: set 'platform', or build it for this host.",
        ProbeHint.NoHealthcheck => "Neither the image nor the service has a health check: add 'healthcheck', or another 'gate'.",
        ProbeHint.OutOfMemory => "The kernel ended it for want of memory: raise its memory limit, or find the leak.",
        _ => "",
    };

    /// <summary>The likely cause that the output of a container points to; null when it points nowhere.</summary>
    public static ProbeHint? FromOutput(string output)
    {
        var text = Ends(output);
        return Causes.FirstOrDefault(cause => cause.Pattern.IsMatch(text)) is { Pattern: not null } found ? found.Hint : null;
    }

    /// <summary>The port that the application says it listens on; null when it says none.</summary>
    public static int? ListeningPort(string output)
    {
        var match = Listening().Match(Ends(output));
        return match.Success && int.TryParse(match.Groups["port"].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port is > 0 and < 65536
            ? port
            : null;
    }

    // The text is a stranger's: its length is bounded here, and every repetition in the patterns below, so that no text takes long.
    private static string Ends(string output) =>
        output.Length <= 2 * EndLength ? output : string.Concat(output.AsSpan(0, EndLength), "\n", output.AsSpan(output.Length - EndLength));

    // In this order: a missing variable often shows as an unreachable database as well, and is the better lead.
    private static readonly (ProbeHint Hint, Regex Pattern)[] Causes =
    [
        (ProbeHint.OutOfMemory, Memory()),
        (ProbeHint.WrongArchitecture, Architecture()),
        (ProbeHint.MissingVariable, Variable()),
        (ProbeHint.AddressInUse, InUse()),
        (ProbeHint.PermissionDenied, Permission()),
        (ProbeHint.DependencyUnreachable, Dependency()),
        (ProbeHint.MissingFile, File()),
    ];

    [GeneratedRegex(@"out of memory|OutOfMemory|Cannot allocate memory|JavaScript heap", RegexOptions.IgnoreCase)]
    private static partial Regex Memory();

    [GeneratedRegex(@"exec format error", RegexOptions.IgnoreCase)]
    private static partial Regex Architecture();

    [GeneratedRegex(
        @"(environment variable|env(ironment)? var|\b[A-Z][A-Z0-9]{0,40}_[A-Z0-9_]{1,60})\W.{0,60}?" +
        @"(is not set|not set|is missing|missing|is required|required|undefined|not defined|must be (set|given|provided))" +
        @"|(missing|required|unset|undefined)\s.{0,40}?(environment variable|env(ironment)? var|[A-Z][A-Z0-9]{0,40}_[A-Z0-9_]{1,60})" +
        @"|unbound variable|KeyError: '[A-Z][A-Z0-9_]{1,60}'")]
    private static partial Regex Variable();

    [GeneratedRegex(@"address already in use|EADDRINUSE", RegexOptions.IgnoreCase)]
    private static partial Regex InUse();

    [GeneratedRegex(
        "permission denied|EACCES|operation not permitted|read-only file system|EROFS|UnauthorizedAccessException", RegexOptions.IgnoreCase)]
    private static partial Regex Permission();

    [GeneratedRegex(
        "connection refused|ECONNREFUSED|could not connect to|failed to connect to|" +
        "ENOTFOUND|EAI_AGAIN|could not translate host name|name or service not known|no such host|temporary failure in name resolution",
        RegexOptions.IgnoreCase)]
    private static partial Regex Dependency();

    [GeneratedRegex(
        "no such file or directory|ENOENT|cannot find module|command not found|" +
        "executable file not found|FileNotFoundException|ModuleNotFoundError", RegexOptions.IgnoreCase)]
    private static partial Regex File();

    [GeneratedRegex(@"listening\s{1,8}(on|at)\b[^\n]{0,60}?(:|port\s{0,4}:?\s{0,4})(?<port>\d{2,5})\b", RegexOptions.IgnoreCase | RegexOptions.RightToLeft)]
    private static partial Regex Listening();
}
