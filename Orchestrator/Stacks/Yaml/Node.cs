using System.Collections.Immutable;

namespace Orchestrator.Stacks.Yaml;

/// <summary>
/// A value of the document with its place. An alias is the node it points to, never a copy of it, so that the tree takes no more memory
/// than the file; <see cref="Size"/> is what it would have been with every alias written out.
/// </summary>
internal abstract class Node(Mark mark, long size)
{
    public Mark Mark { get; } = mark;

    public long Size { get; } = size;
}

/// <param name="raw">As written, before interpolation.</param>
/// <param name="value">After interpolation.</param>
/// <param name="isNull">Nothing, <c>null</c> or <c>~</c>, not in quotes.</param>
internal sealed class ScalarNode(Mark mark, string raw, string value, bool isNull) : Node(mark, YamlReader.WeightOf(value))
{
    public string Raw { get; } = raw;

    public string Value { get; } = value;

    public bool IsNull { get; } = isNull;
}

internal sealed class SequenceNode(Mark mark, ImmutableArray<Node> items, long size) : Node(mark, size)
{
    public ImmutableArray<Node> Items { get; } = items;
}

internal sealed class MappingNode(Mark mark, ImmutableArray<Entry> entries, long size) : Node(mark, size)
{
    public ImmutableArray<Entry> Entries { get; } = entries;
}

/// <summary>Something whose problem has been reported already; nothing more is said about it.</summary>
internal sealed class BrokenNode(Mark mark) : Node(mark, 1);

internal readonly record struct Entry(string Key, Mark KeyMark, Node Value);
