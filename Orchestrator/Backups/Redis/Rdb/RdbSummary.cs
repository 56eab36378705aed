using System.Collections.Immutable;
using System.Globalization;

namespace Orchestrator.Backups.Redis.Rdb;

/// <summary>What an RDB file holds, by its content: how it was encoded, and in which order, makes no difference.</summary>
internal sealed record RdbSummary
{
    /// <summary>Size of the file.</summary>
    public required long Bytes { get; init; }

    /// <summary><c>redis-ver</c>, <c>ctime</c>, <c>repl-id</c>, …</summary>
    public required ImmutableSortedDictionary<string, string> Fields { get; init; }

    /// <summary>Database → what is in it; empty ones are left out.</summary>
    public required ImmutableSortedDictionary<int, RdbDatabase> Databases { get; init; }

    /// <summary>Libraries of functions.</summary>
    public required KeyDigest Functions { get; init; }

    /// <summary>Why the content could not be read to its end, though the file was taken whole; null: it was.</summary>
    public string? Problem { get; init; }

    /// <summary>
    /// <c>db0</c> → <c>keys:digest</c>, of keys without a time to live: the others may be gone by the time somebody compares. Empty where the content could
    /// not be read.
    /// </summary>
    public ImmutableSortedDictionary<string, string> Fingerprints
    {
        get
        {
            var all = ImmutableSortedDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
            if (Problem is not null) return all.ToImmutable();

            foreach (var (number, database) in Databases.Where(database => database.Value.Lasting.Count > 0)) all[$"db{number}"] = database.Lasting.ToString();
            if (Functions.Count > 0) all["functions"] = Functions.ToString();
            return all.ToImmutable();
        }
    }

    /// <summary><c>db0.keys</c>, <c>db0.expiring</c> → how many.</summary>
    public IEnumerable<KeyValuePair<string, string>> Counts => Databases.SelectMany(database => (KeyValuePair<string, string>[])
    [
        new($"db{database.Key}.keys", (database.Value.Lasting.Count + database.Value.Expiring.Count).ToString(CultureInfo.InvariantCulture)),
        new($"db{database.Key}.expiring", database.Value.Expiring.Count.ToString(CultureInfo.InvariantCulture)),
    ]);
}

/// <param name="Lasting">Keys without a time to live.</param>
/// <param name="Expiring">Keys that have one, or whose fields do.</param>
internal readonly record struct RdbDatabase(KeyDigest Lasting, KeyDigest Expiring);

/// <summary>A sum over hashes: the same for the same keys, whatever their order.</summary>
internal readonly record struct KeyDigest(long Count, UInt128 Sum)
{
    public KeyDigest Add(UInt128 key) => new(Count + 1, unchecked(Sum + key));

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Count}:{Sum:x32}");
}
