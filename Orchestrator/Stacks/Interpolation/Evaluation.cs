namespace Orchestrator.Stacks.Interpolation;

/// <summary>What it takes to evaluate templates, and what came of it.</summary>
/// <param name="lookup">Null: the variable is not set.</param>
/// <param name="unset">Told of every variable that is not set and has no default: it becomes nothing.</param>
/// <param name="budget">Characters that may be produced: a long variable, named often, must not fill the memory.</param>
internal sealed class Evaluation(Func<string, string?> lookup, Action<TemplatePart.Reference> unset, ICollection<TemplateProblem> problems, int budget)
{
    public int Left { get; private set; } = budget;

    public string? Lookup(string name) => lookup(name);

    public void Unset(TemplatePart.Reference reference) => unset(reference);

    public void Missing(TemplatePart.Reference reference, bool notSet, string reason)
    {
        var state = notSet ? "is not set" : "is empty";
        problems.Add(new TemplateProblem(
            reference.Offset,
            $"the variable {reference.Name} is required and {state}{(reason.Length == 0 ? "" : $": {reason}")}",
            $"set {reference.Name} in the environment or in .env"));
    }

    public bool Spend(int characters)
    {
        if (Left < 0) return false;

        Left -= characters;
        return Left >= 0;
    }
}
