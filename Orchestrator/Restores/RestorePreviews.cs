using System.Collections.Immutable;
using Orchestrator.Backups;
using Orchestrator.Backups.Sets;
using Orchestrator.Deployments;
using Orchestrator.Docker;
using Orchestrator.Stacks;

namespace Orchestrator.Restores;

/// <summary>Holds a set against what is there now. Reads only.</summary>
public sealed class RestorePreviews(BackupSubjects subjects, BackupSources sources, SetLedger sets, DrillLedger drills)
{
    private const int Drills = 20;

    public async Task<RestoreChoice> ChooseAsync(string stack, string to, CancellationToken cancellationToken) =>
        RestoreChoice.Find(stack, to, await sets.StandingAsync(stack, cancellationToken));

    /// <param name="release">The release that is brought back with the data; null: the services stay.</param>
    public async Task<RestorePreview> MakeAsync(RestoreChoice choice, int? release, CancellationToken cancellationToken)
    {
        var stack = choice.Set.Stack;
        var data = await subjects.OfAsync(stack, cancellationToken)
            ?? throw new BackupFailedException($"{stack} does not run, so there is nothing to put its data into", "Recover it with its configuration: basmalin recover.");
        var keys = RestoredData.VolumesOf(data.Release.Stack, choice.Manifest);
        var services = ImmutableArray.CreateBuilder<ServicePreview>();
        foreach (var part in RestoredData.DataOf(choice.Manifest)) services.Add(await OfAsync(part, data, cancellationToken));

        var past = (await drills.ListAsync(stack, Drills, cancellationToken)).FirstOrDefault(drill => drill is { Passed: true, OfStack: true });
        return new()
        {
            Stack = stack,
            Set = choice.Set.Id.Value,
            Point = choice.Words,
            TakenAt = choice.Manifest.CreatedAt,
            Proved = choice.Set.ProvedAt is not null,
            Services = services.ToImmutable(),
            Volumes = data.Release.Stack.Volumes.Where(volume => keys.Contains(volume.Key)).ToImmutableSortedDictionary(volume => volume.Key, volume => volume.Name),
            Release = release,
            Bytes = choice.Manifest.StoredBytes,
            ForecastSeconds = past is null ? null : RecoveryForecast.Seconds(past, choice.Manifest.StoredBytes),
            Notes = [.. Notes(choice, data.Release.Number, release), .. Unstreamed(choice, data.Release.Stack)],
        };
    }

    private async Task<ServicePreview> OfAsync(BackupPart part, StackData data, CancellationToken cancellationToken)
    {
        if (data.Subjects.FirstOrDefault(subject => subject.Service.Name == part.Service) is not { } subject)
            return new(part.Service, part.Kind, [], "it does not run now, so what it holds cannot be compared");

        try
        {
            var now = await sources.Of(part.Kind).FingerprintsLikeAsync(part, subject, cancellationToken);
            return new(part.Service, part.Kind, [.. FingerprintDifference.Between(now, part.Fingerprints).Select(Change)], null);
        }
        catch (Exception failure) when (failure is BackupFailedException or EngineException)
        {
            return new(part.Service, part.Kind, [], failure.Message);
        }
    }

    private static IEnumerable<string> Unstreamed(RestoreChoice choice, Stack stack)
    {
        if (choice.Exact) yield break;

        foreach (var part in RestoredData.DataOf(choice.Manifest))
        {
            if (stack.Find(part.Service) is not { } spec) continue;
            if (!RestoredData.IsStreamed(spec)) yield return $"{part.Service} has no continuous stream: it goes to the moment of the set";
            else if (!RestoredData.IsContinued(part)) yield return $"{part.Service}: what was received does not continue this set: where nothing newer was received, it goes to the moment of the set";
        }
    }

    private static ContentChange Change(FingerprintDifference difference) =>
        new(difference.What, FingerprintDifference.CountIn(difference.Before), FingerprintDifference.CountIn(difference.After));

    private static IEnumerable<string> Notes(RestoreChoice choice, int current, int? release)
    {
        if (!choice.Exact) yield return "what is compared is the set; what was received after it, up to the moment that was asked for, is replayed on top";
        if (choice.Set.ProvedAt is null) yield return "no drill has restored this set yet; the restore itself checks it before anything is exchanged";
        if (release is null && choice.Manifest.Release != current) yield return $"the set is of release {choice.Manifest.Release}, and release {current} runs: its migrations are run on the restored data";
        yield return "requests wait while the volumes are exchanged; the present volumes are kept for the undo";
    }
}
