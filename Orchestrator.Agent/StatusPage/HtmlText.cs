using System.Text.Encodings.Web;
using System.Text.RegularExpressions;
using System.Text.Unicode;

namespace Orchestrator.Agent.StatusPage;

/// <summary>Text as it stands between tags and in quoted attributes.</summary>
internal static partial class HtmlText
{
    private const char Replacement = '\uFFFD';
    private static readonly HtmlEncoder Encoder = HtmlEncoder.Create(UnicodeRanges.All);

    public static string Encode(string? text) => string.IsNullOrEmpty(text) ? "" : Encoder.Encode(Visible(text));

    /// <summary>What a program wrote for a terminal, without its colours and cursor movements, in lines that end with a line feed.</summary>
    public static string Plain(string text) => TerminalCode().Replace(text, "").ReplaceLineEndings("\n");

    /// <summary>
    /// What cannot be seen but changes what is seen is shown as a mark: control characters, and those that turn the direction of the text
    /// around, with which a log line could pretend to say something else.
    /// </summary>
    private static string Visible(string text) => text.AsSpan().ContainsAny(Hidden.Characters) || HasLoneSurrogate(text)
        ? string.Create(text.Length, text, static (span, source) =>
        {
            for (var i = 0; i < span.Length; i++)
                span[i] = Hidden.Characters.Contains(source[i]) || IsLoneSurrogate(source, i) ? Replacement : source[i];
        })
        : text;

    private static bool HasLoneSurrogate(string text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (IsLoneSurrogate(text, i)) return true;
        }

        return false;
    }

    private static bool IsLoneSurrogate(string text, int i) =>
        char.IsHighSurrogate(text[i])
            ? i + 1 == text.Length || !char.IsLowSurrogate(text[i + 1])
            : char.IsLowSurrogate(text[i]) && (i == 0 || !char.IsHighSurrogate(text[i - 1]));

    [GeneratedRegex(@"\x1B(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1B]*(?:\x07|\x1B\\)|[@-Z\\-_])")]
    private static partial Regex TerminalCode();

    private static class Hidden
    {
        public static readonly System.Buffers.SearchValues<char> Characters = System.Buffers.SearchValues.Create(
        [
            .. Enumerable.Range(0, 0xA0).Select(code => (char)code).Where(character => char.IsControl(character) && character is not ('\n' or '\t')),
            '\u061C', '\u200E', '\u200F', '\u202A', '\u202B', '\u202C', '\u202D', '\u202E', '\u2066', '\u2067', '\u2068', '\u2069', '\uFFFE', '\uFFFF',
        ]);
    }
}
