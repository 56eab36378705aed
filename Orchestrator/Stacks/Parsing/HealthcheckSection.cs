using System.Collections.Immutable;

namespace Orchestrator.Stacks.Parsing;

internal static class HealthcheckSection
{
    /// <summary>The engine refuses anything shorter.</summary>
    private static readonly TimeSpan Shortest = TimeSpan.FromMilliseconds(1);

    public static HealthcheckSpec? Read(Field field)
    {
        if (field.Section("a health check") is not { } section) return null;

        var disabled = section.Take("disable")?.Flag() ?? false;
        ImmutableArray<string> test = [];
        if (section.Take("test") is { } command) test = Test(command, ref disabled);
        var spec = new HealthcheckSpec
        {
            Disabled = disabled,
            Test = test,
            Interval = section.Take("interval")?.Duration(Shortest),
            Timeout = section.Take("timeout")?.Duration(Shortest),
            StartPeriod = section.Take("start_period")?.Duration(),
            Retries = (int?)section.Take("retries")?.Whole(1, int.MaxValue),
        };
        section.Finish(UnsupportedKeys.Healthcheck);
        return spec;
    }

    private static ImmutableArray<string> Test(Field field, ref bool disabled)
    {
        const string expected = "a command: a text, or a list that starts with CMD, CMD-SHELL or NONE";
        if (field.IsScalar)
        {
            if (field.NonEmpty(expected) is not { } shell) return [];
            if (shell != "NONE") return ["CMD-SHELL", shell];

            disabled = true;
            return [];
        }

        var words = field.Strings(expected);
        switch (words.FirstOrDefault())
        {
            case "NONE" when words.Length == 1:
                disabled = true;
                return [];
            case "CMD" when words.Length > 1:
            case "CMD-SHELL" when words.Length == 2:
                return words;
            case "CMD-SHELL" when words.Length > 2:
                field.Error("CMD-SHELL takes one text, the shell's command line", "use CMD for a list of words, or join the words");
                return [];
            case null:
                if (field.IsList) field.Expected(expected, "disable: true switches the check off");
                return [];
            default:
                field.Error($"expected {expected}, found a list that starts with '{words[0]}'", $"[\"CMD\", \"{words[0]}\", …]");
                return [];
        }
    }
}
