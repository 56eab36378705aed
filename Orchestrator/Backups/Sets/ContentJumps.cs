using System.Collections.Immutable;
using System.Globalization;

namespace Orchestrator.Backups.Sets;

/// <summary>
/// Pure: what of a set is so unlike the one before it that somebody should look: an empty table where there were many rows, a tenth of the size, the
/// very same content for weeks. A set is never refused for it.
/// </summary>
public static class ContentJumps
{
    /// <summary>Below this many rows, keys or files a jump means nothing.</summary>
    private const long Few = 100;

    private const long Small = 1 << 20;

    public static ImmutableArray<string> Find(BackupManifest before, BackupManifest now)
    {
        var found = ImmutableArray.CreateBuilder<string>();
        foreach (var part in now.Parts)
        {
            if (before.Parts.FirstOrDefault(other => other.Service == part.Service && other.Kind == part.Kind) is not { } old) continue;
            var (was, has) = (Size(old), Size(part));
            if (was >= Small && has < was / 2) found.Add(string.Create(CultureInfo.InvariantCulture, $"{part.Service}: {has} bytes, and {was} before"));
            found.AddRange(
                from print in old.Fingerprints
                let had = Count(print.Value)
                let left = part.Fingerprints.TryGetValue(print.Key, out var present) ? Count(present) : 0
                where had >= Few && left < had / 2
                select string.Create(CultureInfo.InvariantCulture, $"{part.Service}: {print.Key} has {left}, and had {had}"));
        }

        return found.ToImmutable();
    }

    private static long Size(BackupPart part) => part.Objects.Sum(item => item.PlainBytes);

    private static long Count(string fingerprint) => long.TryParse(fingerprint.Split(':')[0], NumberStyles.None, CultureInfo.InvariantCulture, out var count) ? count : 0;
}
