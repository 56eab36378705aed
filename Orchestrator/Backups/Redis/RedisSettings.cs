using System.Collections.Immutable;

namespace Orchestrator.Backups.Redis;

/// <summary>Where a Redis keeps its files, and which.</summary>
internal sealed record RedisSettings
{
    private static readonly ImmutableArray<string> Options = ["dir", "dbfilename", "appendonly", "appendfilename", "appenddirname"];

    public string Directory { get; init; } = "/data";

    public string FileName { get; init; } = "dump.rdb";

    /// <summary>Null: not known.</summary>
    public bool? AppendOnly { get; init; }

    public string AppendFileName { get; init; } = "appendonly.aof";

    public string AppendDirectory { get; init; } = "appendonlydir";

    /// <summary>The usual ones for what the user may not ask.</summary>
    public static async Task<RedisSettings> AskAsync(RedisConnection connection, CancellationToken cancellationToken)
    {
        var found = ImmutableDictionary.CreateBuilder<string, string>();
        foreach (var option in Options)
        {
            if (await connection.TryAskAsync(["CONFIG", "GET", option], cancellationToken) is RedisReply.List { Items: [var name, var value] })
                found[name.Text ?? ""] = value.Text ?? "";
        }

        return Of(found.ToImmutable());
    }

    /// <summary>As written down with a backup, and as the service's own command says it now, which counts more.</summary>
    public static RedisSettings Of(IReadOnlyDictionary<string, string> facts, ImmutableArray<string> command)
    {
        var known = facts.Where(fact => Options.Contains(fact.Key)).ToImmutableDictionary();
        foreach (var option in Options)
        {
            var at = command.IndexOf($"--{option}");
            if (at >= 0 && at + 1 < command.Length) known = known.SetItem(option, command[at + 1]);
        }

        return Of(known);
    }

    public IEnumerable<KeyValuePair<string, string>> Facts =>
    [
        new("dir", Directory),
        new("dbfilename", FileName),
        new("appendfilename", AppendFileName),
        new("appenddirname", AppendDirectory),
        .. AppendOnly is { } on ? (KeyValuePair<string, string>[])[new("appendonly", on ? "yes" : "no")] : [],
    ];

    private static RedisSettings Of(ImmutableDictionary<string, string> found)
    {
        var usual = new RedisSettings();
        return new()
        {
            Directory = found.GetValueOrDefault("dir", usual.Directory),
            FileName = found.GetValueOrDefault("dbfilename", usual.FileName),
            AppendOnly = found.TryGetValue("appendonly", out var on) ? on == "yes" : null,
            AppendFileName = found.GetValueOrDefault("appendfilename", usual.AppendFileName),
            AppendDirectory = found.GetValueOrDefault("appenddirname", usual.AppendDirectory),
        };
    }
}
