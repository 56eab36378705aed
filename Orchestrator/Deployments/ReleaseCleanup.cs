using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using Orchestrator.Docker;
using Orchestrator.Journal;
using Orchestrator.Planning;

namespace Orchestrator.Deployments;

/// <summary>
/// Forgets releases that can no longer be wanted, removes the images that only they used, and shortens the history. Nothing that is not of ours
/// is touched.
/// </summary>
public sealed partial class ReleaseCleanup(IJournal journal, IContainerEngine engine, DeploymentOptions options, ILogger<ReleaseCleanup> logger)
{
    public async Task RunAsync(string stack, CancellationToken cancellationToken)
    {
        if (journal.Health.Damage is not null) return;
        if (await journal.FindStackAsync(stack, cancellationToken) is not { } state) return;

        var forgotten = await journal.PruneDeploymentsAsync(stack, options.KeepDeployments, cancellationToken);
        if (forgotten > 0) LogShortened(stack, forgotten);
        var releases = await journal.ListReleasesAsync(stack, cancellationToken);
        var surplus = Surplus(releases, state, options.KeepReleases);
        if (surplus.IsEmpty) return;

        var kept = await KeptImagesAsync(stack, surplus, cancellationToken);
        foreach (var release in surplus)
        {
            foreach (var image in release.Images.Values.Where(image => !kept.Contains(image.Id)).DistinctBy(image => image.Id))
            {
                if (!await CanBeHadAgainAsync(image, cancellationToken)) continue;
                if (await engine.RemoveImageAsync(image.Pinned, cancellationToken)) LogImageRemoved(stack, image.Pinned);
            }

            await journal.RemoveReleaseAsync(stack, release.Number, cancellationToken);
            LogForgotten(stack, release.Number);
        }
    }

    /// <summary>Pure: all but the current, the warm, whatever is live, anything newer than the current, and the newest committed ones before it.</summary>
    public static ImmutableArray<Release> Surplus(ImmutableArray<Release> releases, StackState state, int keep)
    {
        var needed = state.Live.Values.Concat(state.Warm?.Services.Values ?? []).Select(generation => generation.Release).Append(state.CurrentRelease).Append(state.Warm?.Release ?? 0).ToHashSet();
        var recent = releases.Where(release => release.Committed).OrderByDescending(release => release.Number).Take(keep + 1).Select(release => release.Number).ToHashSet();
        var newest = releases.Select(release => release.Number).DefaultIfEmpty(0).Max();
        return [.. releases.Where(release => !needed.Contains(release.Number) && !recent.Contains(release.Number) && release.Number != newest)];
    }

    /// <summary>From its registry, or by building it as we did. One that somebody else built or loaded here is his: nobody could fetch it again.</summary>
    private async Task<bool> CanBeHadAgainAsync(ImageIdentity image, CancellationToken cancellationToken) =>
        image.Digest is not null || await engine.FindImageAsync(image.Id, cancellationToken) is { BuiltFor: not null };

    /// <summary>Identifiers of images that some release of any stack still needs.</summary>
    private async Task<HashSet<string>> KeptImagesAsync(string stack, ImmutableArray<Release> surplus, CancellationToken cancellationToken)
    {
        var gone = surplus.Select(release => release.Number).ToHashSet();
        var kept = new HashSet<string>();
        foreach (var other in await journal.ListStacksAsync(cancellationToken))
        {
            var releases = await journal.ListReleasesAsync(other.Stack, cancellationToken);
            kept.UnionWith(releases.Where(release => other.Stack != stack || !gone.Contains(release.Number)).SelectMany(release => release.Images.Values).Select(image => image.Id));
        }

        return kept;
    }

    [LoggerMessage(EventId = 2531, Level = LogLevel.Information, Message = "Stack {Stack}: image {Image} removed, no kept release needs it")]
    private partial void LogImageRemoved(string stack, string image);

    [LoggerMessage(EventId = 2532, Level = LogLevel.Information, Message = "Stack {Stack}: release {Release} is no longer kept")]
    private partial void LogForgotten(string stack, int release);

    [LoggerMessage(EventId = 2533, Level = LogLevel.Debug, Message = "Stack {Stack}: {Count} deployments are no longer in the history")]
    private partial void LogShortened(string stack, int count);
}
