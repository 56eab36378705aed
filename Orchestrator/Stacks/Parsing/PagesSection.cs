using System.Collections.Immutable;
using System.Text;

namespace Orchestrator.Stacks.Parsing;

/// <summary><c>x-basmalin.route.pages</c>: files beside the Compose file, read with it, so that a release has its pages in it.</summary>
internal static class PagesSection
{
    private const int Largest = 64 * 1024;

    private static readonly string[] Known = ["400", "408", "413", "429", "502", "503", "504", "maintenance"];

    public static ImmutableSortedDictionary<string, string> Read(Field field)
    {
        var pages = ImmutableSortedDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        foreach (var (name, file) in field.Members("a mapping of status codes to files, e.g. { 502: down.html, maintenance: back.html }"))
        {
            if (file.IsBroken) continue;
            if (!Known.Contains(name)) file.Error($"the proxy has no answer '{Section.Shown(name)}'", $"known: {string.Join(", ", Known)}");
            else if (Content(file) is { } page) pages[name] = page;
        }

        return pages.ToImmutable();
    }

    private static string? Content(Field field)
    {
        const string expected = "the path of an HTML file beside the Compose file";
        if (field.NonEmpty(expected) is not { } written || !field.Reading.TryPath(field, written, out var path)) return null;

        if (!path.StartsWith(field.Reading.Source.Directory.TrimEnd('/') + "/", StringComparison.Ordinal))
        {
            field.Expected(expected, "a path within the directory of the Compose file");
            return null;
        }

        if (ComposeFile.TryLoadText(path, out var message, out var hint) is not { } page)
        {
            field.Error(message, hint);
            return null;
        }

        if (Encoding.UTF8.GetByteCount(page) <= Largest) return page;

        field.Error("the page is larger than 64 KiB", "it is kept in every release; let it load pictures from elsewhere");
        return null;
    }
}
