using System.Collections.Immutable;
using CsCheck;
using Orchestrator.Stacks.Values;

namespace Orchestrator.Tests.Stacks.Values;

internal sealed class ValueTests
{
    [TestCase("0", 0)]
    [TestCase("0s", 0)]
    [TestCase("500ms", 500)]
    [TestCase("10s", 10_000)]
    [TestCase("1m30s", 90_000)]
    [TestCase("1.5h", 5_400_000)]
    [TestCase("1h2m3s4ms", 3_723_004)]
    [TestCase("2500us", 2.5)]
    public void A_duration_is_read_as_Compose_does(string text, double milliseconds)
    {
        Assert.That(Durations.TryParse(text, out var duration), Is.True);
        Assert.That(duration.TotalMilliseconds, Is.EqualTo(milliseconds));
    }

    [TestCase("")]
    [TestCase("10")]
    [TestCase("s")]
    [TestCase("-1s")]
    [TestCase("1 s")]
    [TestCase("1d")]
    [TestCase("1s1")]
    [TestCase("1..5s")]
    [TestCase("99999999999999999999999999999h")]
    [TestCase("87601h")]
    [TestCase("1S")]
    public void What_is_not_a_duration_is_refused(string text) => Assert.That(Durations.TryParse(text, out _), Is.False);

    [Test]
    public void A_written_duration_reads_back_the_same() =>
        Gen.Long[0, TimeSpan.FromDays(3650).Ticks].Select(TimeSpan.FromTicks).Sample(duration =>
            Durations.TryParse(Durations.Write(duration), out var again) && again == duration);

    [TestCase("0", 0)]
    [TestCase("1048576", 1048576)]
    [TestCase("64m", 64L << 20)]
    [TestCase("1.5gb", 3L << 29)]
    [TestCase("1G", 1L << 30)]
    [TestCase("1GiB", 1L << 30)]
    [TestCase("512 KB", 512L << 10)]
    [TestCase("10b", 10)]
    [TestCase("2t", 2L << 40)]
    public void A_size_counts_in_powers_of_1024(string text, long bytes)
    {
        Assert.That(ByteSizes.TryParse(text, out var size), Is.True);
        Assert.That(size, Is.EqualTo(bytes));
    }

    [TestCase("")]
    [TestCase("m")]
    [TestCase("-1")]
    [TestCase("1x")]
    [TestCase("1mm")]
    [TestCase("99999999999g")]
    public void What_is_not_a_size_is_refused(string text) => Assert.That(ByteSizes.TryParse(text, out _), Is.False);

    [TestCase("1%", 0.01)]
    [TestCase("0.01", 0.01)]
    [TestCase("100%", 1)]
    [TestCase("0", 0)]
    [TestCase("2.5 %", 0.025)]
    public void A_share_is_a_fraction_or_a_percentage(string text, double expected)
    {
        Assert.That(Ratios.TryParse(text, out var ratio), Is.True);
        Assert.That((double)ratio, Is.EqualTo(expected));
    }

    [TestCase("101%")]
    [TestCase("1.1")]
    [TestCase("-1%")]
    [TestCase("%")]
    [TestCase("")]
    public void What_is_not_a_share_is_refused(string text) => Assert.That(Ratios.TryParse(text, out _), Is.False);

    [Test]
    public void No_text_makes_a_parser_of_values_throw() =>
        Gen.String.Sample(text =>
        {
            _ = Durations.TryParse(text, out _);
            _ = ByteSizes.TryParse(text, out _);
            _ = Ratios.TryParse(text, out _);
            _ = ShellWords.TrySplit(text, out _, out _);
            CronFields.ProblemIn(text);
            Nearest.To(text, ["ports", "image"]);
        });

    [TestCase("dotnet GardenApp.dll migrate", "dotnet|GardenApp.dll|migrate")]
    [TestCase("  a   b ", "a|b")]
    [TestCase("sh -c 'echo \"$HOME\" && x'", "sh|-c|echo \"$HOME\" && x")]
    [TestCase("a \"b c\" d\\ e", "a|b c|d e")]
    [TestCase("\"a\\\"b\\n\"", "a\"b\\n")]
    [TestCase("x '' y", "x||y")]
    [TestCase("--k=\"v w\"x", "--k=v wx")]
    public void A_command_is_split_as_a_shell_would(string text, string expected)
    {
        Assert.That(ShellWords.TrySplit(text, out var words, out _), Is.True);
        Assert.That(string.Join('|', words), Is.EqualTo(expected));
    }

    [TestCase("a 'b", "a quote (') is left open")]
    [TestCase("a \"b", "a quote (\") is left open")]
    [TestCase("a\\", "it ends in a backslash")]
    public void An_open_quote_is_named(string text, string expected)
    {
        Assert.That(ShellWords.TrySplit(text, out _, out var problem), Is.False);
        Assert.That(problem, Is.EqualTo(expected));
    }

    [Test]
    public void Quoted_words_come_back_as_they_were() =>
        Gen.String[Gen.Char[' ', '~'], 0, 12].Array[1, 6].Sample(words =>
            _ = ShellWords.TrySplit(string.Join(' ', words.Select(word => $"'{word.Replace("'", "'\\''", StringComparison.Ordinal)}'")), out var again, out _)
            && again.SequenceEqual(words.ToImmutableArray()));

    [TestCase("0 1 * * *")]
    [TestCase("*/15 0-6,22-23 1,15 jan-mar mon")]
    [TestCase("59 23 31 12 7")]
    [TestCase("  0   2 * * SUN ")]
    [TestCase("10-50/5 * * * *")]
    public void Five_cron_fields_are_accepted(string expression) => Assert.That(CronFields.ProblemIn(expression), Is.Null);

    [TestCase("0 1 * *", "it has 4 fields, not five")]
    [TestCase("0 0 1 * * ?", "it has 6 fields, not five")]
    [TestCase("60 1 * * *", "'60' is not a minute from 0 to 59")]
    [TestCase("0 24 * * *", "'24' is not a hour from 0 to 23")]
    [TestCase("0 1 0 * *", "'0' is not a day from 1 to 31")]
    [TestCase("0 1 * may-jan *", "'may-jan' is not a month from 1 to 12")]
    [TestCase("0 1 * * mo", "'mo' is not a weekday from 0 to 7")]
    [TestCase("*/0 1 * * *", "'*/0' is not a minute from 0 to 59")]
    [TestCase("daily", "it has 1 field, not five")]
    public void A_wrong_cron_field_is_named(string expression, string expected) => Assert.That(CronFields.ProblemIn(expression), Is.EqualTo(expected));

    [TestCase("prots", "ports")]
    [TestCase("imgae", "image")]
    [TestCase("environments", "environment")]
    [TestCase("dependsOn", "depends_on")]
    [TestCase("health-check", "healthcheck")]
    [TestCase("xyz", null)]
    [TestCase("", null)]
    public void The_nearest_word_is_what_somebody_meant(string word, string? expected) =>
        Assert.That(Nearest.To(word, ["ports", "image", "environment", "depends_on", "healthcheck"]), Is.EqualTo(expected));

    [Test]
    public void The_distance_of_words_is_symmetric_and_zero_for_equal_ones() =>
        Gen.Select(Gen.String[0, 12], Gen.String[0, 12]).Sample((one, other) =>
            Nearest.Distance(one, other) == Nearest.Distance(other, one) && (Nearest.Distance(one, other) == 0) == (one == other));
}
