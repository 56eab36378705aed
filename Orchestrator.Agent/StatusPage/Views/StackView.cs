using System.Collections.Immutable;
using Orchestrator.Deployments;
using Orchestrator.Planning;

namespace Orchestrator.Agent.StatusPage.Views;

/// <summary>A part of the page that is sent again when it has changed.</summary>
/// <param name="Id">Of the element that <paramref name="Markup"/> consists of.</param>
internal sealed record Piece(string Id, Html Markup);

/// <summary>A stack: its state and what can be done with it, what is under way, its services, its traffic, and what has been.</summary>
internal static class StackView
{
    public static Html Render(string stack, IEnumerable<Piece> pieces) => Html.Of(
        $"""<section class="stack" id="stack-{stack}" aria-labelledby="name-{stack}">{pieces.Select(piece => piece.Markup)}</section>""");

    /// <param name="messages">The last lines of progress of the deployment that runs, oldest first.</param>
    public static ImmutableArray<Piece> Pieces(StackBoard stack, Visitor visitor, TrafficTotals? traffic, IReadOnlyCollection<string> messages)
    {
        var name = stack.Status.Stack;
        if (stack.Status.Problem is { } problem) return [new($"head-{name}", Damaged(stack.Status, problem))];

        return
        [
            new($"head-{name}", Head(stack, visitor)),
            new($"now-{name}", Now(stack, visitor, messages)),
            new($"drift-{name}", DriftView.Render(stack.Status)),
            new($"services-{name}", ServicesView.Render(stack.Status)),
            new($"traffic-{name}", Traffic(name, traffic)),
            new($"plots-{name}", Html.Of($"""<div class="plots" id="plots-{name}" data-plots="{name}" data-keep=""></div>""")),
            new($"backups-{name}", BackupsView.Render(name, stack.Backups)),
            new($"history-{name}", History(stack)),
        ];
    }

    private static Html Head(StackBoard stack, Visitor visitor) => Html.Of($"""
        <header id="head-{stack.Status.Stack}" class="stack-head">
        <div class="title">{Title(stack.Status)}{Release(stack.Status)}</div>
        {ActionsView.Render(stack, visitor)}
        {(stack.Status.Warm is { } warm ? Warm(warm) : Html.Empty)}
        </header>
        """);

    private static Html Release(StackStatus status)
    {
        if (status.CurrentRelease == 0) return Html.Empty;
        var version = status.Version is { } named ? Html.Of($" <strong>{named}</strong>") : Html.Empty;
        return Html.Of($"""<p class="release">Release {status.CurrentRelease}{version}</p>""");
    }

    private static Html Warm(WarmState warm)
    {
        var services = string.Join(", ", warm.Services.Keys);
        return Html.Of($"""
            <p class="warm">Release {warm.Release} is still warm ({services}): the way back is an instant swap, {Phrases.Until(warm.Until)}.</p>
            """);
    }

    private static Html Damaged(StackStatus status, string problem) => Html.Of($"""
        <header id="head-{status.Stack}" class="stack-head">
        <div class="title">{Title(status)}</div>
        <div class="failure"><p class="reason">The record of this stack is damaged, so it is left alone: {problem}</p></div>
        </header>
        """);

    private static Html Title(StackStatus status)
    {
        var health = StackHealth.Of(status);
        return Html.Of($"""<h2 id="name-{status.Stack}">{status.Stack}</h2> {health.Tone.Pill(health.Word)}""");
    }

    private static Html Now(StackBoard stack, Visitor visitor, IReadOnlyCollection<string> messages) => Html.Of($"""
        <div id="now-{stack.Status.Stack}" class="now">{stack.Unfinished.Select(deployment => DeploymentView.UnderWay(
            deployment,
            deployment.State == DeploymentState.Running ? messages : [],
            ActionsView.Cancel(deployment, visitor)))}</div>
        """);

    private static Html Traffic(string stack, TrafficTotals? traffic) =>
        Html.Of($"""<p id="traffic-{stack}" class="traffic">{(traffic is { Total: > 0 } ? Counts(traffic) : NoTraffic())}</p>""");

    private static Html Counts(TrafficTotals traffic) => Html.Of($"""
        <strong>{Phrases.Counted(traffic.Total, "request", "requests")}</strong>,
        <strong class="{(traffic.Failed > 0 ? "short" : "enough")}">{Phrases.Count(traffic.Failed)} failed</strong>
        <span class="quiet">since the daemon started, {Phrases.Ago(traffic.Since)}</span>
        """);

    private static Html NoTraffic() => Html.Of($"""<span class="quiet">No requests have come through the proxy since the daemon started.</span>""");

    private static Html History(StackBoard stack)
    {
        var past = stack.Recent.Where(deployment => deployment.Ended).Select((deployment, index) =>
            DeploymentView.Past(deployment, open: index == 0 && deployment.Failure is not null)).ToList();
        return Html.Of($"""
            <div id="history-{stack.Status.Stack}" class="history">
            <h3>Recent deployments</h3>
            {(past.Count == 0 ? Html.Of($"""<p class="quiet">None has ended yet.</p>""") : Html.Of($"""<ol class="deployments">{past}</ol>"""))}
            </div>
            """);
    }
}
