using Orchestrator.Deployments;

namespace Orchestrator.Agent.StatusPage.Views;

/// <summary>What can be done with a stack; and why not, where it cannot.</summary>
internal static class ActionsView
{
    public static Html Render(StackBoard stack, Visitor visitor)
    {
        var status = stack.Status;
        var rollback = WhyNoRollback(stack, visitor);
        var maintenance = WhyNoMaintenance(status, visitor);
        return Html.Of($"""
            <div class="actions">
            {Button("Roll back…", DialogsView.RollbackId(status.Stack), rollback)}
            {Switch(status, maintenance)}
            {Reasons(rollback, maintenance)}
            </div>
            {(rollback is null ? DialogsView.Rollback(stack) : Html.Empty)}
            {(maintenance is null && !status.Maintenance ? DialogsView.Maintenance(status.Stack) : Html.Empty)}
            """);
    }

    public static Html Cancel(Deployment deployment, Visitor visitor) => visitor.MayDeploy
        ? Html.Of($"{Button("Cancel…", DialogsView.CancelId(deployment.Id), null)}{DialogsView.Cancel(deployment.Id)}")
        : Html.Empty;

    private static Html Button(string text, string dialog, string? why) => why is null
        ? Html.Of($"""<button type="button" data-opens="{dialog}" aria-haspopup="dialog">{text}</button>""")
        : Html.Of($"""<button type="button" disabled="" title="{why}">{text}</button>""");

    private static Html Switch(StackStatus status, string? why)
    {
        var on = status.Maintenance;
        var does = (why, on) switch
        {
            ({ } reason, _) => Html.Of($"""disabled="" title="{reason}" """),
            (_, true) => Html.Of($"""data-act="maintenance-off" data-on="{status.Stack}" """),
            _ => Html.Of($"""data-opens="{DialogsView.MaintenanceId(status.Stack)}" aria-haspopup="dialog" """),
        };
        return Html.Of($"""
            <button type="button" class="switch" role="switch" aria-checked="{(on ? "true" : "false")}" {does}>
            <span class="knob"></span>Maintenance</button>
            """);
    }

    private static Html Reasons(string? rollback, string? maintenance)
    {
        var reasons = new[] { rollback, maintenance }.OfType<string>().Distinct().ToList();
        return reasons.Count == 0 ? Html.Empty : Html.Of($"""<p class="why">{string.Join(" ", reasons)}</p>""");
    }

    private static string? WhyNoRollback(StackBoard stack, Visitor visitor)
    {
        if (!visitor.MayDeploy) return Scope(visitor);
        return stack.Targets.Any() ? null : "There is no other release to roll back to.";
    }

    private static string? WhyNoMaintenance(StackStatus status, Visitor visitor)
    {
        if (!visitor.MayDeploy) return Scope(visitor);
        return status.CurrentRelease > 0 ? null : "Nothing serves yet that could be put into maintenance.";
    }

    private static string Scope(Visitor visitor) => $"{visitor.Name} may only look: this needs a token of the scope deploy.";
}
