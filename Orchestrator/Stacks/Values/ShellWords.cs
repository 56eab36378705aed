using System.Collections.Immutable;
using System.Text;

namespace Orchestrator.Stacks.Values;

/// <summary>Splits a command as a shell would: single and double quotes, backslashes; no variables, no globbing.</summary>
internal static class ShellWords
{
    /// <returns>False when a quote is left open or the text ends in a backslash; then <paramref name="problem"/> says which.</returns>
    public static bool TrySplit(string text, out ImmutableArray<string> words, out string problem)
    {
        var found = ImmutableArray.CreateBuilder<string>();
        var word = new StringBuilder();
        var started = false;
        var quote = '\0';
        problem = "";
        for (var index = 0; index < text.Length; index++)
        {
            var letter = text[index];
            if (letter == '\\' && quote != '\'')
            {
                if (++index == text.Length)
                {
                    words = [];
                    problem = "it ends in a backslash";
                    return false;
                }

                // In double quotes a backslash is itself unless it protects one of these.
                if (quote == '"' && text[index] is not ('"' or '\\' or '$' or '`')) word.Append('\\');
                word.Append(text[index]);
                started = true;
            }
            else if (quote != '\0')
            {
                if (letter == quote) quote = '\0';
                else word.Append(letter);
            }
            else if (letter is '\'' or '"')
            {
                quote = letter;
                started = true;
            }
            else if (char.IsWhiteSpace(letter))
            {
                if (started) found.Add(word.ToString());
                word.Clear();
                started = false;
            }
            else
            {
                word.Append(letter);
                started = true;
            }
        }

        problem = quote == '\0' ? "" : $"a quote ({quote}) is left open";
        if (started) found.Add(word.ToString());
        words = quote == '\0' ? found.ToImmutable() : [];
        return quote == '\0';
    }
}
