using System.Collections.Immutable;
using System.Text;

namespace Orchestrator.Benchmarks.Measuring;

/// <summary>A table for people; the first column holds words, the others numbers.</summary>
internal sealed record Table(string Title, ImmutableArray<string> Columns, ImmutableArray<ImmutableArray<string>> Rows)
{
    /// <summary>What one has to know to read it.</summary>
    public string? Note { get; init; }

    public string ToText()
    {
        var widths = Columns.Select((column, index) => Rows.Select(row => row[index].Length).Append(column.Length).Max()).ToArray();
        var text = new StringBuilder().AppendLine().AppendLine(Title).AppendLine(Line(Columns)).AppendLine(new string('─', widths.Sum() + (3 * (widths.Length - 1))));
        foreach (var row in Rows)
            text.AppendLine(Line(row));
        return Note is null ? text.ToString() : text.AppendLine(Note).ToString();

        string Line(ImmutableArray<string> cells) =>
            string.Join("   ", cells.Select((cell, index) => index == 0 ? cell.PadRight(widths[index]) : cell.PadLeft(widths[index]))).TrimEnd();
    }

    public string ToMarkdown()
    {
        var text = new StringBuilder($"### {Title}\n\n").Append(Line(Columns)).Append("|---|");
        text.Append(string.Concat(Enumerable.Repeat("---:|", Columns.Length - 1))).Append('\n');
        foreach (var row in Rows)
            text.Append(Line(row));
        return Note is null ? text.ToString() : text.Append('\n').Append(Note).Append('\n').ToString();

        static string Line(ImmutableArray<string> cells) => $"| {string.Join(" | ", cells.Select(cell => cell.Replace("|", "\\|", StringComparison.Ordinal)))} |\n";
    }
}
