using System.Collections.Immutable;
using Orchestrator.Stacks.Values;

namespace Orchestrator.Stacks.Parsing;

/// <summary>The shapes that values of Compose come in over and over: a list, a text or a list, a list or a mapping.</summary>
internal static class Shapes
{
    private const string TextItem = "a text";

    public static ImmutableArray<string> Strings(this Field field, string expected)
    {
        var strings = ImmutableArray.CreateBuilder<string>();
        foreach (var item in field.Items(expected))
        {
            if (item.Text(TextItem) is { } text) strings.Add(text);
        }

        return strings.ToImmutable();
    }

    public static ImmutableArray<string> StringOrStrings(this Field field, string expected)
    {
        if (!field.IsScalar) return field.Strings(expected);

        return field.NonEmpty(expected) is { } text ? [text] : [];
    }

    /// <summary>A command: a list as it is, a text split as a shell would.</summary>
    public static ImmutableArray<string>? Command(this Field field)
    {
        const string expected = "a command: a text or a list of texts";
        if (!field.IsScalar) return field.IsList ? field.Strings(expected) : Refuse(field, expected);
        if (field.Text(expected) is not { } text) return null;
        if (ShellWords.TrySplit(text, out var words, out var problem)) return words;

        field.Error($"this cannot be split into words: {problem}", "write the command as a list");
        return null;
    }

    /// <summary><c>NAME: value</c> or <c>- NAME=value</c>. A value of null means that there was none.</summary>
    public static IReadOnlyList<(string Name, string? Value, Field Field)> Pairs(this Field field, string expected)
    {
        var pairs = new List<(string, string?, Field)>();
        if (field.IsMap)
        {
            foreach (var (name, value) in field.Members(expected))
            {
                if (value.IsBroken) continue;
                if (value.IsNull) pairs.Add((name, null, value));
                else if (value.Text("a text, a number or true/false") is { } text) pairs.Add((name, text, value));
            }

            return pairs;
        }

        foreach (var item in field.Items(expected))
        {
            if (item.NonEmpty("NAME=value") is not { } text) continue;

            var equals = text.IndexOf('=', StringComparison.Ordinal);
            if (equals == 0) item.Error("a name must stand before '='");
            else pairs.Add(equals < 0 ? (text, null, item) : (text[..equals], text[(equals + 1)..], item));
        }

        return pairs;
    }

    /// <summary>Pairs whose last value wins; a pair without a value is an empty text.</summary>
    public static ImmutableSortedDictionary<string, string> Dictionary(this Field field, string expected)
    {
        var all = ImmutableSortedDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        foreach (var (name, value, _) in field.Pairs(expected)) all[name] = value ?? "";
        return all.ToImmutable();
    }

    /// <summary>Labels; those of BasMalin itself are refused.</summary>
    public static ImmutableSortedDictionary<string, string> Labels(this Field field)
    {
        foreach (var (name, _, place) in field.Pairs("labels: a mapping or a list of NAME=value"))
        {
            if (name.StartsWith("basmalin.", StringComparison.Ordinal))
                place.Error($"the label '{name}' is reserved", "labels that start with 'basmalin.' say what belongs to BasMalin");
        }

        return field.Dictionary("labels: a mapping or a list of NAME=value");
    }

    private static ImmutableArray<string>? Refuse(Field field, string expected)
    {
        field.Expected(expected);
        return null;
    }
}
