using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using Orchestrator.Stacks.Values;

namespace Orchestrator.Agent.Hosting.Settings;

/// <summary>Tries to make a value of text.</summary>
internal delegate bool SettingParser<T>(string text, [MaybeNullWhen(false)] out T value);

/// <summary>
/// Takes the settings of one section, each once; <see cref="Done"/> then reports the keys that nobody has taken. A wrong value is reported
/// and its default used, so that all problems are found in one go.
/// </summary>
internal sealed class SettingSection(SettingMap map, string path, SettingProblems problems)
{
    private readonly List<string> _known = [];

    public string Where { get; } = map.Where;

    public SettingProblems Problems { get; } = problems;

    public string? Text(string key) => Find(key) switch
    {
        null => null,
        SettingText text => text.Value,
        var other => Wrong<string?>(other, key, "a text", null),
    };

    public T Value<T>(string key, T fallback, string expected, SettingParser<T> parse) => Find(key) switch
    {
        null => fallback,
        SettingText text when parse(text.Value, out var value) => value,
        var other => Wrong(other, key, expected, fallback),
    };

    public SettingSection Section(string key) => Find(key) switch
    {
        null => new SettingSection(new SettingMap(map.Where), Path(key), Problems),
        SettingMap inner => new SettingSection(inner, Path(key), Problems),
        var other => Wrong(other, key, "a mapping", new SettingSection(new SettingMap(other.Where), Path(key), Problems)),
    };

    /// <summary>A list, or one value with commas.</summary>
    public ImmutableArray<T> List<T>(string key, ImmutableArray<T> fallback, string expected, SettingParser<T> parse)
    {
        var items = Find(key) switch
        {
            null => null,
            SettingList list => list.Items,
            SettingText text => [.. text.Value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
                .Select(part => new SettingText(text.Where, part))],
            var other => Wrong<List<SettingNode>?>(other, key, "a list", null),
        };
        if (items is null) return fallback;

        var values = ImmutableArray.CreateBuilder<T>();
        for (var index = 0; index < items.Count; index++)
        {
            if (items[index] is SettingText text && parse(text.Value, out var value)) values.Add(value);
            else Wrong<object?>(items[index], $"{key}[{index}]", expected, null);
        }

        return values.ToImmutable();
    }

    public ImmutableArray<SettingSection> Sections(string key)
    {
        var node = Find(key);
        if (node is null) return [];
        if (node is not SettingList list) return Wrong(node, key, "a list of mappings", ImmutableArray<SettingSection>.Empty);

        var sections = ImmutableArray.CreateBuilder<SettingSection>();
        for (var index = 0; index < list.Items.Count; index++)
        {
            if (list.Items[index] is SettingMap inner) sections.Add(new SettingSection(inner, Path($"{key}[{index}]"), Problems));
            else Wrong<object?>(list.Items[index], $"{key}[{index}]", "a mapping", null);
        }

        return sections.ToImmutable();
    }

    /// <summary>A mapping whose keys are not known beforehand.</summary>
    public ImmutableSortedDictionary<string, T> Map<T>(string key, string expected, SettingParser<T> parse)
    {
        var values = ImmutableSortedDictionary.CreateBuilder<string, T>(StringComparer.Ordinal);
        var node = Find(key);
        if (node is not null and not SettingMap) Wrong<object?>(node, key, "a mapping", null);
        if (node is not SettingMap inner) return values.ToImmutable();

        foreach (var (name, item) in inner.Entries)
        {
            if (item is SettingText text && parse(text.Value, out var value)) values[name] = value;
            else Wrong<object?>(item, $"{key}.{name}", expected, null);
        }

        return values.ToImmutable();
    }

    public void Refuse(string key, string message) => Problems.Add(Find(key)?.Where ?? map.Where, Path(key), message);

    /// <summary>Reports every key that was not asked for, with the nearest one that was.</summary>
    public void Done()
    {
        foreach (var key in map.Entries.Keys)
        {
            if (_known.Any(known => Matches(known, key))) continue;

            var near = Nearest.To(key, _known) ?? _known.FirstOrDefault(known => SettingEnvironment.Fold(known) == SettingEnvironment.Fold(key));
            Problems.Add(map.KeyPlaces[key], Path(key), near is null ? $"unknown setting; known here: {string.Join(", ", _known)}" : $"unknown setting; did you mean '{near}'?");
        }
    }

    private SettingNode? Find(string key)
    {
        if (!_known.Contains(key)) _known.Add(key);
        var node = map.Entries.FirstOrDefault(entry => Matches(key, entry.Key)).Value;
        return node is SettingMap { Entries.Count: 0 } or SettingText { Value: "" } ? null : node;
    }

    /// <summary>In the file a key is written as documented; in a variable's name case and underscores do not count.</summary>
    private bool Matches(string known, string written) =>
        known == written
        || (map.KeyPlaces.GetValueOrDefault(written, "").StartsWith(SettingEnvironment.Prefix, StringComparison.OrdinalIgnoreCase)
            && SettingEnvironment.Fold(known) == SettingEnvironment.Fold(written));

    private T Wrong<T>(SettingNode node, string key, string expected, T fallback)
    {
        var found = node switch
        {
            SettingText text => $"'{text.Value}'",
            SettingList => "a list",
            _ => "a mapping",
        };
        Problems.Add(node.Where, Path(key), $"found {found}, expected {expected}");
        return fallback;
    }

    private string Path(string key) => path.Length == 0 ? key : $"{path}.{key}";
}
