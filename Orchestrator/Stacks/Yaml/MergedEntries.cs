using System.Collections.Immutable;

namespace Orchestrator.Stacks.Yaml;

/// <summary>
/// The entries of one mapping as they are read: a key that comes twice is refused, and <c>&lt;&lt;</c> gives what the mapping itself does not say;
/// of several merged mappings the first wins.
/// </summary>
internal sealed class MergedEntries(Findings findings)
{
    private readonly List<Entry> _own = [];
    private readonly Dictionary<string, Mark> _places = new(StringComparer.Ordinal);
    private readonly List<MappingNode> _merged = [];

    public void Add(Entry entry, string path)
    {
        if (!_places.TryAdd(entry.Key, entry.KeyMark))
        {
            findings.Error(entry.KeyMark, path, $"the key stands twice: here and at {_places[entry.Key]}", "keep one of them");
            return;
        }

        if (entry.Key == "<<") Merge(entry, path);
        else _own.Add(entry);
    }

    public ImmutableArray<Entry> ToEntries()
    {
        if (_merged.Count == 0) return [.. _own];

        var entries = ImmutableArray.CreateBuilder<Entry>();
        entries.AddRange(_own);
        foreach (var entry in _merged.SelectMany(mapping => mapping.Entries))
        {
            if (_places.TryAdd(entry.Key, entry.KeyMark)) entries.Add(entry);
        }

        return entries.ToImmutable();
    }

    private void Merge(Entry entry, string path)
    {
        switch (entry.Value)
        {
            case MappingNode mapping:
                _merged.Add(mapping);
                break;
            case SequenceNode list:
                foreach (var item in list.Items)
                {
                    if (item is MappingNode mapping) _merged.Add(mapping);
                    else Refuse(item, path);
                }

                break;
            default:
                Refuse(entry.Value, path);
                break;
        }
    }

    private void Refuse(Node node, string path)
    {
        if (node is BrokenNode) return;

        findings.Error(node.Mark, path, "a merge key takes a mapping or a list of mappings", "<<: *anchor, or <<: [*first, *second]");
    }
}
