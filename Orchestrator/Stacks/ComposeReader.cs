using System.Collections.Immutable;
using System.Text;
using Orchestrator.Stacks.Interpolation;
using Orchestrator.Stacks.Parsing;
using Orchestrator.Stacks.Validation;
using Orchestrator.Stacks.Yaml;

namespace Orchestrator.Stacks;

/// <summary>
/// Reads a Compose file into a <see cref="Stack"/>, or reports every problem in it at once, in the order of the file. Never throws on what a file
/// holds. Reads the files that the Compose file points to (<c>.env</c> in its directory, <c>env_file</c>) and looks whether files of secrets and
/// configurations exist; does nothing else outside memory.
/// </summary>
public static class ComposeReader
{
    public static ComposeResult Read(ComposeSource source)
    {
        var findings = new Findings(source.FileName);
        var stack = Legible(source.Content, findings) ? Read(source, findings) : null;
        return new ComposeResult(findings.HasErrors ? null : stack, findings.InOrder());
    }

    /// <summary>
    /// The variables that the file takes from outside: named in values, passed on by <c>environment</c> and <c>build.args</c> without a value,
    /// or the source of a secret or configuration. Empty for a file that is not YAML.
    /// </summary>
    public static ImmutableSortedSet<string> ReferencedVariables(string content)
    {
        var findings = new Findings("");
        return Legible(content, findings) ? VariableNames.In(Bare(content)) : [];
    }

    private static Stack? Read(ComposeSource source, Findings findings)
    {
        var dotEnv = DotEnv(source, findings);
        string? Lookup(string name) => source.Environment.GetValueOrDefault(name) ?? dotEnv.GetValueOrDefault(name);

        var root = YamlReader.Read(Bare(source.Content), findings, new Interpolator(findings, source.FileName, Lookup));
        if (root is null) return null;

        var reading = new Reading(source, findings, Lookup);
        return ComposeDocument.Read(root, reading) is { } draft ? StackAssembly.Build(draft, reading) : null;
    }

    private static bool Legible(string content, Findings findings)
    {
        var start = new Mark(1, 1);
        if (content.Length > YamlLimits.Bytes || Encoding.UTF8.GetByteCount(content) > YamlLimits.Bytes)
        {
            findings.Error(start, "", ComposeFile.TooLarge, "data belongs into a file that a service mounts");
            return false;
        }

        if (string.IsNullOrWhiteSpace(content))
        {
            findings.Error(start, "", "the file is empty", "a Compose file starts with 'services:'");
            return false;
        }

        var broken = content.AsSpan().IndexOfAny('\0', '\uFFFD');
        if (broken < 0) return true;

        var line = content.AsSpan(0, broken).Count('\n') + 1;
        var column = broken - content.LastIndexOf('\n', broken);
        findings.Error(new Mark(line, column), "", "the file is not UTF-8 text", "save it as UTF-8");
        return false;
    }

    private static string Bare(string content) => content.StartsWith('\uFEFF') ? content[1..] : content;

    private static Dictionary<string, string> DotEnv(ComposeSource source, Findings findings)
    {
        const string name = ".env";
        var variables = new Dictionary<string, string>(StringComparer.Ordinal);
        var path = Path.Combine(source.Directory, name);
        if (!File.Exists(path)) return variables;

        if (ComposeFile.TryLoadText(path, out var message, out var hint) is not { } text)
        {
            findings.Add(new Finding(FindingSeverity.Error, name, 1, 1, "", message, hint));
            return variables;
        }

        foreach (var entry in EnvFile.Parse(text, name, findings, source.Environment.GetValueOrDefault))
        {
            if (entry.Value is not null) variables[entry.Name] = entry.Value;
        }

        return variables;
    }
}
