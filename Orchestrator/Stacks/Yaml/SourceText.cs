namespace Orchestrator.Stacks.Yaml;

/// <summary>The lines of a file, to say exactly where something stands in it.</summary>
internal sealed class SourceText(string content)
{
    private readonly Lazy<string[]> _lines = new(() => content.ReplaceLineEndings("\n").Split('\n'));

    /// <summary>The place of a character of a value. Where the value is written with escapes or folded, the place at which it begins.</summary>
    public Mark Place(Mark start, string value, int offset)
    {
        var lines = _lines.Value;
        var lineOfValue = value.AsSpan(0, offset).Count('\n');
        var lineStart = value.LastIndexOf('\n', Math.Max(0, offset - 1), Math.Max(0, offset)) + 1;
        var rest = value[lineStart..];
        var lineEnd = rest.IndexOf('\n', StringComparison.Ordinal);
        var text = lineEnd < 0 ? rest : rest[..lineEnd];

        // A block scalar begins on the line after its '|'; a plain or quoted one on its own line.
        for (var line = start.Line + lineOfValue; line <= start.Line + lineOfValue + 1 && line <= lines.Length; line++)
        {
            var from = line == start.Line ? Math.Min(start.Column - 1, lines[line - 1].Length) : 0;
            var found = lines[line - 1].IndexOf(text, from, StringComparison.Ordinal);
            if (found >= 0) return new Mark(line, found + offset - lineStart + 1);
        }

        return start;
    }

    /// <summary>The first tab before the text of a line, at or shortly before the line where the parser gave up.</summary>
    public Mark? TabInIndentation(int line)
    {
        var lines = _lines.Value;
        for (var index = Math.Max(0, line - 3); index < Math.Min(lines.Length, line + 1); index++)
        {
            var indentation = lines[index].AsSpan().IndexOfAnyExcept(" \t");
            var tab = lines[index].AsSpan(0, indentation < 0 ? 0 : indentation).IndexOf('\t');
            if (tab >= 0) return new Mark(index + 1, tab + 1);
        }

        return null;
    }
}
