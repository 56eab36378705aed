using Orchestrator.Agent.Api.Contracts;

namespace Orchestrator.Agent.Cli.Output;

internal static class HistoryView
{
    public static void Write(TextWriter output, HistoryResponse history, DateTimeOffset now)
    {
        TextTable.Write(output, ["ID", "KIND", "STATE", "RELEASE", "VERSION", "WHEN", "TOOK", "REQUESTS", "FAILED", "BY"], history.Deployments.Select(deployment => new[]
        {
            $"{deployment.Id}",
            deployment.Kind,
            deployment.NothingToDo ? $"{deployment.State} (nothing to do)" : deployment.State,
            deployment.Release is { } release ? $"{release}" : "-",
            deployment.Version ?? "-",
            Words.Ago(deployment.CreatedAt, now),
            Words.Took(deployment.StartedAt, deployment.EndedAt),
            $"{deployment.Requests.Total}",
            $"{deployment.Requests.Failed}",
            deployment.Origin,
        }));
        output.WriteLine();
        TextTable.Write(output, ["RELEASE", "VERSION", "COMMIT", "WHEN", "STATE", "IMAGES"], history.Releases.Select(release => new[]
        {
            $"{release.Number}",
            release.Version ?? "-",
            release.Commit is { Length: > 12 } commit ? commit[..12] : release.Commit ?? "-",
            Words.Ago(release.CreatedAt, now),
            release.Current ? "current" : release.Committed ? "kept" : "never committed",
            string.Join(" ", release.Images.Values.Select(image => image.Reference)),
        }));
    }
}
