using System.Collections.Immutable;
using System.Globalization;

namespace Orchestrator.Backups.Postgres;

/// <summary>What a set's part says of a cluster; see <see cref="BackupPart.Facts"/>.</summary>
internal sealed record PostgresFacts
{
    public required string SystemIdentifier { get; init; }

    public required uint Timeline { get; init; }

    /// <summary>Where the base began, and where recovery has to begin.</summary>
    public required Lsn Start { get; init; }

    /// <summary>The restore point at which the fingerprints were taken.</summary>
    public required Lsn PointLsn { get; init; }

    public required string PointName { get; init; }

    /// <summary>By the server's clock.</summary>
    public required DateTimeOffset? PointAt { get; init; }

    /// <summary>From where on a copy is consistent.</summary>
    public required Lsn Consistent { get; init; }

    public required long SegmentSize { get; init; }

    public required string Version { get; init; }

    public required string Image { get; init; }

    /// <summary>In the container.</summary>
    public required string DataDirectory { get; init; }

    /// <summary>Why the server did not compress the base although it should be able to; null: it did, or is of an older version.</summary>
    public string? NotCompressed { get; init; }

    private const string HashFact = "row_hash";
    private const string Columns = "columns";

    /// <param name="stack">Whose set it is.</param>
    /// <param name="streamed">The continuous log is received beside the sets.</param>
    /// <param name="uncovered">Tables that are not compared → why.</param>
    public ImmutableSortedDictionary<string, string> Write(string stack, string service, bool streamed, ImmutableSortedDictionary<string, string> uncovered)
    {
        var facts = ImmutableSortedDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        if (streamed) facts[BackupFacts.StreamFrom] = WalPiece.Prefix(stack, service, SystemIdentifier) + string.Create(CultureInfo.InvariantCulture, $"{Timeline:X8}/{Start.SegmentStart(SegmentSize).Sortable}");
        facts["system_identifier"] = SystemIdentifier;
        facts["timeline"] = Timeline.ToString(CultureInfo.InvariantCulture);
        facts["start_lsn"] = Start.ToString();
        facts["stop_lsn"] = Consistent.ToString();
        facts["restore_point"] = PointName;
        facts["restore_point_lsn"] = PointLsn.ToString();
        if (PointAt is { } at) facts["restore_point_at"] = at.UtcDateTime.ToString("O", CultureInfo.InvariantCulture);
        facts["wal_segment_size"] = SegmentSize.ToString(CultureInfo.InvariantCulture);
        facts["server_version"] = Version;
        facts["image"] = Image;
        facts["data_directory"] = DataDirectory;
        facts[HashFact] = Columns;
        if (NotCompressed is { } why) facts["not_compressed_by_server"] = why;
        foreach (var (table, reason) in uncovered) facts[$"not_compared {table}"] = reason;
        return facts.ToImmutable();
    }

    /// <summary>How the part's fingerprints were taken. The first versions did not say it.</summary>
    /// <exception cref="BackupFailedException">In a way that this program does not know.</exception>
    public static RowHash RowHashOf(BackupPart part) => part.Facts.GetValueOrDefault(HashFact) switch
    {
        null => RowHash.Records,
        Columns => RowHash.Columns,
        var other => throw new BackupFailedException($"the rows of the set's part of {part.Service} were hashed by '{other}', which this program does not know", "Use the version that wrote it, or a later one."),
    };

    /// <exception cref="BackupFailedException">Something is missing: the set was written by something else.</exception>
    public static PostgresFacts Read(BackupPart part)
    {
        string Fact(string name) => part.Facts.GetValueOrDefault(name) ?? throw new BackupFailedException(
            $"the set's part of {part.Service} does not say its {name}", "It was not written by this program, or was changed.");

        return new()
        {
            SystemIdentifier = Fact("system_identifier"),
            Timeline = uint.Parse(Fact("timeline"), CultureInfo.InvariantCulture),
            Start = Lsn.Parse(Fact("start_lsn")),
            PointLsn = Lsn.Parse(Fact("restore_point_lsn")),
            PointName = Fact("restore_point"),
            PointAt = part.Facts.TryGetValue("restore_point_at", out var at) ? DateTimeOffset.Parse(at, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal) : null,
            Consistent = Lsn.Parse(Fact("stop_lsn")),
            SegmentSize = long.Parse(Fact("wal_segment_size"), CultureInfo.InvariantCulture),
            Version = Fact("server_version"),
            Image = Fact("image"),
            DataDirectory = Fact("data_directory"),
        };
    }
}
