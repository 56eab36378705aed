using System.Collections.Immutable;
using System.Text;

namespace Orchestrator.Stacks.Interpolation;

/// <summary>Reads a template in one pass. Every problem is collected; what cannot be understood stays as it is written.</summary>
internal sealed class TemplateParser
{
    private const int DeepestNesting = 32;
    private readonly string _text;
    private readonly List<TemplateProblem> _problems;
    private int _at;

    private TemplateParser(string text, List<TemplateProblem> problems)
    {
        _text = text;
        _problems = problems;
    }

    public static Template Parse(string text, List<TemplateProblem> problems)
    {
        if (!text.Contains('$', StringComparison.Ordinal)) return new Template([new TemplatePart.Literal(text)]);

        return new TemplateParser(text, problems).Read(0);
    }

    /// <summary>Up to the end of the text or, inside a reference, up to the brace that closes it.</summary>
    private Template Read(int depth)
    {
        var parts = ImmutableArray.CreateBuilder<TemplatePart>();
        var literal = new StringBuilder();
        var braces = 0;
        while (_at < _text.Length)
        {
            var letter = _text[_at];
            if (depth > 0 && letter == '}' && braces == 0) break;

            if (letter != '$')
            {
                // Braces in a default come in pairs, so that JSON can be one.
                if (letter == '{') braces++;
                if (letter == '}') braces--;
                literal.Append(letter);
                _at++;
                continue;
            }

            if (Peek(1) == '$')
            {
                literal.Append('$');
                _at += 2;
                continue;
            }

            var reference = Reference(depth);
            if (reference is null) continue;

            if (literal.Length > 0) parts.Add(new TemplatePart.Literal(literal.ToString()));
            literal.Clear();
            parts.Add(reference);
        }

        if (literal.Length > 0) parts.Add(new TemplatePart.Literal(literal.ToString()));
        return new Template(parts.ToImmutable());
    }

    private TemplatePart.Reference? Reference(int depth)
    {
        var start = _at++;
        if (Peek(0) == '{')
        {
            _at++;
            return Braced(start, depth + 1);
        }

        var name = Name();
        if (name.Length > 0) return new TemplatePart.Reference(name, start, ReferenceForm.Plain, false, null);

        Problem(start, "'$' is followed by no variable name", "write $$ for a dollar sign");
        return null;
    }

    private TemplatePart.Reference? Braced(int start, int depth)
    {
        if (depth > DeepestNesting)
        {
            Problem(start, $"references are nested deeper than {DeepestNesting} levels", null);
            _at = _text.Length;
            return null;
        }

        var name = Name();
        if (name.Length == 0) return Malformed(start, "'${' is followed by no variable name");
        if (Peek(0) == '}')
        {
            _at++;
            return new TemplatePart.Reference(name, start, ReferenceForm.Plain, false, null);
        }

        var colon = Peek(0) == ':';
        ReferenceForm? form = Peek(colon ? 1 : 0) switch
        {
            '-' => ReferenceForm.Default,
            '?' => ReferenceForm.Required,
            '+' => ReferenceForm.Alternative,
            _ => null,
        };
        if (form is null)
            return Malformed(start, _at >= _text.Length ? $"'${{{name}' is not closed" : $"after '${{{name}' comes neither '}}' nor an operator");

        _at += colon ? 2 : 1;
        var operand = Read(depth);
        if (_at >= _text.Length)
        {
            Problem(start, $"'${{{name}' is not closed", "add the missing '}', or write $$ for a dollar sign");
            return null;
        }

        _at++;
        return new TemplatePart.Reference(name, start, form.Value, colon, operand);
    }

    /// <summary>Skips to the closing brace, so that one mistake is one problem.</summary>
    private TemplatePart.Reference? Malformed(int start, string message)
    {
        Problem(start, message, "known forms: ${V} ${V:-default} ${V:?message} ${V:+alternative}; write $$ for a dollar sign");
        var end = _text.IndexOf('}', _at);
        _at = end < 0 ? _text.Length : end + 1;
        return null;
    }

    private string Name()
    {
        var start = _at;
        if (Peek(0) is not { } first || !(char.IsAsciiLetter(first) || first == '_')) return "";

        while (Peek(0) is { } letter && (char.IsAsciiLetterOrDigit(letter) || letter == '_')) _at++;
        return _text[start.._at];
    }

    private char? Peek(int ahead) => _at + ahead < _text.Length ? _text[_at + ahead] : null;

    private void Problem(int offset, string message, string? hint) => _problems.Add(new TemplateProblem(offset, message, hint));
}
