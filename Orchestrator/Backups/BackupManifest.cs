using System.Collections.Immutable;
using System.Text.Json.Serialization;

namespace Orchestrator.Backups;

/// <summary>
/// What a set is made of. It is written last and at once: a set without its manifest never existed. Plain JSON, so that it can be read with nothing of
/// ours; it holds names, sizes and hashes, never content.
/// </summary>
public sealed record BackupManifest
{
    /// <summary>
    /// Format of this record; a reader refuses what is newer than it knows. 2: rows of PostgreSQL may be hashed in another way than in 1, which a reader of 1 would take for
    /// other rows. 3: of content that came compressed there is no <see cref="BackupObject.PlainHash"/>.
    /// </summary>
    public int Format { get; init; } = 3;

    public required BackupSetId Id { get; init; }

    public required string Stack { get; init; }

    /// <summary>When the recovery point was taken, UTC. For people: order is by the sequence in <see cref="Id"/>, positions by LSN and offset.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>The release that ran; 0: none.</summary>
    public int Release { get; init; }

    /// <summary>Why it was made: <c>schedule</c>, <c>manual</c>, <c>before-deployment:ID</c>, <c>gap</c>.</summary>
    public required string Reason { get; init; }

    /// <summary>Version of the program that wrote it.</summary>
    public required string Program { get; init; }

    /// <summary>The age recipients that can read it.</summary>
    public required ImmutableArray<string> Recipients { get; init; }

    public required ImmutableArray<BackupPart> Parts { get; init; }

    /// <summary>See <see cref="BackupPart.Kind"/>: a logical dump of PostgreSQL.</summary>
    public const string DumpKind = "postgres-dump";

    /// <summary>
    /// A dump is a set of its own, beside those that a stack is restored from: it is kept, counted and proved apart from them, so that neither takes the
    /// other's place.
    /// </summary>
    [JsonIgnore]
    public bool IsDump => !Parts.IsEmpty && Parts.All(part => part.Kind == DumpKind);

    /// <summary>Bytes in one store.</summary>
    public long StoredBytes => Parts.Sum(part => part.Objects.Sum(item => item.StoredBytes));
}

/// <summary>One service's share of a set.</summary>
public sealed record BackupPart
{
    /// <summary>The Compose service; for the stack's own records <c>@stack</c>.</summary>
    public required string Service { get; init; }

    /// <summary><c>postgres</c>, <c>postgres-dump</c>, <c>redis</c>, <c>volume</c>, <c>configuration</c>.</summary>
    public required string Kind { get; init; }

    public required ImmutableArray<BackupObject> Objects { get; init; }

    /// <summary>What the source needs to find its place again: LSN, timeline, system identifier, replication offset, image digest. Names are the source's.</summary>
    public ImmutableSortedDictionary<string, string> Facts { get; init; } = ImmutableSortedDictionary<string, string>.Empty;

    /// <summary>What a restored copy is compared with: <c>table public.gardens</c> → <c>rows:hash</c>, <c>db0</c> → <c>keys:digest</c>, a path → its hash. Taken at the backup.</summary>
    public ImmutableSortedDictionary<string, string> Fingerprints { get; init; } = ImmutableSortedDictionary<string, string>.Empty;
}

/// <summary>A stored stream: content → zstd → age.</summary>
/// <param name="Key">Where it lies in each store.</param>
/// <param name="PlainBytes">Size of the content.</param>
/// <param name="PlainHash">SHA-256 of the content, lower-case hexadecimal. Empty where the content came compressed: then it is known by <paramref name="StoredHash"/> alone.</param>
/// <param name="StoredBytes">Size of what lies in the store.</param>
/// <param name="StoredHash">SHA-256 of what lies in the store.</param>
public sealed record BackupObject(string Key, long PlainBytes, string PlainHash, long StoredBytes, string StoredHash);

/// <summary>
/// Names a set within its stack: <c>000042-20261125T013000Z</c>. The number counts up and gives the order; the time is for people.
/// </summary>
public readonly record struct BackupSetId(string Value)
{
    public static BackupSetId Of(long sequence, DateTimeOffset at) =>
        new(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{sequence:000000}-{at.UtcDateTime:yyyyMMdd'T'HHmmss'Z'}"));

    /// <summary>The number; 0 when this is no name of a set.</summary>
    public long Sequence => long.TryParse(Value.AsSpan(0, Math.Max(0, Value.IndexOf('-'))), System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var number) ? number : 0;

    public override string ToString() => Value;
}
