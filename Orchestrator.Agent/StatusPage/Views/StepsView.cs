using System.Collections.Immutable;
using Orchestrator.Deployments;

namespace Orchestrator.Agent.StatusPage.Views;

/// <summary>The steps of a deployment: what was done, what is being done, what is to come.</summary>
internal static class StepsView
{
    private static readonly ImmutableArray<StepKind> All = [.. Enum.GetValues<StepKind>()];

    /// <summary>One mark for each step, and the same in words for those who do not see it.</summary>
    public static Html Track(Deployment deployment)
    {
        var done = All.Count(kind => Find(deployment, kind) is { State: not StepState.Running });
        return Html.Of($"""
            <div class="track" role="progressbar" aria-label="Steps of deployment {deployment.Id.Value}"
            aria-valuemin="0" aria-valuemax="{All.Length}" aria-valuenow="{done}">{All.Select(kind => Mark(deployment, kind))}</div>
            """);
    }

    public static Html List(Deployment deployment)
    {
        var toCome = deployment.Ended ? [] : All.Where(kind => Find(deployment, kind) is null).Select(Title).ToList();
        return Html.Of($"""
            <ol class="steps">{deployment.Steps.Select(step => Item(deployment, step))}</ol>
            {(toCome.Count == 0 ? Html.Empty : Html.Of($"""<p class="to-come">Then: {string.Join(", ", toCome)}</p>"""))}
            """);
    }

    public static string Title(StepKind kind) => kind switch
    {
        StepKind.Foundation => "Services in place",
        StepKind.Start => "Start candidate",
        StepKind.Shift => "Shift traffic",
        StepKind.Dependants => "Dependants",
        StepKind.Drain => "Drain old",
        _ => kind.ToString(),
    };

    private static Html Mark(Deployment deployment, StepKind kind)
    {
        var state = StateOf(deployment, kind);
        return Html.Of($"""<span class="mark mark-{state}" title="{Title(kind)}: {state}"></span>""");
    }

    private static Html Item(Deployment deployment, StepRecord step) => Html.Of($"""
        <li id="step-{deployment.Id.Value}/{Phrases.Name(step.Name)}" class="step step-{Phrases.Name(step.State)}">
        <span class="step-name">{Title(step.Name)}</span>
        <span class="step-state">{Word(step.State)}</span>
        <span class="step-took">{Took(deployment, step)}</span>
        {(string.IsNullOrWhiteSpace(step.Detail) ? Html.Empty : Html.Of($"""<span class="step-detail">{HtmlText.Plain(step.Detail.TrimEnd())}</span>"""))}
        </li>
        """);

    private static Html Took(Deployment deployment, StepRecord step) => step switch
    {
        { State: StepState.Skipped } => Html.Empty,
        { EndedAt: { } ended } => Html.Of($"{Phrases.Took(ended - step.StartedAt)}"),
        _ => deployment.Ended ? Html.Empty : Phrases.Since(step.StartedAt),
    };

    private static string Word(StepState state) => state switch
    {
        StepState.Running => "running",
        StepState.Succeeded => "done",
        StepState.Skipped => "not needed",
        StepState.Failed => "failed",
        StepState.Undone => "undone",
        _ => "undo failed",
    };

    private static string StateOf(Deployment deployment, StepKind kind) => Find(deployment, kind) is { } step ? Phrases.Name(step.State) : "waiting";

    private static StepRecord? Find(Deployment deployment, StepKind kind) => deployment.Steps.LastOrDefault(step => step.Name == kind);
}
