using System.Collections.Immutable;
using Orchestrator.Deployments;
using Orchestrator.Docker;
using Orchestrator.Planning;
using Orchestrator.Stacks;

namespace Orchestrator.Tests.Deployments;

/// <summary>Whatever release runs, it has the volumes that the stack has now.</summary>
public sealed class VolumeNamesTests
{
    private static readonly ImmutableSortedDictionary<string, VolumeStandIn> None = ImmutableSortedDictionary<string, VolumeStandIn>.Empty;
    private static readonly ImmutableSortedDictionary<string, VolumeStandIn> Restored = None.Add("data", new("garden_data.r3", "garden_data"));

    [Test]
    public void An_earlier_release_that_is_brought_back_has_the_restored_volume()
    {
        var release = VolumeNames.Over(Release("garden_data"), Restored);

        Assert.That(release.Stack.Volumes.Single().Name, Is.EqualTo("garden_data.r3"));
        Assert.That(release.Contents[Planner.VolumeContent("data")], Is.EqualTo("garden_data.r3"));
    }

    [Test]
    public void A_release_that_was_written_down_with_an_older_stand_in_has_the_newer_one() =>
        Assert.That(VolumeNames.Over(Release("garden_data.r1"), Restored).Stack.Volumes.Single().Name, Is.EqualTo("garden_data.r3"));

    [Test]
    public void A_file_that_names_another_volume_means_that_one() =>
        Assert.That(VolumeNames.Over(Release("elsewhere"), Restored).Stack.Volumes.Single().Name, Is.EqualTo("elsewhere"));

    [Test]
    public void The_second_restore_remembers_the_declared_name()
    {
        var after = VolumeNames.With(Restored, VolumeNames.Over(Release("garden_data"), Restored).Stack, ImmutableSortedDictionary<string, string>.Empty.Add("data", "garden_data.r4"));

        Assert.That(after["data"], Is.EqualTo(new VolumeStandIn("garden_data.r4", "garden_data")));
    }

    [Test]
    public void A_release_that_has_its_stand_in_already_still_knows_what_it_stands_in_for()
    {
        var wanted = ImmutableSortedDictionary<string, string>.Empty.Add("data", "garden_data.r3");

        Assert.That(VolumeNames.With(None, VolumeNames.Over(Release("garden_data"), VolumeNames.With(None, Release("garden_data").Stack, wanted)).Stack, wanted), Is.EqualTo(Restored));
    }

    [Test]
    public void Another_volume_makes_the_service_anew_and_without_restores_no_hash_changes()
    {
        var spec = Release("garden_data").Stack.Services.Single();
        var contents = ImmutableSortedDictionary<string, string>.Empty;

        Assert.That(Planner.SpecOf(spec, "image", contents.Add("volumes.other", "x")), Is.EqualTo(Planner.SpecOf(spec, "image", contents)));
        Assert.That(Planner.SpecOf(spec, "image", contents.Add("volumes.data", "x")), Is.Not.EqualTo(Planner.SpecOf(spec, "image", contents)));
    }

    private static Release Release(string volume) => new()
    {
        Number = 1,
        Stack = new()
        {
            Name = "garden",
            Directory = "/",
            Volumes = [new() { Key = "data", Name = volume }],
            Services =
            [
                new()
                {
                    Name = "postgres",
                    Role = ServiceRole.Stateful,
                    Coloured = false,
                    Image = "postgres:15",
                    Container = new() { Mounts = [new(MountKind.Volume, "data", "/data", false, false)] },
                },
            ],
        },
        Images = ImmutableSortedDictionary<string, ImageIdentity>.Empty,
        CreatedAt = default,
        Deployment = new(1),
    };
}
