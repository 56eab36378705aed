using System.Collections.Immutable;
using Orchestrator.Backups;
using Orchestrator.Docker;
using Orchestrator.Journal;
using Orchestrator.Planning;
using Orchestrator.Stacks;

namespace Orchestrator.Deployments;

/// <summary>Finds out what of a stack is backed up, and where it runs now.</summary>
public sealed class BackupSubjects(IJournal journal, StackContainers containers)
{
    /// <summary>The stack as it serves now; null: it has no release.</summary>
    public async Task<StackData?> OfAsync(string stack, CancellationToken cancellationToken)
    {
        if (await journal.FindStackAsync(stack, cancellationToken) is not { CurrentRelease: > 0 } state) return null;
        if (await journal.FindReleaseAsync(stack, state.CurrentRelease, cancellationToken) is not { } written) return null;

        var release = VolumeNames.Over(written, state.Volumes);
        var observed = await containers.ListAsync(stack, cancellationToken);
        var subjects = ImmutableArray.CreateBuilder<BackupSubject>();
        var away = ImmutableArray.CreateBuilder<string>();
        foreach (var spec in release.Stack.Services.Where(spec => spec.BasMalin?.Backup is not null))
        {
            var running = observed.Where(seen => seen.Service == spec.Name && seen is { State: ContainerState.Running, IsOneShot: false } && IsLive(state, spec, seen)).OrderBy(seen => seen.Replica).FirstOrDefault();
            if (running is not null && Of(release, stack, spec, running) is { } subject) subjects.Add(subject);
            else away.Add(spec.Name);
        }

        return new(release, state, subjects.ToImmutable(), away.ToImmutable());
    }

    /// <param name="stack">Whose secrets it is signed in with.</param>
    /// <returns>Null: it is on no network of its service.</returns>
    public static BackupSubject? Of(Release release, string stack, ServiceSpec spec, ObservedContainer container)
    {
        var network = spec.Networks.Select(attachment => release.Stack.Networks.FirstOrDefault(item => item.Key == attachment.Key)).FirstOrDefault(item => item is not null);
        return network is not null && container.Addresses.TryGetValue(network.Name, out var address)
            ? new() { Stack = stack, Service = spec, Container = container, Image = release.Images[spec.Name].Pinned, Address = address }
            : null;
    }

    /// <summary>The stack's own records, in the form of a service that has no container.</summary>
    public static BackupSubject OfStack(string stack) => new()
    {
        Stack = stack,
        Service = new() { Name = "@stack", Role = ServiceRole.Worker, Coloured = false, Image = "", Container = new() },
        Container = new()
        {
            Id = new(""),
            Name = "@stack",
            Labels = ImmutableSortedDictionary<string, string>.Empty,
            State = ContainerState.Created,
            ImageId = "",
        },
        Image = "",
        Address = "",
    };

    private static bool IsLive(StackState state, ServiceSpec spec, ObservedContainer seen) => spec.Coloured
        ? seen.Colour is { } colour && state.Live.GetValueOrDefault(spec.Name) == new Generation(colour, seen.Release)
        : seen.Colour is null;
}

/// <param name="Release">With the volumes that it has now.</param>
/// <param name="Away">Services that are backed up and do not run.</param>
public sealed record StackData(Release Release, StackState State, ImmutableArray<BackupSubject> Subjects, ImmutableArray<string> Away);
