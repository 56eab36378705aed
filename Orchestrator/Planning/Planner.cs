using System.Collections.Immutable;
using Orchestrator.Stacks;

namespace Orchestrator.Planning;

/// <summary>
/// Pure: what is wanted against what is, as a list of actions. No I/O, no clock, no randomness: the same input gives the same plan,
/// so that what was shown is what is done.
/// </summary>
public static class Planner
{
    public static Plan Make(PlanInput input)
    {
        var afterShift = DependantsOfColoured(input.Wanted);
        var actions = ImmutableArray.CreateBuilder<ServiceAction>();
        foreach (var spec in input.Wanted.Services)
        {
            var action = spec.Coloured ? Coloured(input, spec) : InPlace(input, spec, afterShift.Contains(spec.Name));
            actions.Add(FollowRestart(action, spec, actions));
        }

        foreach (var gone in input.Current?.Services.Where(spec => input.Wanted.Find(spec.Name) is null) ?? [])
            actions.Add(new(gone.Name, ServiceActionKind.Remove, ["no longer in the file"], [], input.State.Live.GetValueOrDefault(gone.Name), null, true));

        var plan = new Plan
        {
            Stack = input.Wanted.Name,
            Services = actions.ToImmutable(),
            NewNetworks = [.. New(input.Wanted.Networks, input.Current?.Networks, network => network.External, network => network.Name)],
            NewVolumes = [.. New(input.Wanted.Volumes, input.Current?.Volumes, volume => volume.External, volume => volume.Name)],
            Settings = [.. SettingsOf(input)],
        };
        plan = plan with { WarmSwap = WarmServes(input, plan) };
        return plan with { Notes = PlanNotes.For(input, plan) };
    }

    /// <summary>What a container of this service is labelled with: equal hashes mean that nothing has to be made anew.</summary>
    /// <param name="contents">Of the whole stack; what the service is granted counts.</param>
    public static string SpecOf(ServiceSpec spec, string pinnedImage, ImmutableSortedDictionary<string, string> contents) =>
        SpecHash.Of(spec with { Image = pinnedImage }, [.. Granted(spec).Concat(Mounted(spec).Where(contents.ContainsKey)).Select(key => $"{key}={contents.GetValueOrDefault(key)}")]);

    private static ServiceAction Coloured(PlanInput input, ServiceSpec spec)
    {
        if (!input.State.Live.TryGetValue(spec.Name, out var live))
            return new(spec.Name, ServiceActionKind.Create, [BecomesColoured(input, spec) ? "becomes blue/green" : "new"], [], null, Colour.Blue, false);

        var want = SpecOf(spec, WantedImage(input, spec), input.WantedContents);
        var replicas = input.Observed.Where(seen => seen.Service == spec.Name && seen.Colour == live.Colour && seen.Release == live.Release).ToList();
        var (reasons, changes) = Differences(input, spec);
        var running = replicas.Count(seen => seen.Running);
        if (running < spec.Replicas && ReplicasOf(input, spec) == spec.Replicas) reasons = reasons.Add($"{running} of {spec.Replicas} replicas running");
        if (reasons.IsEmpty && replicas.Any(seen => seen.Spec != want)) reasons = ["made from another specification"];
        if (reasons.IsEmpty && input.Force) reasons = ["forced"];
        return reasons.IsEmpty
            ? new(spec.Name, ServiceActionKind.Keep, [], [], live, null, false)
            : new(spec.Name, ServiceActionKind.Replace, reasons, changes, live, live.Colour.Other(), false);
    }

    private static ServiceAction InPlace(PlanInput input, ServiceSpec spec, bool afterShift)
    {
        var live = input.State.Live.GetValueOrDefault(spec.Name);
        var replicas = input.Observed.Where(seen => seen.Service == spec.Name && seen.Colour is null).ToList();
        if (replicas.Count == 0 && live is null)
            return new(spec.Name, ServiceActionKind.Create, ["new"], [], null, null, afterShift);

        var want = SpecOf(spec, WantedImage(input, spec), input.WantedContents);
        var (reasons, changes) = Differences(input, spec);
        var asWanted = replicas.Count(seen => seen.Spec == want && (seen.Running || seen.Done) && seen.Replica >= 1 && seen.Replica <= spec.Replicas);
        if (live is not null) reasons = reasons.Add("no longer blue/green");
        if (reasons.IsEmpty && replicas.Any(seen => seen.Spec != want)) reasons = ["made from another specification"];
        if (reasons.IsEmpty && asWanted < spec.Replicas) reasons = [$"{asWanted} of {spec.Replicas} containers running"];
        if (reasons.IsEmpty && replicas.Count > spec.Replicas) reasons = [$"{replicas.Count} containers, {spec.Replicas} wanted"];
        if (reasons.IsEmpty && input.Force && spec.Role != ServiceRole.Stateful) reasons = ["forced"];
        return new(spec.Name, reasons.IsEmpty ? ServiceActionKind.Keep : ServiceActionKind.Recreate, reasons, changes, live, null, afterShift || live is not null);
    }

    /// <summary><c>depends_on: { x: { restart: true } }</c>: made anew together with what it depends on.</summary>
    private static ServiceAction FollowRestart(ServiceAction action, ServiceSpec spec, IEnumerable<ServiceAction> before)
    {
        if (action.Kind != ServiceActionKind.Keep) return action;

        var moved = before.Where(other => other.Kind is ServiceActionKind.Replace or ServiceActionKind.Recreate).Select(other => other.Service).ToHashSet();
        return spec.DependsOn.FirstOrDefault(dependency => dependency.Restart && moved.Contains(dependency.Service)) switch
        {
            null => action,
            var dependency when spec.Coloured => action with { Kind = ServiceActionKind.Replace, Reasons = [$"restarts with {dependency.Service}"], To = action.From?.Colour.Other() },
            var dependency => action with { Kind = ServiceActionKind.Recreate, Reasons = [$"restarts with {dependency.Service}"] },
        };
    }

    private static (ImmutableArray<string> Reasons, ImmutableArray<Change> Changes) Differences(PlanInput input, ServiceSpec spec)
    {
        if (input.Current?.Find(spec.Name) is not { } old) return ([], []);

        var changes = SpecDiff.Between(old, spec).Where(change => !SpecDiff.IsSetting(change, spec.Coloured)).ToImmutableArray();
        var oldImage = input.CurrentImages.GetValueOrDefault(spec.Name, old.Image);
        var newImage = WantedImage(input, spec);
        if (oldImage != newImage && changes.All(change => change.Path != "image")) changes = [new("image", oldImage, newImage), .. changes];
        changes = changes.AddRange(Granted(spec).Where(key => Rewritten(input, key)).Select(key => new Change(key, "***", "***")));
        changes = changes.AddRange(
            from key in Mounted(spec)
            let was = input.CurrentContents.GetValueOrDefault(key)
            let now = input.WantedContents.GetValueOrDefault(key)
            where was != now
            select new Change(key, was ?? "as declared", now ?? "as declared"));
        return ([.. changes.Select(Reason)], changes);
    }

    /// <summary>The key in the contents of a volume that has taken the place of the declared one.</summary>
    public static string VolumeContent(string key) => $"volumes.{key}";

    private static IEnumerable<string> Granted(ServiceSpec spec) =>
        [.. spec.Container.Secrets.Select(grant => $"secrets.{grant.Key}").Concat(spec.Container.Configs.Select(grant => $"configs.{grant.Key}")).Order(StringComparer.Ordinal)];

    private static IEnumerable<string> Mounted(ServiceSpec spec) =>
        spec.Container.Mounts.Where(mount => mount is { Kind: MountKind.Volume, Source: not null }).Select(mount => VolumeContent(mount.Source ?? "")).Distinct().Order(StringComparer.Ordinal);

    private static bool Rewritten(PlanInput input, string key) =>
        input.CurrentContents.TryGetValue(key, out var old) && input.WantedContents.TryGetValue(key, out var wanted) && old != wanted;

    private static string Reason(Change change) => (change.Old, change.New) switch
    {
        (null, _) => $"{change.Path} added",
        (_, null) => $"{change.Path} removed",
        _ when change.Path is "image" or "replicas" => $"{change.Path} {change.Old} → {change.New}",
        _ => $"{change.Path} changed",
    };

    private static IEnumerable<Change> SettingsOf(PlanInput input) =>
        from spec in input.Wanted.Services
        let old = input.Current?.Find(spec.Name)
        where old is not null
        from change in SpecDiff.Between(old, spec)
        where SpecDiff.IsSetting(change, spec.Coloured)
        select change with { Path = $"{spec.Name}.{change.Path}" };

    /// <summary>Before the pull the same reference is taken for the same image; after it the digest decides.</summary>
    private static string WantedImage(PlanInput input, ServiceSpec spec)
    {
        if (input.WantedImages.TryGetValue(spec.Name, out var pinned)) return pinned;
        return input.Current?.Find(spec.Name)?.Image == spec.Image ? input.CurrentImages.GetValueOrDefault(spec.Name, spec.Image) : spec.Image;
    }

    private static int ReplicasOf(PlanInput input, ServiceSpec spec) => input.Current?.Find(spec.Name)?.Replicas ?? spec.Replicas;

    private static bool BecomesColoured(PlanInput input, ServiceSpec spec) => input.Observed.Any(seen => seen.Service == spec.Name && seen.Colour is null);

    private static IEnumerable<string> New<T>(IEnumerable<T> wanted, IEnumerable<T>? current, Func<T, bool> external, Func<T, string> name) =>
        wanted.Where(item => !external(item)).Select(name).Except((current ?? []).Select(name));

    private static bool WarmServes(PlanInput input, Plan plan)
    {
        if (input.TargetRelease is not { } target || input.State.Warm is not { } warm || warm.Release != target) return false;

        var moving = plan.Services.Where(action => action.Kind != ServiceActionKind.Keep).ToList();
        return moving.Count > 0 && moving.All(action => action.Kind == ServiceActionKind.Replace && WarmRuns(input, warm, action));
    }

    private static bool WarmRuns(PlanInput input, WarmState warm, ServiceAction action)
    {
        if (input.Wanted.Find(action.Service) is not { } spec || !warm.Services.TryGetValue(action.Service, out var generation)) return false;

        var want = SpecOf(spec, WantedImage(input, spec), input.WantedContents);
        return generation.Colour == action.To && spec.Replicas == input.Observed.Count(seen =>
            seen.Service == spec.Name && seen.Colour == generation.Colour && seen.Release == generation.Release && seen.Running && seen.Spec == want);
    }

    private static HashSet<string> DependantsOfColoured(Stack stack)
    {
        var found = new HashSet<string>();
        foreach (var spec in stack.Services)                       // in dependency order: one pass is enough
        {
            var follows = spec.DependsOn.Any(dependency => found.Contains(dependency.Service) || stack.Find(dependency.Service)?.Coloured == true);
            if (!spec.Coloured && follows) found.Add(spec.Name);
        }

        return found;
    }
}
