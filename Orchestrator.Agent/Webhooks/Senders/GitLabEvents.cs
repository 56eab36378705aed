using System.Text.Json;
using static Orchestrator.Agent.Webhooks.WebhookReading;

namespace Orchestrator.Agent.Webhooks.Senders;

/// <summary>Push, Tag Push and Pipeline hooks of GitLab.</summary>
internal static class GitLabEvents
{
    public static WebhookReading Read(string? name, JsonElement body) => name switch
    {
        "Push Hook" or "Tag Push Hook" => Push(body),
        "Pipeline Hook" => Pipeline(body),
        null => new Malformed("the header X-Gitlab-Event is missing"),
        _ => new Ignored($"events of this kind do not deploy: {Words.Plain(name)}"),
    };

    private static WebhookReading Push(JsonElement body)
    {
        if (body.Text("ref") is not { } reference) return new Malformed("push without ref");
        if (Words.IsZero(body.Text("after"))) return new Ignored($"{Words.Plain(reference)} was deleted");
        if (Words.Commit(body.Text("checkout_sha") ?? body.Text("after")) is not { } commit) return new Malformed("push without a commit in checkout_sha");

        return Words.Reference(reference, commit);
    }

    private static WebhookReading Pipeline(JsonElement body)
    {
        if (body.At("object_attributes") is not { } pipeline) return new Malformed("pipeline without object_attributes");
        if (pipeline.Text("status") != "success") return new Ignored($"the pipeline is {Words.Plain(pipeline.Text("status") ?? "unknown")}");
        if (pipeline.Text("source") == "merge_request_event" || body.At("merge_request") is not null) return new Ignored("the pipeline is of a merge request");
        if (Words.Commit(pipeline.Text("sha")) is not { } commit) return new Malformed("pipeline without a commit in sha");

        return pipeline.IsTrue("tag")
            ? new Event { Tag = pipeline.Text("ref"), Commit = commit }
            : new Event { Branch = pipeline.Text("ref"), Commit = commit };
    }
}
