using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using Orchestrator.Docker;
using Orchestrator.Journal;
using Orchestrator.Planning;
using Orchestrator.Stacks;

namespace Orchestrator.Deployments;

/// <summary>What serves, found out from what runs, where the journal is damaged or knows less than the engine shows.</summary>
public sealed partial class JournalReconstruction(IJournal journal, AgentIdentity agent, TimeProvider time, ILogger<JournalReconstruction> logger)
{
    /// <summary>
    /// Notices containers of ours that are newer than anything on record: the journal has forgotten what it wrote. While it is damaged, what is found out is written
    /// into what stands in for it, so that everything else goes on as usual.
    /// </summary>
    public async Task PrepareAsync(ImmutableArray<ObservedContainer> everything, CancellationToken cancellationToken)
    {
        var own = everything.Where(IsOurs).ToLookup(seen => seen.Stack);
        if (journal.Health.Damage is null) await CompareAsync(own, cancellationToken);
        if (journal.Health.Damage is not { } damage) return;

        LogDamaged(damage.Problem, damage.ServedFrom);
        var known = (await journal.ListStacksAsync(cancellationToken)).Select(state => state.Stack);
        foreach (var stack in known.Union(own.Where(group => group.Any(seen => seen.Agent is not null)).Select(group => group.Key)).Order(StringComparer.Ordinal)) await RebuildAsync(stack, [.. own[stack]], cancellationToken);
    }

    /// <summary>After the repair: every stack's record is made to say what runs.</summary>
    /// <param name="lost">Told of stacks of which nothing tells what they are.</param>
    /// <returns>What was corrected, for people.</returns>
    public async Task<ImmutableArray<string>> ReconcileAsync(ImmutableArray<ObservedContainer> everything, Action<string> lost, CancellationToken cancellationToken)
    {
        var own = everything.Where(IsOurs).ToLookup(seen => seen.Stack);
        var known = (await journal.ListStacksAsync(cancellationToken)).Select(state => state.Stack);
        var damaged = (await journal.DamagedStacksAsync(cancellationToken)).Select(one => one.Stack);
        var corrected = ImmutableArray.CreateBuilder<string>();
        foreach (var stack in known.Union(damaged).Union(own.Where(group => group.Any(seen => seen.Agent is not null)).Select(group => group.Key)).Order(StringComparer.Ordinal))
        {
            if (await FindAsync(stack, [.. own[stack]], cancellationToken) is not { } found)
            {
                lost($"{stack}: containers of it run, and nothing tells what it is; apply its file: basmalin apply FILE");
                continue;
            }

            if (found.Release.Partial) lost($"{stack}: only its routes are known, from labels; apply its file before anything else is deployed: basmalin apply FILE");
            if (found.Source.StartsWith("as recorded", StringComparison.Ordinal)) continue;
            await journal.PutReleaseAsync(found.Release, cancellationToken);
            await journal.SaveStackAsync(found.State, cancellationToken);
            corrected.Add($"{stack}: release {found.Release.Number} serves, {found.Source}");
        }

        return corrected.ToImmutable();
    }

    /// <summary>The stack as it runs: as recorded (now, or in the generation before), when the engine confirms that; else as the engine shows it.</summary>
    /// <returns>Null when nothing can be found out.</returns>
    public async Task<WhatRuns?> FindAsync(string stack, ImmutableArray<ObservedContainer> observed, CancellationToken cancellationToken)
    {
        var (recorded, current) = await RecordedAsync(stack, cancellationToken);
        var live = EngineView.LiveOf(observed);
        var volumes = VolumeLabel.Read(observed);
        if (recorded is not null && (current || !live.IsEmpty) && EngineView.Confirms(recorded, live) && await ReleaseAsync(stack, recorded.CurrentRelease, cancellationToken) is { } release)
            return current ? new(recorded, release, "as recorded") : new(recorded with { Volumes = recorded.Volumes.SetItems(volumes) }, release, "as the record before it says, and the engine confirms");

        if (live.IsEmpty) return null;

        var newest = live.Values.Max(generation => generation.Release);
        var shown = await ReleaseAsync(stack, newest, cancellationToken);
        var told = shown ?? FromLabels(stack, newest, live, observed);
        if (told is null) return null;

        var all = (recorded?.Live ?? ImmutableSortedDictionary<string, Generation>.Empty).SetItems(live);        // what does not run at the moment may come back
        var state = (recorded ?? new StackState { Stack = stack }) with { CurrentRelease = newest, Live = all.RemoveRange(all.Keys.Where(service => told.Stack.Find(service) is not { Coloured: true })), Warm = null };
        state = state with { Volumes = state.Volumes.SetItems(volumes) };
        return new(state, told, shown is null ? "as the labels of its containers tell" : "as the engine shows it");
    }

    /// <summary>Made by this daemon; before daemons were told apart, whatever belongs to a stack that it knows.</summary>
    public bool IsOurs(ObservedContainer seen) => agent.Id is null || seen.Agent is null || seen.Agent == agent.Id;

    private async Task CompareAsync(ILookup<string, ObservedContainer> own, CancellationToken cancellationToken)
    {
        foreach (var stack in own)
        {
            // What nobody has labelled as ours may be another daemon's.
            var newest = stack.Where(seen => seen.Agent is not null && agent.Id is not null).Select(seen => seen.Release).DefaultIfEmpty(0).Max();
            var last = newest == 0 ? 0 : await journal.LastReleaseAsync(stack.Key, cancellationToken);
            if (newest > last)
                journal.Health.ReportDamage(new($"containers of release {newest} of {stack.Key} are there, and the newest on record is {last}: what was written last is lost", "the journal as far as it goes, and the labels of the containers", null));
        }
    }

    private async Task RebuildAsync(string stack, ImmutableArray<ObservedContainer> observed, CancellationToken cancellationToken)
    {
        if (await FindAsync(stack, observed, cancellationToken) is not { } found)
        {
            LogUnknown(stack);
            return;
        }

        if (found.Release.Partial) await journal.PutReleaseAsync(found.Release, cancellationToken);
        if (found.Source != "as recorded") await journal.SaveStackAsync(found.State, cancellationToken);
        LogFound(stack, found.Release.Number, found.Source);
    }

    private async Task<(StackState? State, bool Current)> RecordedAsync(string stack, CancellationToken cancellationToken)
    {
        try
        {
            return (await journal.FindStackAsync(stack, cancellationToken), true);
        }
        catch (JournalException)
        {
            return (await journal.PreviousStackAsync(stack, cancellationToken), false);       // said by whoever found the current one damaged
        }
    }

    private async Task<Release?> ReleaseAsync(string stack, int number, CancellationToken cancellationToken)
    {
        try
        {
            return await journal.FindReleaseAsync(stack, number, cancellationToken);
        }
        catch (JournalException damaged)
        {
            LogReleaseDamaged(stack, number, damaged.Message);
            return null;
        }
    }

    private Release? FromLabels(string stack, int number, ImmutableSortedDictionary<string, Generation> live, ImmutableArray<ObservedContainer> observed)
    {
        var told = live.Select(pair => observed.Where(seen => seen.Service == pair.Key && seen.Colour == pair.Value.Colour && seen.Release == pair.Value.Release).Select(RouteLabel.Read).FirstOrDefault(label => label is not null))
            .OfType<Stack>().ToList();
        return told.Count == 0 ? null : new()
        {
            Number = number,
            Stack = new()
            {
                Name = stack,
                Directory = "/",
                Services = [.. told.SelectMany(label => label.Services)],
                Networks = [.. told.SelectMany(label => label.Networks).DistinctBy(network => network.Key)],
                Volumes = [.. told.SelectMany(label => label.Volumes).DistinctBy(volume => volume.Key)],
            },
            Images = ImmutableSortedDictionary<string, ImageIdentity>.Empty,
            CreatedAt = time.GetUtcNow(),
            Deployment = default,
            Partial = true,
        };
    }

    [LoggerMessage(EventId = 2601, Level = LogLevel.Critical, Message = "The journal is damaged: {Problem}. What runs is served from {Source}; nothing is deployed until 'basmalin doctor --repair'")]
    private partial void LogDamaged(string problem, string source);

    [LoggerMessage(EventId = 2602, Level = LogLevel.Warning, Message = "Stack {Stack}: release {Release} is served {Source}")]
    private partial void LogFound(string stack, int release, string source);

    [LoggerMessage(EventId = 2603, Level = LogLevel.Error, Message = "Stack {Stack} is not served: neither a copy of the journal nor the labels of its containers tell its routes")]
    private partial void LogUnknown(string stack);

    [LoggerMessage(EventId = 2604, Level = LogLevel.Warning, Message = "Stack {Stack}: the record of release {Release} cannot be used: {Problem}")]
    private partial void LogReleaseDamaged(string stack, int release, string problem);
}

/// <param name="Source">Where it is known from, for people.</param>
public sealed record WhatRuns(StackState State, Release Release, string Source);
