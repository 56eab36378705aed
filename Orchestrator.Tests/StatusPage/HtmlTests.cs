using CsCheck;
using Orchestrator.Agent.StatusPage;

namespace Orchestrator.Tests.StatusPage;

public sealed class HtmlTests
{
    [Test]
    public void Whatever_stands_in_a_hole_comes_out_as_the_same_text_and_never_as_markup() =>
        Gen.OneOf(Gen.String, Gen.String[Gen.Char["<>&\"'/=`!-scriptonerror \n\t;#x0"]], Gen.String[Gen.Char['\uD000', '\uFFFF']]).Sample(text =>
        {
            var element = Parsed.Of(Html.Of($"""<p title="{text}">{text}</p>"""));
            Assert.Multiple(() =>
            {
                Assert.That(element.HasElements, Is.False);
                Assert.That(element.Attributes().Count(), Is.EqualTo(1));
                Assert.That(element.Value, Is.EqualTo(Shown(text)));
                Assert.That(element.Attribute("title")!.Value, Is.EqualTo(Shown(text)));
            });
        });

    [TestCase("\u001B[31mred\u001B[0m", "red")]
    [TestCase("\u001B]0;title\u0007after", "after")]
    [TestCase("10 %\r20 %\r\ndone", "10 %\n20 %\ndone")]
    [TestCase("plain [31m text", "plain [31m text")]
    public void What_was_written_for_a_terminal_is_readable(string written, string read) => Assert.That(HtmlText.Plain(written), Is.EqualTo(read));

    [Test]
    public void A_text_that_turns_its_direction_around_is_shown_as_such() =>
        Assert.That(Html.Of($"{"abc\u202Egpj.exe"}").ToString(), Does.Not.Contain('\u202E').And.Not.Contain("202E"));

    /// <summary>Nothing that could be seen is lost; what could not, or is no text at all, has become a mark.</summary>
    private static string Shown(string text)
    {
        var shown = text.ToCharArray();
        for (var i = 0; i < shown.Length; i++)
        {
            var pair = char.IsHighSurrogate(text[i]) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1]);
            if (pair) i++;
            else if (char.IsSurrogate(text[i]) || (char.IsControl(text[i]) && text[i] is not ('\n' or '\t'))
                || text[i] is '\u061C' or '\u200E' or '\u200F' or (>= '\u202A' and <= '\u202E') or (>= '\u2066' and <= '\u2069') or '\uFFFE' or '\uFFFF')
                shown[i] = '\uFFFD';
        }

        return new(shown);
    }
}
