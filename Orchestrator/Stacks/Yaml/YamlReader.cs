using System.Collections.Immutable;
using Orchestrator.Stacks.Interpolation;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Orchestrator.Stacks.Yaml;

/// <summary>
/// Turns text into a tree of nodes with places: aliases shared, merge keys applied, variables put in. Bounded in depth and in expanded size.
/// </summary>
internal sealed class YamlReader
{
    private readonly SourceText _source;
    private readonly Findings _findings;
    private readonly Interpolator _interpolator;
    private readonly Parser _parser;
    private readonly List<string> _path = [];

    /// <summary>Null: the anchor is still open, an alias to it would contain itself.</summary>
    private readonly Dictionary<string, Node?> _anchors = new(StringComparer.Ordinal);

    private long _size;

    private YamlReader(string content, Findings findings, Interpolator interpolator)
    {
        _source = new SourceText(content);
        _findings = findings;
        _interpolator = interpolator;
        _parser = new Parser(new StringReader(content));
    }

    private string Path => string.Join('.', _path).Replace(".[", "[", StringComparison.Ordinal);

    /// <returns>Null when the file cannot be read as YAML; the reason has been reported.</returns>
    public static Node? Read(string content, Findings findings, Interpolator interpolator)
    {
        var reader = new YamlReader(content, findings, interpolator);
        try
        {
            return reader.Document();
        }
        catch (YamlException exception)
        {
            reader.Syntax(exception);
            return null;
        }
    }

    private Node? Document()
    {
        Move();
        Move();
        if (_parser.Current is null or StreamEnd) return Fatal(new Mark(1, 1), "the file is empty", "expected a Compose file with `services`");

        Move();
        if (Value(0) is not { } root) return null;

        while (_parser.Current is DocumentEnd) Move();
        if (_parser.Current is DocumentStart next)
            return Fatal(At(next.Start), "a second document starts here: a Compose file is one document", "remove the line '---' or put the rest in a file of its own");

        return root;
    }

    /// <summary>YamlDotNet answers some malformed input with an exception about its own state; to the reader of the file it is a mistake in the file.</summary>
    private void Move()
    {
        try
        {
            _parser.MoveNext();
        }
        catch (Exception exception) when (exception is InvalidOperationException or ArgumentException or FormatException or OverflowException)
        {
            var here = _parser.Current?.End ?? YamlDotNet.Core.Mark.Empty;
            throw new SyntaxErrorException(here, here, "the text after this place cannot be understood");
        }
    }

    /// <summary>Reads the value that the parser stands on and moves past it.</summary>
    private Node? Value(int depth)
    {
        var start = _parser.Current ?? throw new SemanticErrorException("the text ends in the middle of a value");
        var mark = At(start.Start);
        if (depth > YamlLimits.Depth) return Fatal(mark, $"values are nested deeper than {YamlLimits.Depth} levels", null);
        if (start is AnchorAlias alias) return Aliased(alias, mark);

        var anchor = start is NodeEvent { Anchor.IsEmpty: false } named ? named.Anchor.Value : null;
        if (anchor is not null) _anchors[anchor] = null;

        var known = Tag(start, mark);
        var node = start switch
        {
            Scalar scalar => Text(scalar, mark),
            SequenceStart => List(mark, depth),
            MappingStart => Map(mark, depth),
            _ => Fatal(mark, "expected a value", null),
        };
        if (node is null) return null;
        if (!known) node = new BrokenNode(mark);
        if (anchor is not null) _anchors[anchor] = node;
        return node;
    }

    private Node? Aliased(AnchorAlias alias, Mark mark)
    {
        Move();
        if (!_anchors.TryGetValue(alias.Value.Value, out var node))
        {
            var hint = Values.Nearest.To(alias.Value.Value, _anchors.Keys) is { } near ? $"did you mean *{near}?" : "an anchor must stand before the alias";
            _findings.Error(mark, Path, $"there is no anchor &{alias.Value.Value} for this alias", hint);
            return new BrokenNode(mark);
        }

        if (node is null) return Fatal(mark, $"the alias *{alias.Value.Value} stands inside its own anchor", null);

        return Counted(node.Size, mark) ? node : null;
    }

    private Node? Text(Scalar scalar, Mark mark)
    {
        Move();
        if (!Counted(1, mark)) return null;

        var plain = scalar.Style == ScalarStyle.Plain && (scalar.Tag.IsEmpty || scalar.Tag.Value == "tag:yaml.org,2002:null");
        if (plain && scalar.Value is "" or "~" or "null" or "Null" or "NULL") return new ScalarNode(mark, scalar.Value, "", isNull: true);

        var value = _interpolator.Apply(scalar.Value, offset => _source.Place(mark, scalar.Value, offset), Path);
        if (value is null) return new BrokenNode(mark);

        return Counted(WeightOf(value) - 1, mark) ? new ScalarNode(mark, scalar.Value, value, isNull: false) : null;
    }

    private SequenceNode? List(Mark mark, int depth)
    {
        Move();
        if (!Counted(1, mark)) return null;

        var items = ImmutableArray.CreateBuilder<Node>();
        var size = 1L;
        while (_parser.Current is not SequenceEnd)
        {
            _path.Add($"[{items.Count}]");
            if (Value(depth + 1) is not { } item) return null;

            _path.RemoveAt(_path.Count - 1);
            items.Add(item);
            size += item.Size;
        }

        Move();
        return new SequenceNode(mark, items.ToImmutable(), size);
    }

    private MappingNode? Map(Mark mark, int depth)
    {
        Move();
        if (!Counted(1, mark)) return null;

        var merge = new MergedEntries(_findings);
        var size = 1L;
        while (_parser.Current is not MappingEnd)
        {
            var keyMark = At((_parser.Current ?? throw new SemanticErrorException("the text ends in the middle of a mapping")).Start);
            if (Key(keyMark, depth) is not { } key) return null;

            _path.Add(key);
            if (Value(depth + 1) is not { } value) return null;

            size += WeightOf(key) + value.Size;
            merge.Add(new Entry(key, keyMark, value), Path);
            _path.RemoveAt(_path.Count - 1);
        }

        Move();
        return new MappingNode(mark, merge.ToEntries(), size);
    }

    private string? Key(Mark mark, int depth)
    {
        if (_parser.Current is Scalar scalar)
        {
            Tag(scalar, mark);
            if (!scalar.Anchor.IsEmpty) _anchors[scalar.Anchor.Value] = new ScalarNode(mark, scalar.Value, scalar.Value, isNull: false);
            Move();
            return Counted(WeightOf(scalar.Value), mark) ? scalar.Value : null;
        }

        if (Value(depth + 1) is not { } node) return null;
        if (node is ScalarNode text) return text.Value;

        _findings.Error(mark, Path, "a key must be a word, not a list or a mapping", "in a flow value such as { a: b }, write a space after the colon; quote text that starts with '{' or '['");
        return "";
    }

    /// <summary>Compose's own <c>!reset</c> and <c>!override</c> concern several files read together; none of the others has a meaning here.</summary>
    private bool Tag(ParsingEvent start, Mark mark)
    {
        if (start is not NodeEvent { Tag: { IsEmpty: false, IsNonSpecific: false } tag }) return true;
        if (tag.Value is "tag:yaml.org,2002:str" or "tag:yaml.org,2002:int" or "tag:yaml.org,2002:float" or "tag:yaml.org,2002:bool"
            or "tag:yaml.org,2002:null" or "tag:yaml.org,2002:map" or "tag:yaml.org,2002:seq") return true;

        _findings.Error(mark, Path, $"the tag {tag.Value} is not supported", "remove the tag; files are not merged here, so !reset and !override have nothing to act on");
        return false;
    }

    /// <summary>A long text counts as several values: an alias of it would be copied as often as it is used.</summary>
    public static long WeightOf(string text) => 1 + text.Length / 64;

    private bool Counted(long more, Mark mark)
    {
        _size += more;
        if (_size <= YamlLimits.Nodes) return true;

        Fatal(mark, $"the file holds more than {YamlLimits.Nodes} values, counting what its aliases stand for", "an alias of an alias of an alias grows without bound");
        return false;
    }

    private void Syntax(YamlException exception)
    {
        var mark = At(exception.Start);
        if (_source.TabInIndentation(mark.Line) is { } tab)
        {
            Fatal(tab, "a tab stands in the indentation: YAML allows only spaces there", "replace it with spaces");
            return;
        }

        Fatal(mark, $"this is not valid YAML: {exception.Message.TrimEnd('.').ToLowerInvariant()}", null);
    }

    private Node? Fatal(Mark mark, string message, string? hint)
    {
        _findings.Error(mark, Path, message, hint);
        return null;
    }

    private static Mark At(YamlDotNet.Core.Mark mark) => new((int)Math.Max(1, mark.Line), (int)Math.Max(1, mark.Column));
}
