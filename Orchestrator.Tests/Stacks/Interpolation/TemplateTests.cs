using CsCheck;
using Orchestrator.Stacks.Interpolation;

namespace Orchestrator.Tests.Stacks.Interpolation;

internal sealed class TemplateTests
{
    private static readonly Dictionary<string, string> Variables = new() { ["SET"] = "value", ["EMPTY"] = "", ["DOLLAR"] = "$SET" };

    [TestCase("plain", "plain")]
    [TestCase("$SET", "value")]
    [TestCase("a${SET}b", "avalueb")]
    [TestCase("$SET-x", "value-x")]
    [TestCase("$$SET", "$SET")]
    [TestCase("$$$SET", "$value")]
    [TestCase("${UNSET:-d}", "d")]
    [TestCase("${EMPTY:-d}", "d")]
    [TestCase("${EMPTY-d}", "")]
    [TestCase("${UNSET-d}", "d")]
    [TestCase("${SET:-d}", "value")]
    [TestCase("${SET:+a}", "a")]
    [TestCase("${EMPTY:+a}", "")]
    [TestCase("${EMPTY+a}", "a")]
    [TestCase("${UNSET+a}", "")]
    [TestCase("${SET:?needed}", "value")]
    [TestCase("${EMPTY?needed}", "")]
    [TestCase("${UNSET:-${SET}}", "value")]
    [TestCase("${UNSET:-${ALSO:-$SET$$}}x", "value$x")]
    [TestCase("${UNSET:-{\"a\": {\"b\": 1}}}", "{\"a\": {\"b\": 1}}")]
    [TestCase("${UNSET:-}", "")]
    [TestCase("${UNSET:-a:b-c}", "a:b-c")]
    [TestCase("{}}{", "{}}{")]
    [TestCase("$DOLLAR", "$SET", Description = "what a variable holds is not interpolated again")]
    public void A_reference_becomes_what_Compose_makes_of_it(string text, string expected)
    {
        var (value, problems) = Evaluate(text);

        Assert.That(problems, Is.Empty);
        Assert.That(value, Is.EqualTo(expected));
    }

    [TestCase("x ${UNSET:?no password} y", 2, "the variable UNSET is required and is not set: no password")]
    [TestCase("${EMPTY:?}", 0, "the variable EMPTY is required and is empty")]
    [TestCase("${UNSET?${SET} please}", 0, "the variable UNSET is required and is not set: value please")]
    [TestCase("a $ b", 2, "'$' is followed by no variable name")]
    [TestCase("a$", 1, "'$' is followed by no variable name")]
    [TestCase("$1", 0, "'$' is followed by no variable name")]
    [TestCase("${}", 0, "'${' is followed by no variable name")]
    [TestCase("${1A}", 0, "'${' is followed by no variable name")]
    [TestCase("ab${SET", 2, "'${SET' is not closed")]
    [TestCase("${SET:-x", 0, "'${SET' is not closed")]
    [TestCase("${SET!x}", 0, "after '${SET' comes neither '}' nor an operator")]
    [TestCase("${SET:x}", 0, "after '${SET' comes neither '}' nor an operator")]
    public void A_problem_is_reported_where_its_dollar_sign_stands(string text, int offset, string message)
    {
        var (_, problems) = Evaluate(text);

        Assert.That(problems.Select(problem => (problem.Offset, problem.Message)), Is.EqualTo(new[] { (offset, message) }));
    }

    [Test]
    public void Every_problem_of_a_text_is_found() =>
        Assert.That(Evaluate("${} $ ${SET} ${A!} ${B:?}").Problems.Select(problem => problem.Offset), Is.EqualTo(new[] { 0, 4, 13, 19 }));

    [Test]
    public void Nesting_is_bounded()
    {
        var deep = string.Concat(Enumerable.Repeat("${A:-", 10_000)) + new string('}', 10_000);

        Assert.That(Evaluate(deep).Problems[0].Message, Is.EqualTo("references are nested deeper than 32 levels"));
    }

    [Test]
    public void A_doubled_dollar_sign_protects_any_text() =>
        Gen.String.Sample(text => Evaluate(text.Replace("$", "$$", StringComparison.Ordinal)) is ({ } value, { Count: 0 }) && value == text);

    [Test]
    public void No_text_makes_it_throw() =>
        Gen.OneOf<string>("$", "{", "}", "A", "_", ":", "-", "?", "+", "$$", "${", "${SET", " ", "é", "1").Array[0, 30].Sample(parts => Evaluate(string.Concat(parts)));

    [Test]
    public void All_names_are_found_even_in_defaults_that_are_not_needed() =>
        Assert.That(TemplateParser.Parse("$A ${B:-${C:+$D}} $$E ${F?$G}", []).Names(), Is.EqualTo(new[] { "A", "B", "C", "D", "F", "G" }));

    private static (string Value, List<TemplateProblem> Problems) Evaluate(string text)
    {
        var problems = new List<TemplateProblem>();
        var template = TemplateParser.Parse(text, problems);
        return (template.Evaluate(new Evaluation(Variables.GetValueOrDefault, _ => { }, problems, 1_000_000)), problems);
    }
}
