using Orchestrator.Deployments;

namespace Orchestrator.Agent.StatusPage.Views;

/// <summary>Why a deployment did not succeed: the reason to branch on, what was seen, and what to do next.</summary>
internal static class FailureView
{
    public static Html Render(StepFailure failure)
    {
        var (said, lines) = Split(HtmlText.Plain(failure.Detail.Trim()));
        return Html.Of($"""
            <div class="failure">
            <p class="reason"><code>{Phrases.Name(failure.Reason)}</code> {said}</p>
            {(lines.Length == 0 ? Html.Empty : Html.Of($"""<pre class="lines" tabindex="0" role="region" aria-label="What was seen">{lines}</pre>"""))}
            {(failure.Hint.Length == 0 ? Html.Empty : Html.Of($"""<p class="hint"><strong>What to do:</strong> {failure.Hint}</p>"""))}
            </div>
            """);
    }

    /// <summary>The first line is a sentence; what follows is probe results and log lines, whose columns matter.</summary>
    private static (string Said, string Lines) Split(string detail)
    {
        var end = detail.IndexOf('\n', StringComparison.Ordinal);
        return end < 0 ? (detail, "") : (detail[..end], detail[(end + 1)..].TrimEnd());
    }
}
