using Orchestrator.Stacks.Yaml;

namespace Orchestrator.Stacks.Interpolation;

/// <summary>
/// Puts variables into the values of one file, and reports what is missing where it stands. Values are never part of a message: they may be secrets.
/// </summary>
internal sealed class Interpolator(Findings findings, string file, Func<string, string?> lookup)
{
    /// <summary>Characters that interpolation may produce in one file.</summary>
    private const int Budget = 4 * 1024 * 1024;

    private readonly HashSet<string> _noted = [];
    private int _left = Budget;

    /// <summary>Told of every template, before it is evaluated.</summary>
    public Action<Template>? Seen { get; init; }

    /// <param name="place">From an offset in the text to its place in the file.</param>
    /// <returns>Null when there was an error, which has been reported.</returns>
    public string? Apply(string text, Func<int, Mark> place, string key)
    {
        var problems = new List<TemplateProblem>();
        var template = TemplateParser.Parse(text, problems);
        Seen?.Invoke(template);
        if (problems.Count == 0 && template.Parts is [TemplatePart.Literal only]) return only.Text;

        var evaluation = new Evaluation(lookup, reference => Unset(reference, place, key), problems, _left);
        var value = template.Evaluate(evaluation);
        _left = evaluation.Left;
        if (_left < 0)
            problems.Add(new TemplateProblem(0, $"interpolation produces more than {Budget / (1024 * 1024)} MiB of text", null));

        foreach (var problem in problems)
        {
            var at = place(problem.Offset);
            findings.Add(new Finding(FindingSeverity.Error, file, at.Line, at.Column, key, problem.Message, problem.Hint));
        }

        return problems.Count == 0 ? value : null;
    }

    private void Unset(TemplatePart.Reference reference, Func<int, Mark> place, string key)
    {
        if (!_noted.Add(reference.Name)) return;

        var at = place(reference.Offset);
        findings.Add(new Finding(
            FindingSeverity.Note, file, at.Line, at.Column, key,
            $"the variable {reference.Name} is not set: nothing is put in its place",
            $"set it in the environment or in .env, or give a default: ${{{reference.Name}:-…}}"));
    }
}
