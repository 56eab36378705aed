using System.Collections.Immutable;
using Orchestrator.Agent.Api.Contracts;
using Orchestrator.Backups;
using Orchestrator.Deployments;
using Orchestrator.Stacks;

namespace Orchestrator.Agent.Api;

/// <summary>Stacks and releases in the words of the contract.</summary>
internal static class StackResponses
{
    public static StackResponse From(StackStatus status, ImmutableArray<BackupFinding> warnings) => new()
    {
        Stack = status.Stack,
        Release = status.CurrentRelease,
        Version = status.Version,
        Maintenance = status.Maintenance,
        Services = [.. status.Services.Select(From)],
        Warm = status.Warm is { } warm ? new WarmResponse(warm.Release, [.. warm.Services.Keys], warm.Until) : null,
        Running = status.Running is { } running ? DeploymentResponses.From(running) : null,
        Last = status.Last is { } last ? DeploymentResponses.From(last) : null,
        Problem = status.Problem,
        Drift = [.. status.Drift.Select(note => new DriftResponse(note.Kind, note.Service, note.Subject, note.Detail, note.Outlook))],
        Warnings = [.. warnings.Select(warning => new WarningResponse(warning.What, warning.Hint))],
    };

    public static ReleaseResponse From(Release release, int current) => new(
        release.Number,
        release.Version,
        release.Commit,
        release.Committed,
        release.Number == current,
        release.Deployment.Value,
        release.CreatedAt,
        release.Images.ToSortedContract());

    private static ServiceResponse From(ServiceStatus service) => new(
        service.Service,
        Words.Of(service.Role),
        Word(service.Colour),
        service.Release,
        service.Image,
        service.ReplicasWanted,
        service.ReplicasRunning,
        service.Health,
        [.. service.Containers.Select(From)],
        service.Routes)
    {
        PausedUntil = service.PausedUntil,
    };

    private static ContainerResponse From(ContainerStatus container) => new(
        container.Id,
        container.Name,
        Word(container.Colour),
        container.Release,
        container.State,
        container.Health,
        container.Address,
        container.StartedAt,
        container.Live);

    private static string? Word(Colour? colour) => colour is { } known ? Words.Of(known) : null;

    private static ImmutableSortedDictionary<string, ReleasedImageResponse> ToSortedContract(
        this ImmutableSortedDictionary<string, Docker.ImageIdentity> images) =>
        ImmutableSortedDictionary.CreateRange(
            images.Select(image => KeyValuePair.Create(image.Key, new ReleasedImageResponse(image.Value.Reference, image.Value.Digest))));
}
