using CsCheck;
using Orchestrator.Stacks;
using Orchestrator.Stacks.Interpolation;

namespace Orchestrator.Tests.Stacks.Interpolation;

internal sealed class EnvFileTests
{
    [TestCase("A=b", "A=b")]
    [TestCase("export A=b", "A=b")]
    [TestCase("export=b", "export=b")]
    [TestCase("  A = b  ", "A=b")]
    [TestCase("A=", "A=")]
    [TestCase("A: b", "A=b")]
    [TestCase("A", "A!")]
    [TestCase("# comment\n\nA=b # rest", "A=b")]
    [TestCase("A=b#c", "A=b#c")]
    [TestCase("A=#c", "A=")]
    [TestCase("A='$X # \"raw\"' # rest", "A=$X # \"raw\"")]
    [TestCase("A=\"line\\none\\t\\\"q\\\" \\$X\"", "A=line\none\t\"q\" $X")]
    [TestCase("A=\"two\nlines\"\nB=c", "A=two\nlines|B=c")]
    [TestCase("A='two\nlines'\nB=c", "A=two\nlines|B=c")]
    [TestCase("A=b\r\nC=d\r\n", "A=b|C=d")]
    [TestCase("\uFEFFA=b", "A=b")]
    [TestCase("A=1\nB=${A}2\nC=\"$B-${NO:-x}\"", "A=1|B=12|C=12-x")]
    [TestCase("OUTER=inside\nB=$OUTER", "OUTER=inside|B=outside")]
    [TestCase("A=postgres://u:p@h/d?x=1&y=2", "A=postgres://u:p@h/d?x=1&y=2")]
    [TestCase("A.b-c=1", "A.b-c=1")]
    public void An_environment_file_is_read_as_Compose_does(string text, string expected)
    {
        var (entries, findings) = Parse(text);

        Assert.That(findings.InOrder(), Is.Empty);
        Assert.That(string.Join('|', entries.Select(entry => entry.Value is null ? $"{entry.Name}!" : $"{entry.Name}={entry.Value}")), Is.EqualTo(expected));
    }

    [TestCase("=b", "x.env:1:1: error: a line must start with the name of a variable (NAME=value, or # for a comment)")]
    [TestCase("A=1\nB C=2", "x.env:2:3: error: B: expected '=' after B (a name consists of letters, digits, '_', '.' and '-')")]
    [TestCase("A='b", "x.env:1:3: error: A: the quote ' of A is never closed")]
    [TestCase("A=1\nB=\"b\nC=2", "x.env:2:3: error: B: the quote \" of B is never closed")]
    [TestCase("A='b' c", "x.env:1:7: error: A: text follows the closing quote of A (put the whole value in quotes)")]
    [TestCase("A=b$(x)", "x.env:1:4: error: A: '$' is followed by no variable name (write $$ for a dollar sign)")]
    public void A_problem_names_its_line_and_column_and_never_the_value(string text, string expected) =>
        Assert.That(Parse(text).Findings.InOrder().Select(finding => finding.ToString()), Is.EqualTo(new[] { expected }));

    [Test]
    public void No_text_makes_it_throw() =>
        Gen.OneOf(Gen.String, Gen.OneOf<string>("A", "=", "'", "\"", "\\", "\n", "#", " ", "$", "{", "}", "export ", "\t", ":").Array[0, 40].Select(string.Concat))
            .Sample(text => Parse(text));

    private static (IReadOnlyList<EnvEntry> Entries, Findings Findings) Parse(string text)
    {
        var findings = new Findings("compose.yml");
        return (EnvFile.Parse(text, "x.env", findings, name => name == "OUTER" ? "outside" : null), findings);
    }
}
