using System.Globalization;
using Orchestrator.Stacks.Values;
using Orchestrator.Stacks.Yaml;

namespace Orchestrator.Stacks.Parsing;

/// <summary>
/// A value with its dotted key. Each reading method reports what it did not expect and then returns null, so that a section can go on and
/// find the next problem as well.
/// </summary>
internal readonly record struct Field(Node Node, string Path, Reading Reading)
{
    public bool IsNull => Node is ScalarNode { IsNull: true };

    public bool IsBroken => Node is BrokenNode;

    public bool IsScalar => Node is ScalarNode { IsNull: false };

    public bool IsList => Node is SequenceNode;

    public bool IsMap => Node is MappingNode;

    public void Error(string message, string? hint = null) => Reading.Findings.Error(Node.Mark, Path, message, hint);

    public void Note(string message, string? hint = null) => Reading.Findings.Note(Node.Mark, Path, message, hint);

    /// <summary>What stands there, for a message. A value that came from a variable may be a secret: only its template is shown.</summary>
    public string Shown => Node switch
    {
        ScalarNode { IsNull: true } => "nothing",
        ScalarNode scalar when scalar.Raw != scalar.Value => $"'{Short(scalar.Raw)}' (its value is not shown)",
        ScalarNode scalar => $"'{Short(scalar.Raw)}'",
        SequenceNode => "a list",
        MappingNode => "a mapping",
        _ => "something else",
    };

    public void Expected(string what, string? hint = null)
    {
        if (!IsBroken) Error($"expected {what}, found {Shown}", hint);
    }

    public string? Text(string expected)
    {
        if (Node is ScalarNode { IsNull: false } scalar)
        {
            // The engine, the shell and the file system all end a text there.
            if (!scalar.Value.Contains('\0', StringComparison.Ordinal)) return scalar.Value;

            Error("a text cannot hold a NUL character");
            return null;
        }

        Expected(expected);
        return null;
    }

    public string? NonEmpty(string expected)
    {
        if (Text(expected) is not { } text) return null;
        if (text.Length > 0) return text;

        Error($"expected {expected}, found an empty text");
        return null;
    }

    public string? OneOf(string what, params ReadOnlySpan<string> allowed)
    {
        var all = string.Join(", ", allowed);
        if (Text($"{what}: {all}") is not { } text) return null;
        foreach (var word in allowed)
        {
            if (word == text) return word;
        }

        Expected($"{what}: {all}", Nearest.To(text, allowed.ToArray()) is { } near ? $"did you mean '{near}'?" : null);
        return null;
    }

    public bool? Flag()
    {
        const string expected = "true or false";
        if (Text(expected) is not { } text) return null;
        switch (text.ToLowerInvariant())
        {
            case "true" or "yes" or "on" or "y":
                return true;
            case "false" or "no" or "off" or "n":
                return false;
            default:
                Expected(expected);
                return null;
        }
    }

    public long? Whole(long from, long to, string? hint = null)
    {
        var expected = to == long.MaxValue ? $"a whole number from {from}" : $"a whole number from {from} to {to}";
        if (Text(expected) is not { } text) return null;
        if (long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) && number >= from && number <= to)
            return number;

        Expected(expected, hint);
        return null;
    }

    public decimal? Number(decimal above, decimal to, string expected)
    {
        if (Text(expected) is not { } text) return null;
        if (decimal.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number) && number > above && number <= to)
            return number;

        Expected(expected);
        return null;
    }

    public TimeSpan? Duration(TimeSpan? atLeast = null, TimeSpan? atMost = null)
    {
        if (Text(Durations.Expected) is not { } text) return null;
        if (!Durations.TryParse(text, out var duration))
        {
            var unit = long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out _) ? "add the unit, e.g. 's' for seconds" : null;
            Expected(Durations.Expected, unit);
            return null;
        }

        if (duration < atLeast)
        {
            Expected($"at least {Durations.Write(atLeast.Value)}");
            return null;
        }

        if (duration > atMost)
        {
            Expected($"at most {Durations.Write(atMost.Value)}");
            return null;
        }

        return duration;
    }

    public long? Bytes()
    {
        if (Text(ByteSizes.Expected) is not { } text) return null;
        if (ByteSizes.TryParse(text, out var bytes)) return bytes;

        Expected(ByteSizes.Expected);
        return null;
    }

    public decimal? Ratio()
    {
        if (Text(Ratios.Expected) is not { } text) return null;
        if (Ratios.TryParse(text, out var ratio)) return ratio;

        Expected(Ratios.Expected);
        return null;
    }

    /// <summary>The items of a list. Anything else is reported and has none.</summary>
    public IReadOnlyList<Field> Items(string expected)
    {
        if (Node is not SequenceNode list)
        {
            Expected(expected);
            return [];
        }

        var items = new List<Field>(list.Items.Length);
        foreach (var item in list.Items) items.Add(Child($"{Path}[{items.Count}]", item.Mark, item));
        return items;
    }

    /// <summary>The entries of a mapping, in the order of the file. Anything else is reported and has none.</summary>
    public IReadOnlyList<KeyValuePair<string, Field>> Members(string expected)
    {
        if (Node is not MappingNode mapping)
        {
            Expected(expected);
            return [];
        }

        var members = new List<KeyValuePair<string, Field>>(mapping.Entries.Length);
        foreach (var entry in mapping.Entries) members.Add(new(entry.Key, Child($"{Path}.{Parsing.Section.Shown(entry.Key)}", entry.KeyMark, entry.Value)));
        return members;
    }

    public Section? Section(string expected)
    {
        if (Node is MappingNode mapping) return new Section(mapping, Path, Reading);

        Expected(expected);
        return null;
    }

    private Field Child(string path, Mark mark, Node node)
    {
        Reading.Place(path, mark);
        return new Field(node, path, Reading);
    }

    private static string Short(string text)
    {
        var line = text.ReplaceLineEndings(" ");
        return line.Length <= 60 ? line : string.Concat(line.AsSpan(0, 57), "…");
    }
}
