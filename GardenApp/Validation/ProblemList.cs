namespace GardenApp.Validation;

/// <summary>Collects what is wrong with a request, all of it, by JSON field.</summary>
internal sealed class ProblemList
{
    private readonly Dictionary<string, string[]> _problems = [];

    /// <summary>Null when nothing is wrong.</summary>
    internal Dictionary<string, string[]>? Found => _problems.Count > 0 ? _problems : null;

    internal ProblemList When(bool wrong, string field, string problem)
    {
        if (wrong) _problems[field] = _problems.TryGetValue(field, out var earlier) ? [.. earlier, problem] : [problem];
        return this;
    }

    internal ProblemList Text(string field, string? text, bool required, int longest) => this
        .When(required && string.IsNullOrWhiteSpace(text), field, "is required")
        .When(text?.Length > longest, field, $"has at most {longest} characters")
        // PostgreSQL keeps any text but this.
        .When(text?.Contains('\0', StringComparison.Ordinal) == true, field, "must not contain a zero character");
}
