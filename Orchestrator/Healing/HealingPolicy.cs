using System.Collections.Immutable;
using Orchestrator.Deployments;
using Orchestrator.Docker;
using Orchestrator.Planning;
using Orchestrator.Stacks;

namespace Orchestrator.Healing;

/// <summary>
/// Pure: what is done about a stack's differences from its release, from what is seen now and what has become of its replicas lately. Nothing is done for a
/// replica more often than its backoff allows, for a stack more often than its budget; a replica that keeps dying is given up, and the others go on.
/// </summary>
public sealed class HealingPolicy
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(1);
    private const int PatienceOfStateful = 10;

    private readonly StackPicture _picture;
    private readonly HealingHistory _history;
    private readonly HealingOptions _options;
    private readonly TimeSpan _now;
    private readonly List<HealingAct> _acts = [];
    private readonly List<Capitulation> _givenUp = [];
    private readonly List<DriftNote> _notes = [];
    private TimeSpan? _lookAgain;

    private HealingPolicy(StackPicture picture, HealingHistory history, HealingOptions options, TimeSpan now) =>
        (_picture, _history, _options, _now) = (picture, history, options, now);

    /// <param name="now">On the clock of <paramref name="history"/>.</param>
    public static HealingDecision Decide(StackPicture picture, HealingHistory history, HealingOptions options, TimeSpan now)
    {
        var policy = new HealingPolicy(picture, history, options, now);
        var drifts = DriftReader.Read(picture);
        policy.GiveUpLoops();
        foreach (var drift in drifts) policy.Consider(drift);
        if (policy is { _acts.Count: 0, _givenUp.Count: 0 }) policy.Recycle(drifts);
        return new([.. policy._acts], [.. policy._givenUp], [.. policy._notes], policy._lookAgain);
    }

    /// <summary>
    /// Pure: what is done although a deployment is at the stack. What serves and was taken off a network joins it again: nobody else does that, its users would be
    /// without it until the deployment has ended, and it changes nothing that a step relies on. Of a coloured service that is the network on which it is reached, as a
    /// step moves its names; a service in place must be as the current release says, and not made anew already.
    /// </summary>
    public static ImmutableArray<HealingAct> WhileDeployed(StackPicture picture, HealingOptions options) => options.Mode == HealingMode.Report
        ? []
        :
        [
            .. from spec in picture.Wanted
               let release = picture.ReleaseOf(spec)
               let made = release.Stack.Find(spec.Name) ?? spec
               from seen in picture.Of(spec)
               where seen.State == ContainerState.Running && (spec.Coloured || IsOf(release, made, seen))
               let lost = NetworksThatCount(release.Stack, made).Where(network => !seen.Addresses.ContainsKey(network)).ToImmutableArray()
               where !lost.IsEmpty
               select new HealingAct.Rejoin(new(spec.Name, seen.Replica), seen, lost),
        ];

    private static bool IsOf(Release release, ServiceSpec spec, ObservedContainer seen) =>
        release.Images.GetValueOrDefault(spec.Name) is { } image && Planner.SpecOf(spec, image.Pinned, release.Contents) == seen.Spec;

    private static IEnumerable<string> NetworksThatCount(Stack stack, ServiceSpec spec) => spec.Coloured
        ? new[] { StackTraffic.NetworkOf(stack, spec) }.OfType<string>()
        : DriftReader.NetworksFor(stack, spec).Where(network => !network.Fixed).Select(network => network.Name);

    /// <summary>How long after so many acts the next one may follow.</summary>
    public static TimeSpan PauseAfter(int acts) => acts == 0 ? TimeSpan.Zero : acts > 10 || FirstPause * Math.Pow(2, acts - 1) > LongestPause ? LongestPause : FirstPause * Math.Pow(2, acts - 1);

    /// <summary>Also of containers that run at the moment: the engine starts them again by itself, and they die again.</summary>
    private void GiveUpLoops()
    {
        foreach (var (key, record) in _history.Replicas.OrderBy(pair => pair.Key.Service, StringComparer.Ordinal).ThenBy(pair => pair.Key.Slot))
        {
            if (_picture.Wanted.FirstOrDefault(spec => spec.Name == key.Service) is not { } spec) continue;
            if (record.GivenUp is { } surrender) NoteSurrender(key, surrender);
            else if (record.Deaths.Length >= _options.Deaths) GiveUp(spec, key, Surrender.CrashLoop, LoopOf(spec, record));
        }
    }

    private void Consider(Drift drift)
    {
        var key = ReplicaKey.Of(drift);
        var record = _history.Of(key);
        if (_givenUp.Any(given => given.Key == key)) return;
        if (drift is Drift.MissingVolume lost)
        {
            if (record.GivenUp is null) GiveUpVolume(key, lost);
            return;
        }

        var retried = record.GivenUp is not null;
        if (retried && !MayRetry(drift, record))
        {
            if (key.Service.Length == 0) Note(drift, GivenUpUntil);      // those of services are noted already
            return;
        }

        var (act, otherwise) = ActFor(drift, record);
        if (act is null) Note(drift, otherwise);
        else if (_options.Mode == HealingMode.Report) Note(drift, "only reported: healing.mode is report");
        else if (!retried && record.Acts.Length >= _options.Deaths) GiveUp(_picture.Release.Stack.Find(key.Service), key, Surrender.NoEffect, EffectOf(drift, record), drift.Subject);
        else Do(act, drift, record);
    }

    private void Do(HealingAct act, Drift drift, ReplicaRecord record)
    {
        if (record.Acts is [.., var last] && last + PauseAfter(record.Acts.Length) is var due && due > _now)
        {
            Note(drift, $"{Again(record)}the next attempt is in {Span(due - _now)}");
            WaitFor(due);
            return;
        }

        if (_acts.Contains(act))
        {
            Note(drift, Doing(act));
            return;
        }

        if (!HasBudget())
        {
            var next = _history.Acts[0] + _options.Window;
            Note(drift, $"the stack has been healed {_history.Acts.Length} times within {Span(_options.Window)}: the next attempt is in {Span(next - _now)}");
            WaitFor(next);
            return;
        }

        _acts.Add(act);
        Note(drift, Doing(act));
    }

    /// <returns>Without an act: what becomes of it instead.</returns>
    private (HealingAct? Act, string Otherwise) ActFor(Drift drift, ReplicaRecord record) => drift switch
    {
        Drift.MissingNetwork { External: true } gone => (null, $"it is declared external: make it with 'docker network create {gone.Name}'"),
        Drift.MissingNetwork => (new HealingAct.EnsureNetworks(), ""),
        Drift.OffNetwork { Fixed: true } => (null, "it has a fixed address there: a deployment makes it anew"),
        Drift.OffNetwork off => (new HealingAct.Rejoin(ReplicaKey.Of(off), off.Container, [.. NetworksAwayFrom(off.Container)]), ""),
        Drift.Missing when _picture.Release.Partial || _picture.ReleaseOf(SpecOf(drift)).Partial => (null, "its record was made from labels after the journal was lost: apply the stack's file"),
        Drift.Missing when _picture.LiveOf(SpecOf(drift)) is { } live && _picture.ReleaseOf(SpecOf(drift)).Number != live.Release => (null, $"its release, {live.Release}, is no longer kept: deploy"),
        Drift.Missing leaving when _picture.IsLeaving(SpecOf(drift), leaving.Slot) => (null, LookSoon("the one before it is being removed")),
        Drift.Missing when LosesVolume(drift) => (null, "it is not made anew on an empty volume"),
        Drift.Missing => (new HealingAct.Create(ReplicaKey.Of(drift)), ""),
        Drift.Stopped stopped => (new HealingAct.Start(ReplicaKey.Of(drift), stopped.Container), ""),
        Drift.Restarting => (null, "the engine starts it again, by the service's restart policy"),
        Drift.Paused => (null, "left alone: 'docker unpause' lets it go on"),
        Drift.Unhealthy sick => ActFor(sick, record),
        Drift.Surplus surplus when SpecOf(drift).Coloured => (new HealingAct.Remove(ReplicaKey.Of(drift), surplus.Container), ""),
        Drift.Surplus => (null, "left alone, as it may hold data: remove it by hand, or deploy"),
        Drift.OtherImage other when SpecOf(drift).Coloured && !LosesVolume(drift) => (new HealingAct.Replace(ReplicaKey.Of(drift), other.Container, "it runs another image than its release says", false), ""),
        Drift.Extra => (new HealingAct.Sweep(), ""),
        _ => (null, "a deployment makes it anew"),
    };

    private (HealingAct? Act, string Otherwise) ActFor(Drift.Unhealthy sick, ReplicaRecord record)
    {
        var patience = SpecOf(sick).Role == ServiceRole.Stateful ? _options.Unhealthy * PatienceOfStateful : _options.Unhealthy;
        var due = (record.SickSince ?? _now) + patience;
        if (due <= _now) return (CureOf(sick, record), "");

        if (_options.Mode == HealingMode.Heal) WaitFor(due);
        return (null, _options.Mode == HealingMode.Heal ? $"restarted if it stays so for another {Span(due - _now)}" : "only reported: healing.mode is report");
    }

    /// <summary>A restart; where that did not help lately, another one in its place, as what is wrong may be what the engine gave it: its address, for instance.</summary>
    private HealingAct CureOf(Drift.Unhealthy sick, ReplicaRecord record) => record.RestartedSick is not null && SpecOf(sick).Coloured && !LosesVolume(sick)
        ? new HealingAct.Replace(ReplicaKey.Of(sick), sick.Container, $"{sick.Detail}, and a restart did not help", false)
        : new HealingAct.Restart(ReplicaKey.Of(sick), sick.Container, sick.Detail, false);

    /// <summary>One at a time, and only where all else is well.</summary>
    private void Recycle(ImmutableArray<Drift> drifts)
    {
        foreach (var spec in _picture.Wanted.Where(spec => spec.BasMalin?.Recycle is not null && drifts.All(drift => drift.Service != spec.Name)))
        {
            var key = new ReplicaKey(spec.Name, 0);
            var record = _history.Of(key);
            if (record.GivenUp is not null || _picture.Of(spec).Select(seen => (Container: seen, Why: ReasonToRecycle(spec, seen))).FirstOrDefault(item => item.Why is not null) is not { Why: { } why, Container: var old }) continue;

            if (record.Acts.Length >= _options.Deaths)
            {
                GiveUp(spec, key, Surrender.NoEffect, $"{old.Name} is to be recycled ({why}), and no new replica could take its place, {record.Acts.Length} times in a row. The last time: {record.Problem}");
                continue;
            }

            if (record.Acts is [.., var last] && last + PauseAfter(record.Acts.Length) is var due && due > _now) WaitFor(due);
            else if (!HasBudget()) WaitFor(_history.Acts[0] + _options.Window);
            else
            {
                _acts.Add(spec.Coloured ? new HealingAct.Replace(key, old, why, true) : new HealingAct.Restart(key, old, why, true));
                return;
            }
        }
    }

    private string? ReasonToRecycle(ServiceSpec spec, ObservedContainer seen)
    {
        if (_picture.Due.Contains(seen.Id)) return "its time has come";
        if (_history.Of(new(spec.Name, seen.Replica)).HeavySince is not { } since || spec.BasMalin?.Recycle?.Memory is not { } limit) return null;
        if (since + _options.Memory > _now)
        {
            WaitFor(since + _options.Memory);
            return null;
        }

        return $"its memory, {Bytes(_picture.Memory.GetValueOrDefault(seen.Id))}, has been above {Bytes(limit)} for {Span(_now - since)}";
    }

    private void GiveUp(ServiceSpec? spec, ReplicaKey key, string reason, string detail, string? subject = null)
    {
        var container = spec is null ? null : _picture.Of(spec).FirstOrDefault(seen => seen.Replica == key.Slot);
        var name = container?.Name ?? subject ?? $"{key}";
        var othersServe = spec is not null && _picture.Of(spec).Any(seen => seen.Replica != key.Slot && seen.State == ContainerState.Running && !_picture.Sick.ContainsKey(seen.Id));
        var stop = reason == Surrender.CrashLoop && _options.Mode == HealingMode.Heal && othersServe && container is not null;
        _givenUp.Add(new(
            key, name, container?.Id, reason, detail,
            $"{(othersServe ? "The others of the service go on. " : "")}Look at 'basmalin logs {_picture.Stack} {key.Service}'; a deployment, or 'basmalin heal {_picture.Stack}', tries again.", stop));
        _notes.Add(new("gave_up", key.Service, name, detail, GivenUpUntil));
    }

    private void GiveUpVolume(ReplicaKey key, Drift.MissingVolume lost)
    {
        var hint = $"It is never made empty again by itself. 'basmalin restore {_picture.Stack} --to …' brings its data back from a backup; a deployment makes a new, empty one.";
        var detail = $"The volume {lost.Name} of {lost.Of} is gone, with what was in it: containers that need it are not made anew.";
        _givenUp.Add(new(key, lost.Name, null, Surrender.VolumeMissing, detail, hint, false));
        _notes.Add(new(lost.Kind, lost.Service, lost.Name, lost.Detail, hint));
    }

    private void NoteSurrender(ReplicaKey key, Surrender surrender)
    {
        var kind = surrender.Reason == Surrender.VolumeMissing ? "missing_volume" : "gave_up";
        var subject = _picture.Wanted.Where(spec => spec.Name == key.Service).SelectMany(spec => _picture.Of(spec)).FirstOrDefault(seen => seen.Replica == key.Slot)?.Name ?? $"{key}";
        _notes.Add(new(kind, key.Service, subject, surrender.Detail, GivenUpUntil));
    }

    /// <summary>Where nothing of a service runs, it is tried again once in a window: what it stumbled over may be gone.</summary>
    private bool MayRetry(Drift drift, ReplicaRecord record)
    {
        if (drift is not (Drift.Missing or Drift.Stopped) || record.GivenUp is not { Reason: not Surrender.VolumeMissing } surrender || _options.Mode == HealingMode.Report) return false;
        if (_picture.Of(SpecOf(drift)).Any(seen => seen.State is ContainerState.Running or ContainerState.Restarting)) return false;

        var due = record.Acts.Append(surrender.At).Max() + _options.Window;
        if (due > _now) WaitFor(due);
        return due <= _now;
    }

    private string LoopOf(ServiceSpec spec, ReplicaRecord record)
    {
        var last = record.Deaths[^1];
        var memory = last.OomKilled && spec.Container.Resources.Memory is { } limit ? $" It may have {Bytes(limit)} of memory." : "";
        return $"It died {record.Deaths.Length} times within {Span(_options.Window)}; the last time {new Health.ContainerExit(last.ExitCode, last.OomKilled, 0, false)}.{memory}";
    }

    private string EffectOf(Drift drift, ReplicaRecord record) =>
        $"{drift.Subject}: {drift.Detail}. It was put right {record.Acts.Length} times within {Span(_options.Window)}, and is not right.{(record.Problem is { } problem ? $" The last time: {problem}" : "")}";

    private bool LosesVolume(Drift drift) => StackPicture.VolumesOf(_picture.ReleaseOf(SpecOf(drift)).Stack, SpecOf(drift)).Any(_picture.LostVolumes.Contains);

    private IEnumerable<string> NetworksAwayFrom(ObservedContainer seen)
    {
        var release = _picture.Release.Stack.Find(seen.Service) is { } spec ? _picture.ReleaseOf(spec) : _picture.Release;
        return release.Stack.Find(seen.Service) is { } made ? DriftReader.NetworksFor(release.Stack, made).Where(network => !network.Fixed && !seen.Addresses.ContainsKey(network.Name)).Select(network => network.Name) : [];
    }

    private string GivenUpUntil => $"nothing more is done until a deployment, or 'basmalin heal {_picture.Stack}'";

    private ServiceSpec SpecOf(Drift drift) =>
        _picture.Release.Stack.Find(drift.Service ?? "") ?? throw new InvalidOperationException($"A difference of {drift.Service}, which is not in the release.");

    private bool HasBudget() => _history.Acts.Length + _acts.Count < Math.Max(_options.Acts, _picture.Wanted.Sum(spec => spec.Replicas));

    private string LookSoon(string why)
    {
        WaitFor(_now + FirstPause);
        return why;
    }

    private void WaitFor(TimeSpan due)
    {
        var wait = due > _now ? due - _now : TimeSpan.Zero;
        if (_lookAgain is null || wait < _lookAgain) _lookAgain = wait;
    }

    private void Note(Drift drift, string outlook) => _notes.Add(new(drift.Kind, drift.Service, drift.Subject, drift.Detail, outlook));

    private static string Again(ReplicaRecord record) => record.Problem is { } problem ? $"the last attempt came to nothing ({problem}); " : "";

    private static string Doing(HealingAct act) => $"being healed: {act.Kind}";

    private static string Span(TimeSpan span) => span >= TimeSpan.FromMinutes(2) ? $"{span.TotalMinutes:0.#} min" : $"{Math.Ceiling(span.TotalSeconds):0} s";

    private static string Bytes(long bytes) => bytes >= 1L << 30 ? $"{bytes / (double)(1L << 30):0.##} GiB" : $"{bytes / (double)(1L << 20):0.#} MiB";
}
