using Orchestrator.Stacks.Values;
using Orchestrator.Stacks.Yaml;

namespace Orchestrator.Stacks.Parsing;

/// <summary>
/// A mapping with known keys. Each key that is taken becomes a known one; <see cref="Finish"/> reports all that nobody took, so a key can neither be
/// forgotten in a list of names nor dropped.
/// </summary>
internal sealed class Section
{
    private readonly MappingNode _node;
    private readonly Dictionary<string, Entry> _entries;
    private readonly List<string> _known = [];

    public Section(MappingNode node, string path, Reading reading)
    {
        _node = node;
        _entries = node.Entries.ToDictionary(entry => entry.Key, StringComparer.Ordinal);
        Path = path;
        Reading = reading;
    }

    public string Path { get; }

    public Reading Reading { get; }

    /// <returns>Null when the key is absent or has no value; Compose makes no difference between the two.</returns>
    public Field? Take(string key) => TakeEvenIfNull(key) is { IsNull: false, IsBroken: false } field ? field : null;

    public Field? TakeEvenIfNull(string key)
    {
        _known.Add(key);
        if (!_entries.TryGetValue(key, out var entry)) return null;

        var path = PathOf(key);
        Reading.Place(path, entry.KeyMark);
        return new Field(entry.Value, path, Reading);
    }

    public bool Has(string key) => _entries.ContainsKey(key);

    public void Error(string message, string? hint = null) => Reading.Findings.Error(_node.Mark, Path, message, hint);

    /// <summary>Reports every key that was not taken.</summary>
    /// <param name="unsupported">Keys that Compose knows and that are not carried out here → what to do instead.</param>
    /// <param name="strict">True: a key that starts with <c>x-</c> is unknown as well.</param>
    public void Finish(IReadOnlyDictionary<string, string>? unsupported = null, bool strict = false)
    {
        foreach (var entry in _node.Entries)
        {
            if (_known.Contains(entry.Key)) continue;
            if (!strict && entry.Key.StartsWith("x-", StringComparison.Ordinal)) Extension(entry);
            else if (unsupported is not null && unsupported.TryGetValue(entry.Key, out var instead))
                Reading.Findings.Error(entry.KeyMark, PathOf(entry.Key), $"'{entry.Key}' is a Compose key that is not supported", instead);
            else Unknown(entry);
        }
    }

    private void Extension(Entry entry)
    {
        const string ours = "x-basmalin";
        if (entry.Key == ours)
            Reading.Findings.Error(entry.KeyMark, PathOf(entry.Key), "x-basmalin has no meaning here", "it belongs to a service: services.NAME.x-basmalin");
        else if (Nearest.Distance(entry.Key, ours) <= 2)
            Reading.Findings.Note(entry.KeyMark, PathOf(entry.Key), "keys that start with x- are left alone", $"did you mean '{ours}'?");
    }

    private void Unknown(Entry entry)
    {
        var near = Nearest.To(entry.Key, _known);
        var hint = near is not null ? $"did you mean '{near}'?"
            : _known.Count <= 16 ? $"known keys: {string.Join(", ", _known)}"
            : "see the list of supported keys in docs/compose.md";
        Reading.Findings.Error(entry.KeyMark, PathOf(entry.Key), $"unknown key '{Shown(entry.Key)}'", hint);
    }

    private string PathOf(string key) => Path.Length == 0 ? Shown(key) : $"{Path}.{Shown(key)}";

    /// <summary>A key as it stands in a path: a hostile one must not make every path below it long.</summary>
    public static string Shown(string key) => key.Length <= 80 ? key : string.Concat(key.AsSpan(0, 77), "…");
}
