using System.Text.Json;
using static Orchestrator.Agent.Webhooks.WebhookReading;

namespace Orchestrator.Agent.Webhooks.Senders;

/// <summary>push, workflow_run, registry_package and package of GitHub; push of Gitea and Forgejo has the same form.</summary>
internal static class GitHubEvents
{
    public static WebhookReading Read(string? name, JsonElement body) => name switch
    {
        "push" => Push(body),
        "workflow_run" => WorkflowRun(body),
        "registry_package" => Package(body, "registry_package"),
        "package" => Package(body, "package"),
        "ping" => new Ignored("ping: the webhook is set up"),
        null => new Malformed("the header that names the event is missing"),
        _ => new Ignored($"events of this kind do not deploy: {Words.Plain(name)}"),
    };

    private static WebhookReading Push(JsonElement body)
    {
        if (body.Text("ref") is not { } reference) return new Malformed("push without ref");
        if (body.IsTrue("deleted") || Words.IsZero(body.Text("after"))) return new Ignored($"{Words.Plain(reference)} was deleted");
        if (Words.Commit(body.Text("head_commit", "id") ?? body.Text("after")) is not { } commit) return new Malformed("push without a commit in after");

        return Words.Reference(reference, commit);
    }

    private static WebhookReading WorkflowRun(JsonElement body)
    {
        if (body.At("workflow_run") is not { } run) return new Malformed("workflow_run without workflow_run");
        if (body.Text("action") != "completed") return new Ignored("the workflow run is not completed");
        if (run.Text("conclusion") != "success") return new Ignored($"the workflow run ended with {Words.Plain(run.Text("conclusion") ?? "nothing")}");

        // A fork can have a branch called main: its runs must not deploy.
        var origin = run.Text("head_repository", "full_name");
        if (run.Text("event") is "pull_request" or "pull_request_target" || origin is null || origin != body.Text("repository", "full_name"))
            return new Ignored("the workflow run is of a pull request or a fork");
        if (Words.Commit(run.Text("head_sha")) is not { } commit) return new Malformed("workflow_run without a commit in head_sha");

        return new Event { Branch = run.Text("head_branch"), Commit = commit };
    }

    private static WebhookReading Package(JsonElement body, string key)
    {
        if (body.At(key) is not { } package) return new Malformed($"{key} without {key}");
        if (body.Text("action") is not ("published" or "updated")) return new Ignored("the package was not published");
        if (package.Text("package_version", "container_metadata", "tag", "name") is not { } tag) return new Ignored("the package is not a tagged container image");

        return new Event
        {
            Tag = tag,
            Commit = Words.Commit(package.Text("package_version", "target_oid") ?? package.Text("package_version", "target_commitish")),
            Repository = package.Text("namespace") is { } owner && package.Text("name") is { } name ? $"{owner}/{name}".ToLowerInvariant() : package.Text("name"),
        };
    }
}
