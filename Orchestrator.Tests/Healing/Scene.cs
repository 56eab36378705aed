using System.Collections.Immutable;
using System.Globalization;
using Orchestrator.Deployments;
using Orchestrator.Docker;
using Orchestrator.Healing;
using Orchestrator.Planning;
using Orchestrator.Stacks;

namespace Orchestrator.Tests.Healing;

/// <summary>A stack of a routed service with two replicas, a database in place and a job, as the engine would show it, and what is changed of that.</summary>
internal sealed class Scene
{
    public static readonly DateTimeOffset Morning = new(2026, 3, 2, 8, 0, 0, TimeSpan.Zero);

    private static readonly ImageIdentity Image = new() { Reference = "garden:1", Id = "sha256:aaa", Digest = null, ExposedPorts = [], HasHealthcheck = false, Size = 1 };

    public Scene(string recycle = "", string app = "", string database = "")
    {
        var stack = Stacks.Compose.Stack($$"""
            name: garden
            services:
              app:
                image: garden:1
                deploy: { replicas: 2 }
                {{app}}
                x-basmalin:
                  route: { hosts: [garden.example], port: 3000 }
                  {{recycle}}
              database:
                image: garden:1
                volumes: [ "data:/data" ]
                {{database}}
              job:
                image: garden:1
            volumes: { data: {} }
            """);
        var release = new Release
        {
            Number = 1,
            Stack = stack,
            CreatedAt = Morning,
            Deployment = new(1),
            Images = stack.Services.ToImmutableSortedDictionary(spec => spec.Name, _ => Image),
        };
        Picture = new()
        {
            State = new() { Stack = "garden", CurrentRelease = 1, Live = ImmutableSortedDictionary<string, Generation>.Empty.Add("app", new(Colour.Blue, 1)) },
            Release = release,
            Releases = ImmutableDictionary<int, Release>.Empty.Add(1, release),
        };
        foreach (var (service, slot) in new[] { ("app", 1), ("app", 2), ("database", 1), ("job", 1) }) Put(Container(service, slot));
    }

    public StackPicture Picture { get; set; }

    public HealingOptions Options { get; set; } = new();

    public HealingHistory History { get; set; } = HealingHistory.Empty;

    public TimeSpan Now { get; set; } = TimeSpan.FromHours(1);

    public Dictionary<ContainerId, Death> Heard { get; } = [];

    public ObservedContainer this[string service, int slot] => Picture.Containers.Single(seen => seen.Service == service && seen.Replica == slot);

    public ObservedContainer Container(string service, int slot, string? id = null)
    {
        var spec = Picture.Release.Stack.Find(service)!;
        var labels = ImmutableSortedDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        labels[Labels.Stack] = "garden";
        labels[Labels.Service] = service;
        labels[Labels.Release] = "1";
        labels[Labels.Replica] = slot.ToString(CultureInfo.InvariantCulture);
        labels[Labels.Spec] = Planner.SpecOf(spec, Image.Pinned, Picture.Release.Contents);
        labels[Labels.Kind] = "service";
        if (spec.Coloured) labels[Labels.Colour] = "blue";
        return new()
        {
            Id = new(id ?? $"{service}{slot}"),
            Name = ContainerRequests.NameOf(Picture.Release.Stack, spec, spec.Coloured ? Colour.Blue : null, slot),
            Labels = labels.ToImmutable(),
            ImageId = Image.Id,
            State = ContainerState.Running,
            StartedAt = Morning,
            Addresses = DriftReader.NetworksFor(Picture.Release.Stack, spec).ToImmutableSortedDictionary(network => network.Name, _ => "10.0.0.1", StringComparer.Ordinal),
        };
    }

    public void Put(ObservedContainer container)
    {
        Remove(container.Service, container.Replica);
        Picture = Picture with { Containers = Picture.Containers.Add(container) };
    }

    public void Remove(string service, int slot) =>
        Picture = Picture with { Containers = Picture.Containers.RemoveAll(seen => seen.Service == service && seen.Replica == slot) };

    /// <summary>It ends, a little later than the time before.</summary>
    public void Die(string service, int slot, long code = 1, bool oom = false)
    {
        var seen = this[service, slot];
        Put(seen with { State = ContainerState.Exited, ExitCode = code, OomKilled = oom, FinishedAt = (seen.FinishedAt ?? Morning).AddSeconds(5) });
    }

    public void Run(string service, int slot) => Put(this[service, slot] with { State = ContainerState.Running, ExitCode = null, OomKilled = false });

    public HealingDecision Decide()
    {
        History = History.Seen(Picture, Heard, Now, Options.Window);
        return HealingPolicy.Decide(Picture, History, Options, Now);
    }

    /// <summary>Decides, and takes what was decided for done.</summary>
    public HealingDecision Act(string? problem = null)
    {
        var decision = Decide();
        foreach (var given in decision.GivenUp) History = History.GivenUp(given.Key, new(Now, given.Reason, given.Detail));
        foreach (var act in decision.Acts) History = History.Acted(act, problem, Now);
        return decision;
    }
}
