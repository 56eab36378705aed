using System.Collections.Immutable;
using System.Globalization;
using Orchestrator.Backups;
using Orchestrator.Backups.Pipeline;
using Orchestrator.Backups.Postgres;
using Orchestrator.Backups.Postgres.Dumps;
using Orchestrator.Backups.Sets;
using Orchestrator.Deployments;
using Orchestrator.Docker;

namespace Orchestrator.Restores;

/// <summary>Starts the services of restored data in a shadow, and compares what they hold with what was there at the backup.</summary>
public sealed class DataProof(ShadowRuns shadows, BackupSources sources, PostgresSettling settling, PostgresProofs proofs, DumpLoading loading, TimeProvider time)
{
    private const int MostNamed = 5;

    /// <summary>How long a database may take to recover to its moment.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromHours(4);

    /// <summary>How long one that runs may take to answer.</summary>
    private static readonly TimeSpan Manners = TimeSpan.FromMinutes(2);

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(300);

    /// <summary>The first version of PostgreSQL that can check its own indexes from outside.</summary>
    private const int ChecksIndexes = 14;

    /// <summary>The first version of PostgreSQL whose bases have a list of their files.</summary>
    private const int ListsFiles = 13;

    /// <summary>Starts each service that has data, in the order of their dependencies.</summary>
    public async Task<ImmutableArray<BackupSubject>> StartAsync(Shadow shadow, BackupManifest manifest, OperationProgress progress, CancellationToken cancellationToken)
    {
        var data = RestoredData.DataOf(manifest).Select(part => part.Service).ToHashSet();
        var subjects = ImmutableArray.CreateBuilder<BackupSubject>();
        foreach (var spec in shadow.Release.Stack.Services.Where(spec => data.Contains(spec.Name) && !spec.Coloured))
        {
            progress.Say($"{spec.Name}: starting on the restored data");
            var container = await shadows.StartAsync(shadow, spec, cancellationToken);
            var subject = BackupSubjects.Of(shadow.Release, shadow.Original.Stack.Name, spec, container)
                ?? throw new BackupFailedException($"{spec.Name} runs, but is on no network of the drill", "Does its image end by itself? See its log.");
            if (spec.BasMalin?.Backup?.Kind == "postgres") await RecoveredAsync(subject, progress, cancellationToken);
            subjects.Add(subject);
        }

        return subjects.ToImmutable();
    }

    /// <summary>Starts the service of a dump on an empty volume and loads the dump into it.</summary>
    public async Task<BackupSubject> LoadAsync(Shadow shadow, BackupPart part, BackupReader reader, OperationProgress progress, CancellationToken cancellationToken)
    {
        var spec = shadow.Release.Stack.Find(part.Service) ?? throw new BackupFailedException($"The stack has no service {part.Service} any more", "Load the dump by hand: docs/postgres.md says how.");
        progress.Say($"{part.Service}: starting an empty server");
        var container = await shadows.StartAsync(shadow, spec, cancellationToken);
        var subject = BackupSubjects.Of(shadow.Release, shadow.Original.Stack.Name, spec, container)
            ?? throw new BackupFailedException($"{spec.Name} runs, but is on no network of the drill", "Does its image end by itself? See its log.");
        await UntilAsync(subject, Manners, async () => await loading.AnswersAsync(subject, cancellationToken) ? true : (bool?)null, "does not answer", cancellationToken);
        await loading.LoadAsync(part, subject, reader, progress.Say, cancellationToken);
        return subject;
    }

    /// <summary>Every row of a dump that was loaded, against those that were there when it was taken.</summary>
    public async Task<DrillCheck> CompareAsync(BackupSubject loaded, BackupPart dump, OperationProgress progress, CancellationToken cancellationToken)
    {
        progress.Say($"{dump.Service}: comparing every row with the backup");
        return Judge(dump, await loading.FingerprintsAsync(loaded, cancellationToken));
    }

    /// <summary>Services whose files are compared where they lie, before anything that could change them runs.</summary>
    /// <param name="directories">Key of a volume → where it lies on this host.</param>
    public static IEnumerable<BackupSubject> FilesOf(Shadow shadow, BackupManifest manifest, ImmutableSortedDictionary<string, string> directories) =>
        from part in RestoredData.DataOf(manifest)
        where part.Kind == "volume"
        let spec = shadow.Original.Stack.Find(part.Service)
        where spec is { Coloured: true }
        select new BackupSubject
        {
            Stack = shadow.Original.Stack.Name,
            Service = spec,
            Container = new()
            {
                Id = new(""),
                Name = spec.Name,
                Labels = ImmutableSortedDictionary<string, string>.Empty,
                State = ContainerState.Created,
                ImageId = "",
                Directories = spec.Container.Mounts.Where(mount => mount.Source is { } key && directories.ContainsKey(key)).ToImmutableSortedDictionary(mount => mount.Target, mount => directories[mount.Source ?? ""]),
            },
            Image = shadow.Original.Images[spec.Name].Pinned,
            Address = "",
        };

    /// <summary>What each running service holds now, compared with the backup.</summary>
    /// <param name="exact">False: the data was brought to a later moment than the set's, so that only what can be read is told.</param>
    public async Task<ImmutableArray<DrillCheck>> CompareAsync(
        IEnumerable<BackupSubject> subjects, BackupManifest manifest, bool exact, OperationProgress progress, CancellationToken cancellationToken)
    {
        var checks = ImmutableArray.CreateBuilder<DrillCheck>();
        foreach (var subject in subjects)
        {
            foreach (var part in RestoredData.DataOf(manifest).Where(part => part.Service == subject.Service.Name))
            {
                progress.Say($"{part.Service}: comparing every row, key and file with the backup");
                var restored = await ReadAsync(part, subject, cancellationToken);
                checks.Add(exact ? Judge(part, restored) : new(part.Service, "content", true, Counted(part.Kind, restored)));
            }
        }

        return checks.ToImmutable();
    }

    /// <summary>It answers while it still recovers; what it holds then is of no moment.</summary>
    private async Task RecoveredAsync(BackupSubject subject, OperationProgress progress, CancellationToken cancellationToken)
    {
        progress.Say($"{subject.Service.Name}: recovering to the wanted moment");
        await UntilAsync(subject, Patience, async () => await settling.RunAsync(subject, cancellationToken) ? true : (bool?)null, "did not reach the wanted moment", cancellationToken);
    }

    private Task<ImmutableSortedDictionary<string, string>> ReadAsync(BackupPart part, BackupSubject subject, CancellationToken cancellationToken) =>
        UntilAsync(subject, Manners, async () => await sources.Of(part.Kind).FingerprintsLikeAsync(part, subject, cancellationToken), "cannot be read", cancellationToken);

    /// <summary>Asks again while the service runs and has not answered; a container that has gone does not come back.</summary>
    private async Task<T> UntilAsync<T>(BackupSubject subject, TimeSpan patience, Func<Task<T?>> ask, string what, CancellationToken cancellationToken)
    {
        var began = time.GetTimestamp();
        BackupFailedException? last = null;
        while (true)
        {
            try
            {
                if (await ask() is { } answer) return answer;
            }
            catch (BackupFailedException notYet)
            {
                last = notYet;
            }

            var over = time.GetElapsedTime(began) > patience;
            if (over || (subject.Container.Id.Value.Length > 0 && !await shadows.RunsAsync(subject.Container.Id, cancellationToken)))
            {
                var words = subject.Container.Id.Value.Length > 0 ? await shadows.LastWordsAsync(subject.Container.Id, cancellationToken) : "";
                throw new BackupFailedException($"{subject.Service.Name} {what}: {last?.Message ?? (over ? "its time was up" : "it ended")}\n{words}", last?.Hint ?? "The last lines that it wrote are above.", last);
            }

            await Task.Delay(Pause, time, cancellationToken);
        }
    }

    /// <summary>Files of databases lie there as they were copied, before a server changes them.</summary>
    public async Task<ImmutableArray<DrillCheck>> FilesAsync(ImmutableArray<(BackupPart Part, RestoreTarget Target)> laid, OperationProgress progress, CancellationToken cancellationToken)
    {
        var checks = ImmutableArray.CreateBuilder<DrillCheck>();
        foreach (var (part, target) in laid.Where(one => one.Part.Kind == "postgres" && Major(one.Part) >= ListsFiles))
        {
            progress.Say($"{part.Service}: checking every file");
            var result = await proofs.FilesAsync(target, cancellationToken);
            checks.Add(new(part.Service, "files are as they were copied", result.Passed, result.Detail));
        }

        return checks.ToImmutable();
    }

    /// <summary>Every table and index is well formed, and every row is in its indexes: what equal rows alone do not show.</summary>
    public async Task<ImmutableArray<DrillCheck>> IndexesAsync(IEnumerable<BackupSubject> subjects, BackupManifest manifest, OperationProgress progress, CancellationToken cancellationToken)
    {
        var checks = ImmutableArray.CreateBuilder<DrillCheck>();
        foreach (var subject in subjects)
        {
            if (manifest.Parts.FirstOrDefault(part => part.Service == subject.Service.Name && part.Kind == "postgres") is not { } part) continue;
            if (Major(part) < ChecksIndexes) continue;

            progress.Say($"{part.Service}: checking tables and indexes");
            var result = await proofs.IndexesAsync(subject, cancellationToken);
            checks.Add(new(part.Service, "tables and indexes are well formed", result.Passed, result.Detail));
        }

        return checks.ToImmutable();
    }

    /// <returns>0: it does not say.</returns>
    private static int Major(BackupPart part) =>
        int.TryParse(part.Facts.GetValueOrDefault("server_version", "").Split('.', ' ')[0], NumberStyles.None, CultureInfo.InvariantCulture, out var major) ? major : 0;

    private static DrillCheck Judge(BackupPart part, ImmutableSortedDictionary<string, string> restored)
    {
        var differences = FingerprintDifference.Against(part, restored);
        if (differences.IsEmpty) return new(part.Service, "content equals the backup's", true, Counted(part.Kind, part.Fingerprints));

        var more = differences.Length > MostNamed ? string.Create(CultureInfo.InvariantCulture, $"; and {differences.Length - MostNamed} more") : "";
        return new(part.Service, "content equals the backup's", false, string.Join("; ", differences.Take(MostNamed)) + more);
    }

    private static string Counted(string kind, ImmutableSortedDictionary<string, string> prints)
    {
        var total = prints.Values.Sum(print => FingerprintDifference.CountIn(print) ?? 0);
        return string.Create(CultureInfo.InvariantCulture, $"{prints.Count} {Noun(kind)}, {total} {Unit(kind)}");
    }

    private static string Noun(string kind) => kind switch { "postgres" or BackupManifest.DumpKind => "tables", "redis" => "databases", _ => "volumes" };

    private static string Unit(string kind) => kind switch { "postgres" or BackupManifest.DumpKind => "rows", "redis" => "keys", _ => "files" };
}
