using System.Globalization;

namespace Orchestrator.Backups.Volumes;

/// <summary>
/// The index of a volume: its entries in the order of the walk, then the packs that they refer to, then how often it was made since everything was read.
/// It is stored with each set and kept here, too: the daemon cannot read its own backups, so what it wants to know of the last one it must have at hand.
/// </summary>
internal static class VolumeRecord
{
    public const string Head = "# basmalin volume 1";
    private const string Pack = "P\t";
    private const string Round = "N\t";

    public static bool IsEntry(string line) => line.Length > 0 && line[0] is 'f' or 'd' or 'l' or 'h';

    public static string Write(VolumePack pack) => string.Create(
        CultureInfo.InvariantCulture,
        $"{Pack}{pack.Number}\t{pack.Name}\t{pack.Stored.Key}\t{pack.Stored.PlainBytes}\t{pack.Stored.PlainHash}\t{pack.Stored.StoredBytes}\t{pack.Stored.StoredHash}");

    public static string WriteRound(int round) => string.Create(CultureInfo.InvariantCulture, $"{Round}{round}");

    public static VolumePack? TryReadPack(string line)
    {
        if (!line.StartsWith(Pack, StringComparison.Ordinal)) return null;

        var fields = line.Split('\t');
        return new(
            int.Parse(fields[1], CultureInfo.InvariantCulture), fields[2],
            new(fields[3], long.Parse(fields[4], CultureInfo.InvariantCulture), fields[5], long.Parse(fields[6], CultureInfo.InvariantCulture), fields[7]));
    }

    public static int? TryReadRound(string line) =>
        line.StartsWith(Round, StringComparison.Ordinal) ? int.Parse(line.AsSpan(Round.Length), CultureInfo.InvariantCulture) : null;
}

/// <param name="Name">As it was given to the writer.</param>
internal sealed record VolumePack(int Number, string Name, BackupObject Stored);
