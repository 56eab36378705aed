using Orchestrator.Deployments;

namespace Orchestrator.Agent.StatusPage.Views;

/// <summary>A deployment that is over, as a line that opens; and one that is under way.</summary>
internal static class DeploymentView
{
    /// <param name="open">Its details are shown from the beginning.</param>
    public static Html Past(Deployment deployment, bool open) => Html.Of($"""
        <li id="deployment-{deployment.Id.Value}">
        <details class="deployment"{(open ? Html.Of($" open=\"\"") : Html.Empty)}>
        <summary>
        <span class="number">#{deployment.Id.Value}</span>
        {ToneOf(deployment).Pill(Word(deployment))}
        <span class="what">{What(deployment)}</span>
        <span class="when">{Phrases.Ago(deployment.EndedAt ?? deployment.CreatedAt)}{Took(deployment)}</span>
        </summary>
        <div class="inside">
        {(deployment.Failure is { } failure ? FailureView.Render(failure) : Html.Empty)}
        {Facts(deployment)}
        {(deployment.Steps.IsEmpty ? Html.Empty : StepsView.List(deployment))}
        </div>
        </details>
        </li>
        """);

    /// <param name="messages">The last lines of progress, oldest first.</param>
    public static Html UnderWay(Deployment deployment, IEnumerable<string> messages, Html cancel) => Html.Of($"""
        <article class="under-way" id="under-way-{deployment.Id.Value}" aria-label="Deployment {deployment.Id.Value}">
        <header>
        <h3><span class="number">#{deployment.Id.Value}</span> {What(deployment)}</h3>
        {ToneOf(deployment).Pill(Word(deployment))}
        <span class="when">{Phrases.Since(deployment.StartedAt ?? deployment.CreatedAt)}</span>
        {cancel}
        </header>
        {(deployment.State == DeploymentState.Queued ? Html.Of($"""<p class="quiet">Waits for the one before it.</p>""") : Progress(deployment, messages))}
        </article>
        """);

    public static string What(Deployment deployment)
    {
        var request = deployment.Request;
        var version = request.Version is { Length: > 0 } named ? $" {named}" : "";
        var release = deployment.Release is { } number ? $" → release {number}" : request.ToRelease is { } wanted ? $" → release {wanted}" : "";
        return request.Kind switch
        {
            DeploymentKind.Apply => "Apply" + version + release,
            DeploymentKind.Rollback => "Roll back" + release,
            DeploymentKind.Remove => "Remove" + release,
            DeploymentKind.Restore => "Restore data" + release,
            _ => "Deploy" + (version.Length > 0 || request.Images.IsEmpty ? version : " " + string.Join(", ", request.Images.Keys)) + release,
        };
    }

    private static Html Progress(Deployment deployment, IEnumerable<string> messages)
    {
        var lines = string.Join('\n', messages.Select(HtmlText.Plain));
        return Html.Of($"""
            {StepsView.Track(deployment)}
            {StepsView.List(deployment)}
            {(lines.Length == 0 ? Html.Empty : Html.Of($"""<pre class="lines progress" tabindex="0" role="log" aria-label="Progress">{lines}</pre>"""))}
            {(deployment.Requests.Total == 0 ? Html.Empty : Html.Of($"""<p class="requests">{Requests(deployment.Requests)} since the shift</p>"""))}
            """);
    }

    private static Html Facts(Deployment deployment) => Html.Of($"""
        <dl class="facts">
        {Fact("Asked by", deployment.Request.Origin)}
        {Fact("Began", deployment.StartedAt is { } started ? Phrases.Clock(started) : Html.Empty)}
        {Fact("Requests over the switch", deployment.Requests.Total == 0 ? Html.Empty : Requests(deployment.Requests))}
        {Fact("Images", string.Join(", ", deployment.Request.Images.Select(image => $"{image.Key}={image.Value}")))}
        {Fact("Commit", deployment.Request.Commit ?? "")}
        </dl>
        """);

    private static Html Fact(string name, string value) => Fact(name, Html.Of($"{value}"));

    private static Html Fact(string name, Html value) =>
        value.IsEmpty ? Html.Empty : Html.Of($"<div><dt>{name}</dt><dd>{value}</dd></div>");

    private static Html Requests(RequestCount requests)
    {
        var tone = requests.Failed > 0 ? "short" : "enough";
        return Html.Of($"""{Phrases.Counted(requests.Total, "request", "requests")}, <span class="{tone}">{Phrases.Count(requests.Failed)} failed</span>""");
    }

    private static Html Took(Deployment deployment) => deployment is { StartedAt: { } started, EndedAt: { } ended }
        ? Html.Of($", took {Phrases.Took(ended - started)}")
        : Html.Empty;

    private static string Word(Deployment deployment) => deployment.State switch
    {
        DeploymentState.RolledBack => "rolled back",
        DeploymentState.Succeeded when deployment.Plan is { NothingToDo: true } => "nothing to do",
        var state => Phrases.Name(state),
    };

    private static Tone ToneOf(Deployment deployment) => deployment.State switch
    {
        DeploymentState.Running => Tone.Busy,
        DeploymentState.Succeeded => Tone.Good,
        DeploymentState.RolledBack => Tone.Warning,
        DeploymentState.Failed => Tone.Bad,
        _ => Tone.Quiet,
    };
}
