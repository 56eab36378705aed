using System.Collections.Immutable;
using Orchestrator.Stacks.Yaml;

namespace Orchestrator.Stacks;

/// <summary>
/// Collects what is found in a file. A value that an anchor shares between services is reported once; the number of findings is bounded,
/// so that a hostile file cannot make the report larger than itself.
/// </summary>
internal sealed class Findings(string fileName)
{
    private const int Limit = 500;
    private readonly List<Finding> _found = [];
    private readonly HashSet<(string File, int Line, int Column, string Message)> _seen = [];
    private int _omitted;

    public string FileName { get; } = fileName;

    public bool HasErrors { get; private set; }

    public void Error(Mark at, string key, string message, string? hint = null) =>
        Add(new Finding(FindingSeverity.Error, FileName, at.Line, at.Column, key, message, hint));

    public void Note(Mark at, string key, string message, string? hint = null) =>
        Add(new Finding(FindingSeverity.Note, FileName, at.Line, at.Column, key, message, hint));

    public void Add(Finding finding)
    {
        HasErrors |= finding.Severity == FindingSeverity.Error;
        if (_found.Count >= Limit)
        {
            _omitted++;
            return;
        }

        if (_seen.Add((finding.File, finding.Line, finding.Column, finding.Message))) _found.Add(finding);
    }

    /// <summary>The Compose file's findings from top to bottom, then those of the files it points to.</summary>
    public ImmutableArray<Finding> InOrder()
    {
        var ordered = _found
            .OrderBy(finding => finding.File == FileName ? 0 : 1)
            .ThenBy(finding => finding.File, StringComparer.Ordinal)
            .ThenBy(finding => finding.Line)
            .ThenBy(finding => finding.Column)
            .ToImmutableArray();
        if (_omitted == 0) return ordered;

        var severity = HasErrors ? FindingSeverity.Error : FindingSeverity.Note;
        return ordered.Add(new Finding(severity, FileName, 1, 1, "", $"{_omitted} more problems are not shown", "correct these first"));
    }
}
