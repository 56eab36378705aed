using System.Collections.Immutable;
using System.Globalization;

namespace Orchestrator.Agent.Hosting.Settings;

/// <summary>
/// Lays <c>BASMALIN__Section__Key</c> variables over the file. Names are compared without case and underscores
/// (<c>BASMALIN__Preflight__DiskFloor</c> is <c>preflight.disk_floor</c>); lists are <c>…__0</c>, <c>…__1</c>, or one value with commas.
/// </summary>
internal static class SettingEnvironment
{
    public const string Prefix = "BASMALIN__";

    public static void LayOver(SettingMap root, ImmutableSortedDictionary<string, string> environment)
    {
        foreach (var (name, value) in environment)
        {
            if (!name.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase)) continue;

            Set(root, name[Prefix.Length..].Split("__"), 0, name, value);
        }
    }

    /// <summary>The same word to the one who writes it: <c>disk_floor</c>, <c>DiskFloor</c>, <c>DISKFLOOR</c>.</summary>
    public static string Fold(string key) => key.Replace("_", "", StringComparison.Ordinal).ToLowerInvariant();

    private static void Set(SettingMap map, string[] path, int depth, string variable, string value)
    {
        var key = map.Entries.Keys.FirstOrDefault(known => Fold(known) == Fold(path[depth])) ?? path[depth];
        if (depth == path.Length - 1)
        {
            map.Set(key, variable, new SettingText(variable, value));
            return;
        }

        if (depth == path.Length - 2 && int.TryParse(path[^1], NumberStyles.None, CultureInfo.InvariantCulture, out var index))
        {
            SetItem(map, key, index, variable, value);
            return;
        }

        if (map.Entries.GetValueOrDefault(key) is not SettingMap inner)
        {
            inner = new SettingMap(variable);
            map.Set(key, variable, inner);
        }

        Set(inner, path, depth + 1, variable, value);
    }

    private static void SetItem(SettingMap map, string key, int index, string variable, string value)
    {
        if (map.Entries.GetValueOrDefault(key) is not SettingList list)
        {
            list = new SettingList(variable, []);
            map.Set(key, variable, list);
        }

        // An index beyond the end is the next one: variables come sorted, so that 0, 1, 2 fill the list in order.
        if (index < list.Items.Count) list.Items[index] = new SettingText(variable, value);
        else list.Items.Add(new SettingText(variable, value));
    }
}
