using System.Text;
using Orchestrator.Stacks.Yaml;

namespace Orchestrator.Stacks.Interpolation;

/// <param name="Value">Null: the name stands alone and takes its value from the environment.</param>
internal sealed record EnvEntry(string Name, string? Value, Mark Mark);

/// <summary>
/// Reads <c>.env</c> and <c>env_file</c> files: <c>NAME=value</c>, <c>export</c>, comments, single quotes (nothing is special in them), double
/// quotes (escapes, several lines, variables), and variables that were set before.
/// </summary>
internal sealed class EnvFile
{
    private readonly string _text;
    private readonly string _file;
    private readonly Findings _findings;
    private readonly Interpolator _interpolator;
    private readonly Dictionary<string, string> _earlier = new(StringComparer.Ordinal);
    private int _at;
    private int _line = 1;
    private int _lineStart;

    private EnvFile(string text, string file, Findings findings, Func<string, string?> lookup)
    {
        _text = text;
        _file = file;
        _findings = findings;
        _interpolator = new Interpolator(findings, file, name => lookup(name) ?? _earlier.GetValueOrDefault(name));
    }

    private Mark Here => new(_line, _at - _lineStart + 1);

    private char? Current => _at < _text.Length ? _text[_at] : null;

    /// <param name="lookup">Variables from outside; they win over those of the file itself.</param>
    public static IReadOnlyList<EnvEntry> Parse(string text, string file, Findings findings, Func<string, string?> lookup) =>
        new EnvFile(text.ReplaceLineEndings("\n").TrimStart('\uFEFF'), file, findings, lookup).Entries();

    private List<EnvEntry> Entries()
    {
        var entries = new List<EnvEntry>();
        while (_at < _text.Length)
        {
            SkipBlanks();
            if (Current is '\n')
            {
                Advance();
                continue;
            }

            if (Current is null) break;
            if (Current is '#')
            {
                SkipLine();
                continue;
            }

            if (Entry() is not { } entry) continue;

            entries.Add(entry);
            if (entry.Value is not null) _earlier[entry.Name] = entry.Value;
        }

        return entries;
    }

    private EnvEntry? Entry()
    {
        var mark = Here;
        var name = Name();
        if (name == "export" && Current is ' ' or '\t')
        {
            SkipBlanks();
            mark = Here;
            name = Name();
        }

        if (name.Length == 0) return Reject(mark, "", "a line must start with the name of a variable", "NAME=value, or # for a comment");

        SkipBlanks();
        if (Current is null or '\n' or '#')
        {
            SkipLine();
            return new EnvEntry(name, null, mark);
        }

        if (Current is not ('=' or ':')) return Reject(Here, name, $"expected '=' after {name}", "a name consists of letters, digits, '_', '.' and '-'");

        Advance();
        SkipBlanks();
        var value = Current switch
        {
            '\'' => SingleQuoted(name),
            '"' => DoubleQuoted(name),
            _ => Plain(name),
        };
        return value is null ? null : new EnvEntry(name, value, mark);
    }

    private string? SingleQuoted(string name)
    {
        var start = Here;
        Advance();
        var end = _text.IndexOf('\'', _at);
        if (end < 0) return OpenQuote(start, name, '\'');

        var value = _text[_at..end];
        while (_at <= end) Advance();
        return RestOfLineIsEmpty(name) ? value : null;
    }

    private string? DoubleQuoted(string name)
    {
        var start = Here;
        Advance();
        var raw = new StringBuilder();
        while (Current is { } letter && letter != '"')
        {
            Advance();
            if (letter == '\\' && Current is { } escaped)
            {
                Advance();
                raw.Append(Unescape(escaped));
            }
            else
            {
                raw.Append(letter);
            }
        }

        if (Current is null) return OpenQuote(start, name, '"');

        Advance();
        return RestOfLineIsEmpty(name) ? _interpolator.Apply(raw.ToString(), _ => start, name) : null;
    }

    /// <summary>An escaped dollar sign becomes two, which interpolation turns into one.</summary>
    private static string Unescape(char letter) => letter switch
    {
        'n' => "\n",
        'r' => "\r",
        't' => "\t",
        '"' or '\\' or '\'' => letter.ToString(),
        '$' => "$$",
        '\n' => "",
        _ => $"\\{letter}",
    };

    private string? Plain(string name)
    {
        var start = Here;
        var end = _text.IndexOf('\n', _at);
        var value = end < 0 ? _text[_at..] : _text[_at..end];
        for (var index = 0; index < value.Length; index++)
        {
            if (value[index] != '#' || (index > 0 && value[index - 1] is not (' ' or '\t'))) continue;

            value = value[..index];
            break;
        }

        SkipLine();
        return _interpolator.Apply(value.TrimEnd(), offset => start with { Column = start.Column + offset }, name);
    }

    private bool RestOfLineIsEmpty(string name)
    {
        SkipBlanks();
        if (Current is null or '\n' or '#')
        {
            SkipLine();
            return true;
        }

        Reject(Here, name, $"text follows the closing quote of {name}", "put the whole value in quotes");
        return false;
    }

    private string? OpenQuote(Mark start, string name, char quote)
    {
        Report(start, name, $"the quote {quote} of {name} is never closed", null);
        _at = _text.Length;
        return null;
    }

    private EnvEntry? Reject(Mark at, string key, string message, string hint)
    {
        Report(at, key, message, hint);
        SkipLine();
        return null;
    }

    private void Report(Mark at, string key, string message, string? hint) =>
        _findings.Add(new Finding(FindingSeverity.Error, _file, at.Line, at.Column, key, message, hint));

    private string Name()
    {
        var start = _at;
        while (Current is { } letter && (char.IsAsciiLetterOrDigit(letter) || letter is '_' or '.' or '-')) _at++;
        return _text[start.._at];
    }

    private void SkipBlanks()
    {
        while (Current is ' ' or '\t') _at++;
    }

    private void SkipLine()
    {
        while (Current is { } letter && letter != '\n') _at++;
        if (Current is not null) Advance();
    }

    private void Advance()
    {
        if (_text[_at++] != '\n') return;

        _line++;
        _lineStart = _at;
    }
}
