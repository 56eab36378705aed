using Orchestrator.Deployments;

namespace Orchestrator.Agent.StatusPage.Views;

/// <summary>In what a stack differs from its release, and what becomes of it.</summary>
internal static class DriftView
{
    public static Html Render(StackStatus stack) => Html.Of($"""
        <div id="drift-{stack.Stack}" class="drift">{(stack.Drift.IsEmpty ? Html.Empty : Html.Of($"""
        <h3>Differs from its release</h3>
        <ul>{stack.Drift.Select(Row)}</ul>
        """))}</div>
        """);

    private static Html Row(DriftNote note) => Html.Of($"""
        <li>{ToneOf(note).Pill(note.Kind.Replace('_', ' '))} <code>{note.Subject}</code>: {First(note.Detail)} <span class="role">{note.Outlook}</span></li>
        """);

    private static Tone ToneOf(DriftNote note) => note.Kind is "gave_up" or "missing_volume" ? Tone.Bad : Tone.Warning;

    // The log's last lines are in the command line and the API.
    private static string First(string detail) => detail.Split('\n')[0];
}
