using System.Collections.Immutable;

namespace Orchestrator.Stacks.Parsing;

/// <summary><c>x-basmalin.route.static</c>: files of volumes that the proxy serves itself.</summary>
internal static class StaticSection
{
    public static ImmutableArray<StaticFolderSpec> Read(Field field, string route)
    {
        var folders = ImmutableArray.CreateBuilder<StaticFolderSpec>();
        foreach (var item in field.Items("a list, e.g. [ { path: /uploads, volume: uploads } ]"))
        {
            if (Folder(item, route) is not { } folder) continue;
            if (folders.Any(other => other.Path == folder.Path)) item.Error($"the path '{folder.Path}' is named twice");
            else folders.Add(folder);
        }

        return folders.ToImmutable();
    }

    private static StaticFolderSpec? Folder(Field field, string route)
    {
        if (field.Section("path, volume, directory, cache and fallback") is not { } section) return null;

        var path = section.Take("path") is { } prefix ? RouteSection.Prefix(prefix) : null;
        var volume = section.Take("volume")?.NonEmpty("the key of a volume");
        var directory = section.Take("directory") is { } below ? Directory(below) : "";
        var cache = section.Take("cache")?.Duration(atMost: TimeSpan.FromDays(365)) ?? TimeSpan.Zero;
        var fallback = section.Take("fallback")?.Flag() ?? false;
        foreach (var key in new[] { "path", "volume" })
        {
            if (!section.Has(key)) section.Error($"'{key}' is missing", "e.g. { path: /uploads, volume: uploads }");
        }

        section.Finish(strict: true);
        if (path is null || volume is null) return null;
        if (path != "/" && (route == "/" || path == route || path.StartsWith(route + "/", StringComparison.Ordinal))) return new StaticFolderSpec(path, volume, directory, cache, fallback);

        section.Error(path == "/" ? "files cannot take the place of the whole application" : $"'{path}' is not below the route's path '{route}'", "e.g. path: /uploads, as clients ask for it");
        return null;
    }

    private static string Directory(Field field)
    {
        const string expected = "a path below the volume's root, e.g. public/uploads";
        if (field.NonEmpty(expected) is not { } text) return "";

        var path = text.Trim('/');
        if (path.Length > 0 && path.Split('/').All(segment => segment.Length > 0 && segment != "." && segment != "..")) return path;

        field.Expected(expected);
        return "";
    }
}
