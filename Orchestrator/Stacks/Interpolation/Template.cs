using System.Collections.Immutable;
using System.Text;

namespace Orchestrator.Stacks.Interpolation;

/// <summary>What is wrong with a template, and where in its text (from 0).</summary>
internal sealed record TemplateProblem(int Offset, string Message, string? Hint);

/// <summary>A text with references to variables, parsed: <c>$V ${V} ${V:-d} ${V-d} ${V:?e} ${V?e} ${V:+a} ${V+a} $$</c>.</summary>
internal sealed record Template(ImmutableArray<TemplatePart> Parts)
{
    /// <summary>Every variable that the text names, in defaults as well.</summary>
    public IEnumerable<string> Names()
    {
        foreach (var part in Parts)
        {
            if (part is not TemplatePart.Reference reference) continue;

            yield return reference.Name;
            foreach (var name in reference.Operand?.Names() ?? []) yield return name;
        }
    }

    public string Evaluate(Evaluation evaluation)
    {
        var text = new StringBuilder();
        foreach (var part in Parts)
        {
            var value = part switch
            {
                TemplatePart.Literal literal => literal.Text,
                TemplatePart.Reference reference => Value(reference, evaluation),
                _ => "",
            };
            if (!evaluation.Spend(value.Length)) break;

            text.Append(value);
        }

        return text.ToString();
    }

    private static string Value(TemplatePart.Reference reference, Evaluation evaluation)
    {
        var value = evaluation.Lookup(reference.Name);
        var present = value is not null && !(reference.EmptyIsUnset && value.Length == 0);
        switch (reference.Form)
        {
            case ReferenceForm.Plain:
                if (value is null) evaluation.Unset(reference);
                return value ?? "";
            case ReferenceForm.Default:
                return present ? value ?? "" : reference.Operand?.Evaluate(evaluation) ?? "";
            case ReferenceForm.Alternative:
                return present ? reference.Operand?.Evaluate(evaluation) ?? "" : "";
            default:
                if (!present) evaluation.Missing(reference, value is null, reference.Operand?.Evaluate(evaluation) ?? "");
                return present ? value ?? "" : "";
        }
    }
}

internal enum ReferenceForm
{
    Plain,
    Default,
    Required,
    Alternative,
}

/// <summary>A piece of a template.</summary>
internal abstract record TemplatePart
{
    internal sealed record Literal(string Text) : TemplatePart;

    /// <param name="Offset">Where its '$' stands in the text.</param>
    /// <param name="EmptyIsUnset">The forms with a colon.</param>
    internal sealed record Reference(string Name, int Offset, ReferenceForm Form, bool EmptyIsUnset, Template? Operand) : TemplatePart;
}
