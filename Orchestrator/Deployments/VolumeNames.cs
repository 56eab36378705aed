using System.Collections.Immutable;
using Orchestrator.Planning;
using Orchestrator.Stacks;

namespace Orchestrator.Deployments;

/// <summary>
/// Which volumes of the engine a stack's data lies in. A restore lays data into new volumes and puts them in the place of the old ones; from then on
/// every release of the stack, also an earlier one that is brought back, has these.
/// </summary>
public static class VolumeNames
{
    private const string Mark = ".r";

    /// <summary>What a volume that takes the place of a declared one is called.</summary>
    /// <param name="restore">Number of the restore.</param>
    public static string StandInFor(string declared, long restore) => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{declared}{Mark}{restore}");

    /// <summary>The name that the file gave, whatever has taken the volume's place.</summary>
    public static string Declared(VolumeSpec volume, ImmutableSortedDictionary<string, VolumeStandIn> standIns) =>
        standIns.TryGetValue(volume.Key, out var standIn) && IsMeant(volume, standIn) ? standIn.Declared : volume.Name;

    public static Release Over(Release release, ImmutableSortedDictionary<string, VolumeStandIn> standIns)
    {
        if (standIns.IsEmpty) return release;

        var volumes = release.Stack.Volumes.Select(volume => standIns.TryGetValue(volume.Key, out var standIn) && IsMeant(volume, standIn) ? volume with { Name = standIn.Name } : volume).ToImmutableArray();
        var moved = volumes.Where(volume => standIns.GetValueOrDefault(volume.Key)?.Name == volume.Name);
        return release with
        {
            Stack = release.Stack with { Volumes = volumes },
            Contents = release.Contents.SetItems(moved.Select(volume => KeyValuePair.Create(Planner.VolumeContent(volume.Key), volume.Name))),
        };
    }

    /// <summary>The stand-ins once those of a request are in their place.</summary>
    /// <param name="wanted">Key → name on the engine.</param>
    public static ImmutableSortedDictionary<string, VolumeStandIn> With(
        ImmutableSortedDictionary<string, VolumeStandIn> present, Stack stack, ImmutableSortedDictionary<string, string> wanted) =>
        present.SetItems(
            from volume in stack.Volumes
            where wanted.ContainsKey(volume.Key)
            select KeyValuePair.Create(volume.Key, new VolumeStandIn(wanted[volume.Key], Declared(Unveiled(volume, wanted[volume.Key]), present))));

    /// <summary>A release that has its stand-in already, because it was read again: what it stands in for is in its own name.</summary>
    private static VolumeSpec Unveiled(VolumeSpec volume, string standIn) => volume.Name == standIn ? volume with { Name = Unveiled(standIn) } : volume;

    /// <summary>What a name stands in for, told by itself; the same where it stands in for nothing.</summary>
    internal static string Unveiled(string name)
    {
        var mark = name.LastIndexOf(Mark, StringComparison.Ordinal);
        return mark > 0 && mark + Mark.Length < name.Length && name[(mark + Mark.Length)..].All(char.IsAsciiDigit) ? name[..mark] : name;
    }

    /// <summary>A release that was written down while a stand-in was in place has its name in the declared one's stead.</summary>
    private static bool IsMeant(VolumeSpec volume, VolumeStandIn standIn) =>
        volume.Name == standIn.Declared || volume.Name.StartsWith(standIn.Declared + Mark, StringComparison.Ordinal);
}
