using System.Collections.Immutable;
using System.Text;
using System.Text.RegularExpressions;

namespace Orchestrator.Docker;

/// <summary>
/// What a <c>.dockerignore</c> keeps out of a build context. One pattern per line; <c>*</c> and <c>?</c> stay within a directory, <c>**</c> does not;
/// a pattern that fits a directory fits all below it; the last pattern that fits decides, and one with <c>!</c> takes back in.
/// </summary>
internal sealed class DockerIgnore
{
    private static readonly TimeSpan MatchTimeout = TimeSpan.FromSeconds(1);

    private readonly ImmutableArray<(Regex Pattern, bool Includes)> _rules;

    private DockerIgnore(ImmutableArray<(Regex Pattern, bool Includes)> rules) => _rules = rules;

    /// <summary>True when what is below a directory that is kept out may still be taken in.</summary>
    public bool HasExceptions => _rules.Any(rule => rule.Includes);

    public static DockerIgnore Parse(IEnumerable<string> lines) => new([.. lines.Select(Rule).OfType<(Regex, bool)>()]);

    /// <param name="path">Relative to the context, with <c>/</c>.</param>
    public bool Excludes(string path)
    {
        var excluded = false;
        foreach (var (pattern, includes) in _rules)
        {
            // A rule can only turn the answer round.
            if (excluded == includes && FitsOrParentFits(pattern, path)) excluded = !includes;
        }

        return excluded;
    }

    private static bool FitsOrParentFits(Regex pattern, string path)
    {
        for (var slash = path.IndexOf('/', StringComparison.Ordinal); slash > 0; slash = path.IndexOf('/', slash + 1))
        {
            if (pattern.IsMatch(path.AsSpan(0, slash))) return true;
        }

        return pattern.IsMatch(path);
    }

    private static (Regex, bool)? Rule(string line)
    {
        if (line.StartsWith('#')) return null;
        var text = line.Trim().TrimStart('\uFEFF');
        var includes = text.StartsWith('!');
        if (includes) text = text[1..].Trim();
        var pattern = Clean(text);
        return pattern.Length == 0 ? null : (new Regex(Translate(pattern), RegexOptions.CultureInvariant | RegexOptions.Singleline, MatchTimeout), includes);
    }

    /// <summary>Takes out empty parts, <c>.</c> and what <c>..</c> undoes; a path always begins at the context.</summary>
    private static string Clean(string pattern)
    {
        var parts = new List<string>();
        foreach (var part in pattern.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            if (part == "..")
            {
                if (parts.Count > 0) parts.RemoveAt(parts.Count - 1);
            }
            else if (part != ".") parts.Add(part);
        }

        return string.Join('/', parts);
    }

    private static string Translate(string pattern)
    {
        var regex = new StringBuilder("^");
        for (var i = 0; i < pattern.Length; i++)
        {
            switch (pattern[i])
            {
                case '*' when i + 1 < pattern.Length && pattern[i + 1] == '*':
                    i++;
                    if (i + 1 < pattern.Length && pattern[i + 1] == '/') i++;
                    regex.Append(i + 1 >= pattern.Length ? ".*" : "(.*/)?");
                    break;
                case '*':
                    regex.Append("[^/]*");
                    break;
                case '?':
                    regex.Append("[^/]");
                    break;
                case '[' when pattern.IndexOf(']', i + 1) is > 0 and var end:
                    regex.Append(Class(pattern[(i + 1)..end]));
                    i = end;
                    break;
                case '\\' when i + 1 < pattern.Length:
                    regex.Append(Regex.Escape(pattern[++i].ToString()));
                    break;
                default:
                    regex.Append(Regex.Escape(pattern[i].ToString()));
                    break;
            }
        }

        return regex.Append('$').ToString();
    }

    private static string Class(string content)
    {
        var negated = content.StartsWith('^') || content.StartsWith('!');
        var members = negated ? content[1..] : content;
        return $"[{(negated ? "^" : "")}{members.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("[", "\\[", StringComparison.Ordinal)}]";
    }
}
