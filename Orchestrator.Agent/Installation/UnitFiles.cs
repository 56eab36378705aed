using System.Collections.Immutable;
using System.Net;
using System.Text;
using Orchestrator.Agent.Hosting;

namespace Orchestrator.Agent.Installation;

/// <summary>The files of <c>config/</c> as this program carries them, and what the settings of one machine add to the units.</summary>
internal static class UnitFiles
{
    private const string Head = "# Written by 'basmalin install' from agent.yml; it is written again with the next one.\n";

    private static readonly string[] WritableAnyway = [InstallPaths.Data, "/var/log/basmalin", "/var/cache/basmalin"];

    public static string Service { get; } = Read("basmalin.service");

    public static string Socket { get; } = Read("basmalin.socket");

    public static string Users { get; } = Read("basmalin.sysusers");

    public static string Settings { get; } = Read("agent.yml");

    /// <summary>The listeners that systemd opens, where they are others than those of the unit; null: they are the unit's.</summary>
    public static string? SocketDropIn(AgentOptions options)
    {
        var wanted = Listeners(options);
        if (wanted.SequenceEqual(Listeners(new AgentOptions()), StringComparer.Ordinal)) return null;

        return $"{Head}[Socket]\nListenStream=\n{string.Concat(wanted.Select(address => $"ListenStream={address}\n"))}";
    }

    /// <summary>What the unit cannot know: the group of the engine's socket, and directories that the settings name. Null: it is as the unit says.</summary>
    /// <param name="engineGroup">The group that the engine's socket belongs to; null: not known, or not a socket.</param>
    public static string? ServiceDropIn(AgentOptions options, string? engineGroup)
    {
        var lines = new StringBuilder();
        if (engineGroup is not (null or "docker")) lines.Append("SupplementaryGroups=\nSupplementaryGroups=").Append(engineGroup).Append('\n');
        foreach (var directory in Written(options).Distinct(StringComparer.Ordinal))
        {
            if (!WritableAnyway.Any(own => directory == own || directory.StartsWith(own + "/", StringComparison.Ordinal)))
                lines.Append("ReadWritePaths=").Append(directory).Append('\n');
        }

        return lines.Length == 0 ? null : $"{Head}[Service]\n{lines}";
    }

    /// <summary>In the order of the settings, as ListenStream= wants them.</summary>
    public static ImmutableArray<string> Listeners(AgentOptions options) =>
    [
        .. options.Edge.Http.Concat(options.Edge.Https).Where(address => address.Port != 0).Select(Stream),
        .. options.Admin.Listen is { Port: not 0 } admin ? (string[])[Stream(admin)] : [],
        options.Admin.Socket,
    ];

    /// <summary>Directories outside of its own into which the daemon writes.</summary>
    public static IEnumerable<string> Written(AgentOptions options)
    {
        yield return options.Data;
        if (options.Backups.Directory is { } backups) yield return backups;
        foreach (var store in options.Backups.Stores.Select(store => store.Directory).OfType<string>()) yield return store;
        foreach (var file in (string?[])[options.Log.File, options.Edge.AccessLog.File])
        {
            if (file is ['/', ..] && Path.GetDirectoryName(file) is { } directory) yield return directory;
        }
    }

    // A port alone is every address, of IPv4 and IPv6.
    private static string Stream(ListenAddress address) => address.Address == "*" ? $"{address.Port}" : new IPEndPoint(IPAddress.Parse(address.Address), address.Port).ToString();

    private static string Read(string name)
    {
        using var stream = typeof(UnitFiles).Assembly.GetManifestResourceStream($"install/{name}") ?? throw new InvalidOperationException($"{name} is not in the assembly");
        using var reader = new StreamReader(stream, Encoding.UTF8);
        return reader.ReadToEnd();
    }
}
