using Orchestrator.Deployments;
using Orchestrator.Planning;

namespace Orchestrator.Agent.StatusPage.Views;

/// <summary>What one is asked before something is done: each says what it will do.</summary>
internal static class DialogsView
{
    public static string RollbackId(string stack) => $"rollback-{stack}";

    public static string MaintenanceId(string stack) => $"maintenance-{stack}";

    public static string CancelId(DeploymentId id) => $"cancel-{id}";

    public static Html Rollback(StackBoard stack)
    {
        var status = stack.Status;
        var suggested = stack.Targets.FirstOrDefault(release => release.Number < status.CurrentRelease) ?? stack.Targets.FirstOrDefault();
        var version = status.Version is null ? "" : $" ({status.Version})";
        var wait = status.Running is { } running ? $" Deployment #{running.Id} is under way; this one waits for it." : "";
        return Dialog(RollbackId(status.Stack), "rollback", status.Stack, $"Roll {status.Stack} back", "Roll back", Html.Of($"""
            <p>Release {status.CurrentRelease}{version} has the traffic. It goes to:</p>
            <fieldset class="choices">
            <legend class="unseen">Release</legend>
            {stack.Targets.Select(release => Choice(status.Warm, release, release == suggested))}
            </fieldset>
            <p class="quiet">Databases and volumes stay as they are: only containers and routes go back.{wait}</p>
            """));
    }

    public static Html Maintenance(string stack) =>
        Dialog(MaintenanceId(stack), "maintenance", stack, $"Put {stack} into maintenance", "Begin maintenance", Html.Of($"""
            <p>Every request to {stack} is answered with 503 and the maintenance page until you end it.
            Its containers go on running, and deployments are still possible.</p>
            """));

    public static Html Cancel(DeploymentId id) =>
        Dialog(CancelId(id), "cancel", id.ToString(), $"Cancel deployment #{id}", "Cancel the deployment", no: "Let it go on", content: Html.Of($"""
            <p>What it has done is undone: if traffic has moved to the candidate it moves back first, then the candidate is removed.
            From its commit on it can no longer be cancelled.</p>
            """));

    private static Html Choice(WarmState? warm, Release release, bool suggested) => Html.Of($"""
        <label class="choice"><input type="radio" name="to" value="{release.Number}"{(suggested ? Html.Of($" checked=\"\"") : Html.Empty)} />
        <span><strong>Release {release.Number}</strong> {release.Version} <span class="quiet">made {Phrases.Ago(release.CreatedAt)}</span>
        <span class="way">{(warm?.Release == release.Number ? Swap(warm) : Replay())}</span>
        </span></label>
        """);

    private static Html Swap(WarmState warm) =>
        Html.Of($"Instant: its containers still run, so this is one swap. Nothing is started. {Phrases.Until(warm.Until)}");

    private static Html Replay() => Html.Of($"""
        Replayed: the same images and settings are started beside the live ones and get the traffic when they are healthy.
        Takes as long as a deployment.
        """);

    private static Html Dialog(string id, string act, string on, string title, string yes, Html content, string no = "Cancel") => Html.Of($"""
        <dialog id="{id}" aria-labelledby="{id}-title">
        <form method="dialog" data-act="{act}" data-on="{on}">
        <h2 id="{id}-title">{title}</h2>
        {content}
        <p class="alert" role="alert" data-keep="" hidden=""></p>
        <div class="buttons"><button type="button" data-close="">{no}</button> <button type="submit" class="strong">{yes}</button></div>
        </form>
        </dialog>
        """);
}
