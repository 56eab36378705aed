using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using Orchestrator.Benchmarks.Measuring;

namespace Orchestrator.Benchmarks;

/// <summary>All findings of a run, as text, Markdown and JSON.</summary>
internal sealed record Report(Machine Machine, ImmutableArray<Findings> Findings)
{
    private const string Begin = "<!-- measured: begin -->";
    private const string End = "<!-- measured: end -->";
    private static readonly JsonSerializerOptions Indented = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    private Table Goals => new(
        "Goals",
        ["", "wanted", "measured", ""],
        [.. Findings.SelectMany(findings => findings.Goals).Select(goal => ImmutableArray.Create(goal.What, goal.Wanted, goal.Measured, goal.Met ? "met" : "MISSED"))]);

    private IEnumerable<Table> Tables => Findings.SelectMany(findings => findings.Tables).Prepend(Goals);

    public string ToText() => string.Concat(Tables.Select(table => table.ToText())) + Environment.NewLine + Machine;

    public string ToJson() => JsonSerializer.Serialize(
        new { Machine, Goals = Findings.SelectMany(findings => findings.Goals), Results = Findings.ToDictionary(findings => findings.Name, findings => findings.Numbers) }, Indented);

    /// <summary>Puts the tables between the marks of an existing document; without one, they are the document.</summary>
    public void WriteMarkdown(string path)
    {
        var measured = new StringBuilder(Begin).Append('\n').Append(Machine).Append(".\n\n").AppendJoin('\n', Tables.Select(table => table.ToMarkdown())).Append(End).ToString();
        var document = File.Exists(path) ? File.ReadAllText(path) : string.Empty;
        var from = document.IndexOf(Begin, StringComparison.Ordinal);
        var to = document.IndexOf(End, StringComparison.Ordinal);
        File.WriteAllText(path, from >= 0 && to > from ? document[..from] + measured + document[(to + End.Length)..] : measured + "\n");
    }
}
