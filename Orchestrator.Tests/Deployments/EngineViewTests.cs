using System.Collections.Immutable;
using Orchestrator.Deployments;
using Orchestrator.Docker;
using Orchestrator.Planning;
using Orchestrator.Stacks;

namespace Orchestrator.Tests.Deployments;

/// <summary>What serves, from what the engine shows alone.</summary>
internal sealed class EngineViewTests
{
    [Test]
    public void The_colour_that_has_the_service_s_name_serves() =>
        Assert.That(EngineView.LiveOf([Container("blue", 3, named: true), Container("green", 4, named: false)])["app"], Is.EqualTo(new Generation(Colour.Blue, 3)), "the newer one is a candidate");

    [Test]
    public void Of_two_that_have_the_name_while_one_drains_the_newer_serves() =>
        Assert.That(EngineView.LiveOf([Container("blue", 3, named: true), Container("green", 4, named: true)])["app"], Is.EqualTo(new Generation(Colour.Green, 4)));

    [Test]
    public void Where_nothing_has_a_name_the_newest_that_runs_serves() =>
        Assert.That(EngineView.LiveOf([Container("blue", 3, named: false), Container("green", 4, named: false), Container("blue", 5, named: false, ContainerState.Exited)])["app"], Is.EqualTo(new Generation(Colour.Green, 4)));

    [Test]
    public void Nothing_that_runs_is_nothing_that_serves() => Assert.That(EngineView.LiveOf([Container("blue", 3, named: true, ContainerState.Exited)]), Is.Empty);

    [Test]
    public void A_record_is_confirmed_unless_something_else_serves()
    {
        var recorded = new StackState { Stack = "garden", CurrentRelease = 3, Live = ImmutableSortedDictionary<string, Generation>.Empty.Add("app", new(Colour.Blue, 3)) };

        Assert.That(EngineView.Confirms(recorded, EngineView.LiveOf([Container("blue", 3, named: true)])), Is.True);
        Assert.That(EngineView.Confirms(recorded, EngineView.LiveOf([Container("blue", 3, named: false), Container("green", 4, named: true)])), Is.False);
        Assert.That(EngineView.Confirms(recorded, EngineView.LiveOf([])), Is.True, "what does not run contradicts nothing");
    }

    [Test]
    public void A_route_label_tells_the_routes_and_no_secret_and_one_that_was_changed_tells_nothing()
    {
        var spec = new ServiceSpec
        {
            Name = "app",
            Role = ServiceRole.Routed,
            Coloured = true,
            Image = "garden:1",
            Container = new() { Environment = ImmutableSortedDictionary<string, string>.Empty.Add("PASSWORD", "hunter2") },
            Networks = [new NetworkAttachment("default", [], null, null)],
            BasMalin = new() { Route = new() { Hosts = ["garden.example"], Port = 3000 } },
        };
        var release = new Release
        {
            Number = 4,
            Stack = new() { Name = "garden", Directory = "/srv", Services = [spec], Networks = [new() { Key = "default", Name = "garden_default" }] },
            Images = ImmutableSortedDictionary<string, ImageIdentity>.Empty.Add("app", new() { Reference = "garden:1", Id = "sha256:1" }),
            CreatedAt = DateTimeOffset.UnixEpoch,
            Deployment = new(9),
        };

        var label = RouteLabel.Write(release, spec)!;
        var told = RouteLabel.Read(Container("blue", 4, named: true, label: label));

        Assert.That(label, Does.Not.Contain("hunter2"));
        Assert.That(told?.Services.Single().BasMalin?.Route?.Hosts, Is.EqualTo(new[] { "garden.example" }));
        Assert.That(told?.Networks.Single().Name, Is.EqualTo("garden_default"));
        Assert.That(RouteLabel.Read(Container("blue", 4, named: true, label: label.Replace("garden.example", "gallow.example", StringComparison.Ordinal))), Is.Null);
        Assert.That(RouteLabel.Read(Container("blue", 4, named: true)), Is.Null);
    }

    private static ObservedContainer Container(string colour, int release, bool named, ContainerState state = ContainerState.Running, string? label = null)
    {
        var labels = ImmutableSortedDictionary<string, string>.Empty
            .Add(Labels.Stack, "garden").Add(Labels.Service, "app").Add(Labels.Colour, colour).Add(Labels.Release, $"{release}").Add(Labels.Kind, "service");
        var addresses = ImmutableSortedDictionary<string, string>.Empty.Add("garden_default", "10.0.0.2");
        return new()
        {
            Id = new($"{colour}{release}"),
            Name = $"garden-app-{colour}-1",
            Labels = label is null ? labels : labels.Add(Labels.Routes, label),
            State = state,
            ImageId = "sha256:1",
            Addresses = named ? addresses.Add("garden_default.app", "10.1.0.2") : addresses,
        };
    }
}
