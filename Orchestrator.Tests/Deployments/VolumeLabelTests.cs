using System.Collections.Immutable;
using Orchestrator.Deployments;
using Orchestrator.Docker;
using Orchestrator.Planning;
using Orchestrator.Restores;
using Orchestrator.Stacks;

namespace Orchestrator.Tests.Deployments;

/// <summary>What containers tell of restored volumes, and what a drill tells of the next recovery.</summary>
public sealed class VolumeLabelTests
{
    private static readonly ServiceSpec Database = new()
    {
        Name = "postgres",
        Role = ServiceRole.Stateful,
        Coloured = false,
        Image = "postgres:15",
        Container = new() { Mounts = [new(MountKind.Volume, "pgdata", "/var/lib/postgresql/data", false, false)] },
    };

    private static readonly Release Declared = new()
    {
        Number = 3,
        Stack = new() { Name = "garden", Directory = "/", Services = [Database], Volumes = [new() { Key = "pgdata", Name = "garden_pgdata" }, new() { Key = "other", Name = "garden_other" }] },
        Images = ImmutableSortedDictionary<string, ImageIdentity>.Empty,
        CreatedAt = DateTimeOffset.UnixEpoch,
        Deployment = default,
    };

    [Test]
    public void A_volume_that_took_anothers_place_is_told_by_its_containers_and_found_again_from_them()
    {
        var standIns = VolumeNames.With(ImmutableSortedDictionary<string, VolumeStandIn>.Empty, Declared.Stack, ImmutableSortedDictionary<string, string>.Empty.Add("pgdata", "garden_pgdata.r7"));

        var label = VolumeLabel.Write(VolumeNames.Over(Declared, standIns), Database);

        Assert.That(label, Is.EqualTo("pgdata=garden_pgdata.r7"));
        Assert.That(VolumeLabel.Write(Declared, Database), Is.Null, "nothing has taken the place of what the file says");
        Assert.That(VolumeLabel.Read([Seen(2, "pgdata=garden_pgdata.r5"), Seen(3, label), Seen(1, null)]), Is.EqualTo(standIns));
        Assert.That(VolumeLabel.Read([Seen(3, null)]), Is.Empty);
    }

    [Test]
    public void A_recovery_of_twice_the_size_fetches_for_twice_as_long()
    {
        var drill = new DrillRecord
        {
            Number = 1,
            Stack = "garden",
            Set = "1",
            StartedAt = DateTimeOffset.UnixEpoch,
            EndedAt = DateTimeOffset.UnixEpoch,
            Passed = true,
            Checks = [],
            Phases = ImmutableSortedDictionary<string, double>.Empty.Add("fetch", 10).Add("start", 5).Add("application", 2).Add("total", 17),
            Images = ImmutableSortedDictionary<string, string>.Empty,
            Bytes = 1000,
        };

        Assert.That(RecoveryForecast.Seconds(drill, 2000), Is.EqualTo(27));
        Assert.That(RecoveryForecast.Seconds(drill with { Bytes = 0 }, 2000), Is.EqualTo(17));
    }

    private static ObservedContainer Seen(int release, string? label) => new()
    {
        Id = new($"c{release}"),
        Name = $"garden-postgres-{release}",
        Labels = ImmutableSortedDictionary<string, string>.Empty.Add(Labels.Release, $"{release}").SetItems(label is null ? [] : [KeyValuePair.Create(Labels.Volumes, label)]),
        State = ContainerState.Running,
        ImageId = "",
    };
}
