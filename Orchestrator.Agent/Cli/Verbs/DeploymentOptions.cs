using System.CommandLine;
using System.Text.Json.Serialization.Metadata;

namespace Orchestrator.Agent.Cli.Verbs;

/// <summary>Options of the verbs that make a deployment.</summary>
internal static class DeploymentOptions
{
    public static readonly Option<bool> Detach = new("--detach", "-d") { Description = "Do not wait for the end." };
    public static readonly Option<string?> Version = new("--version") { Description = "What people call this version.", HelpName = "VERSION" };
    public static readonly Option<string?> Commit = new("--commit") { Description = "The commit that it was built from.", HelpName = "HASH" };
    public static readonly Option<bool> Force = new("--force") { Description = "Replace services that have not changed, and deploy inside a freeze window." };

    public static readonly Option<string?> Key = new("--key")
    {
        Description = "Idempotency key: the same key twice is one deployment.",
        HelpName = "KEY",
    };

    public static void AddTo(Command command)
    {
        command.Add(Version);
        command.Add(Commit);
        command.Add(Force);
        command.Add(Key);
        command.Add(Detach);
    }

    public static HttpRequestMessage Post<T>(string path, Invocation call, T body, JsonTypeInfo<T> type) =>
        WithKey(new HttpRequestMessage(HttpMethod.Post, path) { Content = JsonContent.Create(body, type) }, call);

    public static HttpRequestMessage Delete(string path, Invocation call) => WithKey(new HttpRequestMessage(HttpMethod.Delete, path), call);

    private static HttpRequestMessage WithKey(HttpRequestMessage request, Invocation call)
    {
        if (call.Value(Key) is { } key) request.Headers.Add("Idempotency-Key", key);
        return request;
    }
}
