using System.Diagnostics.CodeAnalysis;
using Orchestrator.Stacks.Yaml;

namespace Orchestrator.Stacks.Parsing;

/// <summary>One run of the reader: what it was given, what it has found, and where each key stands.</summary>
internal sealed class Reading(ComposeSource source, Findings findings, Func<string, string?> variables)
{
    private readonly Dictionary<string, Mark> _places = new(StringComparer.Ordinal);

    public ComposeSource Source { get; } = source;

    public Findings Findings { get; } = findings;

    /// <summary>The environment first, then <c>.env</c>. Null: not set.</summary>
    public string? Variable(string name) => variables(name);

    public void Place(string path, Mark mark) => _places.TryAdd(path, mark);

    /// <summary>True when the file holds this key.</summary>
    public bool Has(string path) => _places.ContainsKey(path);

    /// <param name="path">A key that was read, or one below it.</param>
    public void Error(string path, string message, string? hint = null) => Findings.Error(PlaceOf(path), path, message, hint);

    public void Note(string path, string message, string? hint = null) => Findings.Note(PlaceOf(path), path, message, hint);

    public Mark PlaceOf(string path)
    {
        for (var key = path; key.Length > 0; key = Parent(key))
        {
            if (_places.TryGetValue(key, out var mark)) return mark;
        }

        return new Mark(1, 1);
    }

    /// <summary>An absolute path for one that is written relative to the Compose file.</summary>
    public bool TryPath(Field field, string path, [NotNullWhen(true)] out string? absolute)
    {
        absolute = null;
        if (path.Contains('\0', StringComparison.Ordinal))
        {
            field.Error("a path cannot hold a NUL character");
            return false;
        }

        if (path == "~" || path.StartsWith("~/", StringComparison.Ordinal))
        {
            if (Variable("HOME") is not { Length: > 0 } home)
            {
                field.Error("'~' stands for HOME, which is not set here", "write the absolute path: the daemon runs as another user");
                return false;
            }

            path = home + path[1..];
        }

        absolute = System.IO.Path.GetFullPath(path, Source.Directory);
        if (absolute.Length > 1) absolute = absolute.TrimEnd('/');
        return true;
    }

    private static string Parent(string path)
    {
        var end = path.LastIndexOfAny(['.', '[']);
        return end < 0 ? "" : path[..end];
    }
}
