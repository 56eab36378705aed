using System.Collections.Immutable;
using System.Globalization;

namespace Orchestrator.Backups.Postgres;

/// <summary>From which timelines a timeline came, and where it left each: the content of PostgreSQL's <c>.history</c> files.</summary>
/// <param name="Parents">Oldest first: the timeline, and the position at which it was left.</param>
public sealed record TimelineHistory(uint Timeline, ImmutableArray<(uint Timeline, Lsn Left)> Parents)
{
    /// <summary>A timeline without a parent.</summary>
    public static TimelineHistory First(uint timeline) => new(timeline, []);

    /// <exception cref="InvalidDataException">A line is not one of a history.</exception>
    public static TimelineHistory Parse(uint timeline, string content)
    {
        var parents = ImmutableArray.CreateBuilder<(uint, Lsn)>();
        foreach (var line in content.Split('\n').Select(line => line.Trim()).Where(line => line.Length > 0 && line[0] != '#'))
        {
            var fields = line.Split((char[]?)null, 3, StringSplitOptions.RemoveEmptyEntries);
            if (fields.Length < 2 || !uint.TryParse(fields[0], CultureInfo.InvariantCulture, out var parent) || !Lsn.TryParse(fields[1], out var left))
                throw new InvalidDataException($"timeline {timeline}'s history has a line that says nothing: {line}");
            parents.Add((parent, left));
        }

        return new(timeline, parents.ToImmutable());
    }

    /// <summary>The next step from a timeline towards this one, and where it is left; null: this one does not come from it.</summary>
    public (uint Next, Lsn Left)? After(uint timeline)
    {
        for (var index = 0; index < Parents.Length; index++)
        {
            if (Parents[index].Timeline != timeline) continue;
            return (index + 1 < Parents.Length ? Parents[index + 1].Timeline : Timeline, Parents[index].Left);
        }

        return null;
    }

    /// <summary>The stretches of the log from a position of one of its ancestors (or of itself) to the end of this timeline; null: it does not come from there.</summary>
    public ImmutableArray<WalStretch>? From(uint timeline, Lsn start)
    {
        var stretches = ImmutableArray.CreateBuilder<WalStretch>();
        foreach (var (parent, left) in Parents)
        {
            if (parent == timeline && left < start) return null;     // it branched off before
            if (stretches.Count > 0 || parent == timeline) stretches.Add(new(parent, stretches.Count == 0 ? start : stretches[^1].End ?? start, left));
        }

        if (stretches.Count == 0 && timeline != Timeline) return null;
        stretches.Add(new(Timeline, stretches.Count == 0 ? start : stretches[^1].End ?? start, null));
        return stretches.ToImmutable();
    }
}

/// <param name="End">Null: as far as there is any.</param>
public readonly record struct WalStretch(uint Timeline, Lsn Start, Lsn? End);
