using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using Orchestrator.Benchmarks.Measuring;

namespace Orchestrator.Benchmarks;

/// <summary>All findings of a run, as text, Markdown and JSON.</summary>
internal sealed record Report(Machine Machine, ImmutableArray<Findings> Findings)
{
    private static readonly JsonSerializerOptions Indented = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    private Table Goals => new(
        "Goals",
        ["", "wanted", "measured", ""],
        [.. Findings.SelectMany(findings => findings.Goals).Select(goal => ImmutableArray.Create(goal.What, goal.Wanted, goal.Measured, goal.Met ? "met" : "MISSED"))]);

    private IEnumerable<Table> Tables => Findings.SelectMany(findings => findings.Tables).Prepend(Goals).Where(table => !table.Rows.IsEmpty);

    public string ToText() => string.Concat(Tables.Select(table => table.ToText())) + Environment.NewLine + Machine;

    public string ToJson() => JsonSerializer.Serialize(
        new { Machine, Goals = Findings.SelectMany(findings => findings.Goals), Results = Findings.ToDictionary(findings => findings.Name, findings => findings.Numbers) }, Indented);

    /// <summary>Puts the tables between the marks of an existing document; without one, they are the document. A single benchmark may have marks with its own name there.</summary>
    public void WriteMarkdown(string path)
    {
        var existing = File.Exists(path) ? File.ReadAllText(path) : string.Empty;
        var own = Findings is [var single] && existing.Contains($"<!-- {single.Name}: begin -->", StringComparison.Ordinal) ? single.Name : "measured";
        var (begin, end) = ($"<!-- {own}: begin -->", $"<!-- {own}: end -->");
        var measured = new StringBuilder(begin).Append('\n').Append(Machine).Append(".\n\n").AppendJoin('\n', Tables.Select(table => table.ToMarkdown())).Append(end).ToString();
        var from = existing.IndexOf(begin, StringComparison.Ordinal);
        var to = existing.IndexOf(end, StringComparison.Ordinal);
        File.WriteAllText(path, from >= 0 && to > from ? existing[..from] + measured + existing[(to + end.Length)..] : measured + "\n");
    }
}
