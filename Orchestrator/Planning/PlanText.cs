using System.Text;

namespace Orchestrator.Planning;

/// <summary>A plan for people.</summary>
public static class PlanText
{
    /// <summary>One line, e.g. <c>replace app (image …); keep postgres, redis</c>.</summary>
    public static string Summary(Plan plan) => plan.NothingToDo
        ? "nothing to do"
        : string.Join("; ", plan.Services.GroupBy(action => action.Kind).OrderBy(group => group.Key == ServiceActionKind.Keep)
            .Select(group => $"{Word(group.Key)} {string.Join(", ", group.Select(action => action.Service))}")
            .Concat(plan.Settings.IsEmpty ? [] : [$"{plan.Settings.Length} settings"]));

    /// <summary>The whole plan as a readable diff: + made, ~ replaced, ! recreated in place, - removed, = kept.</summary>
    public static string Whole(Plan plan)
    {
        var text = new StringBuilder();
        foreach (var action in plan.Services)
        {
            text.AppendLine(Line(action));
            foreach (var change in action.Changes) text.AppendLine($"      {change.Path}: {change.Old ?? "(none)"} → {change.New ?? "(none)"}");
        }

        foreach (var network in plan.NewNetworks) text.AppendLine($"  + network {network}");
        foreach (var volume in plan.NewVolumes) text.AppendLine($"  + volume {volume}");
        foreach (var change in plan.Settings) text.AppendLine($"  ~ {change.Path}: {change.Old ?? "(none)"} → {change.New ?? "(none)"}");
        foreach (var note in plan.Notes) text.AppendLine($"  note: {note}");
        if (plan.WarmSwap) text.AppendLine("  the previous colour is still running: the way back is a swap");
        if (plan.NothingToDo) text.AppendLine("  nothing to do");
        return text.ToString();
    }

    private static string Line(ServiceAction action) => $"  {Sign(action.Kind)} {action.Service}: {Word(action.Kind)}{Colours(action)}{Reasons(action)}";

    private static string Reasons(ServiceAction action) => action.Reasons.IsEmpty ? "" : $" ({string.Join("; ", action.Reasons)})";

    private static string Colours(ServiceAction action) => (action.From, action.To) switch
    {
        ({ } from, { } to) => $" {Stacks.Colours.Word(from.Colour)} → {Stacks.Colours.Word(to)}",
        (null, { } to) => $" as {Stacks.Colours.Word(to)}",
        _ => "",
    };

    private static char Sign(ServiceActionKind kind) => kind switch
    {
        ServiceActionKind.Create => '+',
        ServiceActionKind.Replace => '~',
        ServiceActionKind.Recreate => '!',
        ServiceActionKind.Remove => '-',
        _ => '=',
    };

    private static string Word(ServiceActionKind kind) => kind switch
    {
        ServiceActionKind.Create => "create",
        ServiceActionKind.Replace => "replace",
        ServiceActionKind.Recreate => "recreate in place",
        ServiceActionKind.Remove => "remove",
        _ => "keep",
    };
}
