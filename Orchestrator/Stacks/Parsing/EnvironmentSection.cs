using System.Collections.Immutable;
using Orchestrator.Stacks.Interpolation;

namespace Orchestrator.Stacks.Parsing;

/// <summary><c>env_file</c>, then <c>environment</c>, which wins.</summary>
internal static class EnvironmentSection
{
    public static ImmutableSortedDictionary<string, string> Read(Section service)
    {
        var all = new SortedDictionary<string, string>(StringComparer.Ordinal);
        if (service.Take("env_file") is { } files) Files(files, all);
        if (service.Take("environment") is { } environment) Pairs(environment, all);
        return all.ToImmutableSortedDictionary(StringComparer.Ordinal);
    }

    private static void Pairs(Field field, SortedDictionary<string, string> all)
    {
        foreach (var (name, value, place) in field.Pairs("variables: a mapping or a list of NAME=value"))
        {
            if (name.Length == 0 || name.Contains('=', StringComparison.Ordinal) || name.Contains('\0', StringComparison.Ordinal))
                place.Error("this is not the name of a variable", "a name holds no '='");
            else Set(all, name, value ?? field.Reading.Variable(name));
        }
    }

    private static void Files(Field field, SortedDictionary<string, string> all)
    {
        var items = field.IsScalar ? [field] : field.Items("a path, or a list of paths");
        foreach (var item in items)
        {
            var place = item;
            var required = true;
            if (item.IsMap && item.Section("a file") is { } section)
            {
                required = section.Take("required")?.Flag() ?? true;
                if (section.Take("path") is { } path) place = path;
                else section.Error("'path' is missing");
                section.Finish(UnsupportedKeys.EnvFile);
                if (!section.Has("path")) continue;
            }

            File(place, required, all);
        }
    }

    private static void File(Field field, bool required, SortedDictionary<string, string> all)
    {
        if (field.NonEmpty("the path of a file") is not { } written || !field.Reading.TryPath(field, written, out var path)) return;
        if (!required && !System.IO.File.Exists(path)) return;

        if (ComposeFile.TryLoadText(path, out var message, out var hint) is not { } text)
        {
            field.Error($"{field.Shown}: {message}", required ? hint ?? "required: false lets it be absent" : hint);
            return;
        }

        foreach (var entry in EnvFile.Parse(text, written, field.Reading.Findings, field.Reading.Variable))
        {
            Set(all, entry.Name, entry.Value ?? field.Reading.Variable(entry.Name));
        }
    }

    private static void Set(SortedDictionary<string, string> all, string name, string? value)
    {
        if (value is null) all.Remove(name);
        else all[name] = value;
    }
}
