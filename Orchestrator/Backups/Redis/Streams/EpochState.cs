using System.Collections.Immutable;
using System.Text.Json;

namespace Orchestrator.Backups.Redis.Streams;

/// <summary>What is remembered of an epoch beside its data.</summary>
internal sealed record EpochState
{
    private const string FileName = "epoch.json";

    /// <summary>Where it begins: the history's name then.</summary>
    public required RedisPosition Start { get; init; }

    /// <summary>When its copy was taken, unix time, rounded up.</summary>
    public required long Taken { get; init; }

    /// <summary>The copy is in a store.</summary>
    public bool CopyStored { get; init; }

    /// <summary>Everything up to this offset is in a store.</summary>
    public long Stored { get; init; }

    /// <summary>Names that the history took on, with the offset from which each counts: failovers.</summary>
    public ImmutableArray<RedisPosition> Renamed { get; init; } = [];

    /// <summary>The last of those that are told in the stores, as a number of entries.</summary>
    public int RenamedStored { get; init; }

    /// <summary>Where the slices begin that are not merged into a larger one yet; null: there are none.</summary>
    public long? Block { get; init; }

    /// <summary>Keys of those slices, and of ones that were merged and could not be removed yet.</summary>
    public ImmutableArray<string> Small { get; init; } = [];

    public string History => Renamed.IsEmpty ? Start.History : Renamed[^1].History;

    /// <summary>The history's name for what follows the offset.</summary>
    public string HistoryAt(long offset) => Renamed.LastOrDefault(name => name.Offset <= offset)?.History ?? Start.History;

    /// <exception cref="IOException">It is missing or damaged.</exception>
    public static EpochState Load(string epoch)
    {
        var path = Path.Combine(epoch, FileName);
        try
        {
            return JsonSerializer.Deserialize<EpochState>(File.ReadAllText(path)) ?? throw new JsonException("it is empty");
        }
        catch (JsonException damaged)
        {
            throw new IOException($"{path}: {damaged.Message}", damaged);
        }
    }

    public void Save(string epoch) => Replace(Path.Combine(epoch, FileName), JsonSerializer.Serialize(this));

    /// <summary>A file's content, whole: the old one or the new one, also after a power cut.</summary>
    public static void Replace(string path, string content)
    {
        var pending = path + ".part";
        using (var file = new StreamWriter(pending, append: false))
        {
            file.Write(content);
            file.Flush();
            ((FileStream)file.BaseStream).Flush(flushToDisk: true);
        }

        File.Move(pending, path, overwrite: true);
    }
}
