using System.Collections.Immutable;

namespace Orchestrator.Stacks.Parsing;

/// <summary><c>x-basmalin.shift</c>.</summary>
internal static class ShiftSection
{
    private const string Example = "e.g. [10%, 50%, 100%]";

    public static ShiftSpec? Read(Field field)
    {
        if (field.Section("steps, dwell, sticky, min_requests, max_error_ratio, max_p95_ratio") is not { } section) return null;

        var steps = ImmutableArray<decimal>.Empty;
        if (section.Take("steps") is { } taken) steps = Steps(taken);
        else section.Error("'steps' is missing", Example);

        var sticky = section.Take("sticky")?.OneOf("a way to keep clients", "cookie", "hash", "none");
        var defaults = new ShiftSpec(steps, TimeSpan.FromSeconds(30));
        var spec = defaults with
        {
            Dwell = section.Take("dwell")?.Duration(atMost: TimeSpan.FromDays(1)) ?? defaults.Dwell,
            Sticky = sticky == "cookie",
            ByAddress = sticky == "hash",
            MinRequests = (int?)section.Take("min_requests")?.Whole(1, int.MaxValue) ?? defaults.MinRequests,
            MaxErrorRatio = (double?)section.Take("max_error_ratio")?.Ratio() ?? defaults.MaxErrorRatio,
            MaxP95Ratio = (double?)section.Take("max_p95_ratio")?.Number(0, 1000, "a factor above 0, e.g. 2.0"),
        };
        section.Finish(strict: true);
        return spec;
    }

    private static ImmutableArray<decimal> Steps(Field field)
    {
        var steps = ImmutableArray.CreateBuilder<decimal>();
        foreach (var item in field.Items("a list of shares, e.g. [10%, 50%, 100%]"))
        {
            if (item.Ratio() is not { } ratio) continue;
            if (ratio == 0 || (steps.Count > 0 && ratio * 100 <= steps[^1])) item.Error("steps must rise, from above 0%", Example);
            else steps.Add(ratio * 100);
        }

        if (steps.Count > 0 && steps[^1] != 100) field.Error("the last step must be 100%");
        return steps.ToImmutable();
    }
}
