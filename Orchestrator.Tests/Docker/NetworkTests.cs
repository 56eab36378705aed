using Orchestrator.Docker;
using Orchestrator.Stacks;

namespace Orchestrator.Tests.Docker;

public sealed class NetworkTests
{
    private Lab _lab = null!;

    private DockerEngine Engine => _lab.Engine;

    [SetUp]
    public void Open() => _lab = new Lab();

    [TearDown]
    public async Task Close() => await _lab.DisposeAsync();

    [Test]
    public async Task A_network_asked_for_by_many_at_once_is_made_once()
    {
        var name = await _lab.NetworkAsync("front");

        await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => _lab.NetworkAsync("front")));
        await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => _lab.NetworkAsync("back")));

        var names = (await Command.RunAsync("docker", "network", "ls", "--format", "{{.Name}}")).Split('\n');
        Assert.That(names.Count(there => there == name), Is.EqualTo(1));
        Assert.That(names.Count(there => there == $"{_lab.Stack}_back"), Is.EqualTo(1));
    }

    [Test]
    public async Task A_network_is_made_as_it_is_described()
    {
        var name = $"{_lab.Stack}_made";
        var spec = new NetworkSpec
        {
            Key = "made",
            Name = name,
            Internal = true,
            Attachable = true,
            DriverOptions = System.Collections.Immutable.ImmutableSortedDictionary<string, string>.Empty.Add("com.docker.network.bridge.enable_icc", "false"),
            Pools = [new IpamPool("10.213.77.0/24", "10.213.77.1", "10.213.77.128/25")],
        };
        await Engine.EnsureNetworkAsync(new NetworkRequest(spec, _lab.Labels), CancellationToken.None);
        try
        {
            var seen = await Command.RunAsync("docker", "network", "inspect", "--format", "{{.Driver}} {{.Internal}} {{.Attachable}} {{.Options}} {{json .IPAM.Config}} {{index .Labels \"basmalin.stack\"}}", name);
            Assert.That(seen, Is.EqualTo(
                $"bridge true true map[com.docker.network.bridge.enable_icc:false] [{{\"Subnet\":\"10.213.77.0/24\",\"IPRange\":\"10.213.77.128/25\",\"Gateway\":\"10.213.77.1\"}}] {_lab.Stack}"));
        }
        finally
        {
            await Engine.RemoveNetworkAsync(name, CancellationToken.None);
        }
    }

    [Test]
    public async Task Removing_a_network_twice_is_success_and_one_in_use_is_a_conflict()
    {
        var network = await _lab.NetworkAsync("used");
        var id = await _lab.RunAsync(_lab.Request("user") with { Networks = [new NetworkJoin(network, [])] });

        Assert.That((await Lab.FailureAsync(() => Engine.RemoveNetworkAsync(network, CancellationToken.None))).Fault, Is.EqualTo(EngineFault.Conflict));

        await Engine.RemoveAsync(id, TimeSpan.Zero, CancellationToken.None);
        await Engine.RemoveNetworkAsync(network, CancellationToken.None);
        await Engine.RemoveNetworkAsync(network, CancellationToken.None);
    }

    [Test]
    public async Task A_network_that_somebody_else_made_is_found_and_never_removed()
    {
        var name = $"{_lab.Stack}_foreign";
        await Command.RunAsync("docker", "network", "create", name);
        try
        {
            await Engine.EnsureNetworkAsync(new NetworkRequest(new NetworkSpec { Key = "foreign", Name = name, External = true }, _lab.Labels), CancellationToken.None);
            await Engine.RemoveNetworkAsync(name, CancellationToken.None);

            Assert.That((await Command.RunAsync("docker", "network", "ls", "--format", "{{.Name}}")).Split('\n'), Does.Contain(name));
        }
        finally
        {
            await Command.RunAsync("docker", "network", "rm", name);
        }
    }

    [Test]
    public async Task An_external_network_that_is_not_there_is_not_found()
    {
        var request = new NetworkRequest(new NetworkSpec { Key = "outside", Name = $"{_lab.Stack}_outside", External = true }, _lab.Labels);

        var thrown = await Lab.FailureAsync(() => Engine.EnsureNetworkAsync(request, CancellationToken.None));

        Assert.That(thrown.Fault, Is.EqualTo(EngineFault.NotFound));
        Assert.That(thrown.Message, Does.Contain("external"));
    }

    [Test]
    public async Task Peers_reach_a_container_by_its_names_on_every_network_from_its_start()
    {
        var (front, back) = (await _lab.NetworkAsync("front"), await _lab.NetworkAsync("back"));
        var server = await ServeAsync(new NetworkJoin(front, ["web", "www"]), new NetworkJoin(back, ["api"]));
        var outside = await _lab.RunAsync(_lab.Request("outside") with { Networks = [new NetworkJoin(front, [])] });
        var inside = await _lab.RunAsync(_lab.Request("inside") with { Networks = [new NetworkJoin(back, [])] });

        Assert.Multiple(async () =>
        {
            Assert.That(await AskAsync(outside, "web"), Is.EqualTo("hello\n"));
            Assert.That(await AskAsync(outside, "www"), Is.EqualTo("hello\n"));
            Assert.That(await AskAsync(inside, "api"), Is.EqualTo("hello\n"));
            Assert.That((await Engine.ExecAsync(inside, ["nslookup", "web"], null, CancellationToken.None)).ExitCode, Is.Not.Zero);
            Assert.That((await Engine.InspectAsync(server, CancellationToken.None))!.Addresses.Keys, Is.EquivalentTo((string[])[front, back]));
        });
    }

    [Test]
    public async Task A_running_container_takes_and_gives_up_a_name_without_a_restart()
    {
        var network = await _lab.NetworkAsync("live");
        var server = await ServeAsync();
        var client = await _lab.RunAsync(_lab.Request("client") with { Networks = [new NetworkJoin(network, [])] });

        await Engine.AttachAsync(server, network, ["app"], CancellationToken.None);
        await Engine.AttachAsync(server, network, ["app"], CancellationToken.None);
        Assert.That(await AskAsync(client, "app"), Is.EqualTo("hello\n"));

        await Engine.DetachAsync(server, network, CancellationToken.None);
        await Engine.DetachAsync(server, network, CancellationToken.None);
        Assert.That((await Engine.ExecAsync(client, ["nslookup", "app"], null, CancellationToken.None)).ExitCode, Is.Not.Zero);

        await Engine.AttachAsync(server, network, ["app", "other"], CancellationToken.None);
        Assert.That(await AskAsync(client, "other"), Is.EqualTo("hello\n"));
        Assert.That((await Engine.InspectAsync(server, CancellationToken.None))!.RestartCount, Is.Zero);
    }

    [Test]
    public async Task Other_names_on_a_network_that_it_is_on_are_a_conflict_that_says_both()
    {
        var network = await _lab.NetworkAsync("names");
        var id = await _lab.RunAsync(_lab.Request("named") with { Networks = [new NetworkJoin(network, ["blue"])] });

        var thrown = await Lab.FailureAsync(() => Engine.AttachAsync(id, network, ["green"], CancellationToken.None));

        Assert.That(thrown.Fault, Is.EqualTo(EngineFault.Conflict));
        Assert.That(thrown.Message, Does.Contain("[green]").And.Contain("[blue]").And.Contain("detach"));
    }

    [Test]
    public async Task What_is_gone_can_be_detached_and_a_network_that_is_not_there_cannot_be_attached_to()
    {
        var id = await Engine.CreateAsync(_lab.Request("lonely"), CancellationToken.None);

        Assert.That((await Lab.FailureAsync(() => Engine.AttachAsync(id, $"{_lab.Stack}_none", ["x"], CancellationToken.None))).Fault, Is.EqualTo(EngineFault.NotFound));

        await Engine.DetachAsync(id, $"{_lab.Stack}_none", CancellationToken.None);
        await Engine.RemoveAsync(id, TimeSpan.Zero, CancellationToken.None);
        await Engine.DetachAsync(id, $"{_lab.Stack}_none", CancellationToken.None);
    }

    [Test]
    public async Task A_creation_that_broke_off_between_its_networks_is_completed_by_its_repetition()
    {
        var (front, back) = (await _lab.NetworkAsync("front"), await _lab.NetworkAsync("back"));
        var request = _lab.Request("half") with { Networks = [new NetworkJoin(front, ["a"]), new NetworkJoin(back, ["b"])] };
        var id = await Engine.CreateAsync(request, CancellationToken.None);
        // As if the second join had never come.
        await Engine.DetachAsync(id, back, CancellationToken.None);

        Assert.That(await Engine.CreateAsync(request, CancellationToken.None), Is.EqualTo(id));
        await Engine.StartAsync(id, CancellationToken.None);

        Assert.That((await Engine.InspectAsync(id, CancellationToken.None))!.Addresses.Keys, Is.EquivalentTo((string[])[front, back]));
    }

    private async Task<ContainerId> ServeAsync(params NetworkJoin[] networks)
    {
        // The program goes to the background only when it listens.
        var request = _lab.Request("server", null, "sh", "-c", "echo hello > /tmp/index.html; httpd -p 8080 -h /tmp && echo ready; exec sleep 600");
        var id = await _lab.RunAsync(request with { Networks = [.. networks] });
        await _lab.UntilItSaysAsync(id, "ready");
        return id;
    }

    private async Task<string> AskAsync(ContainerId client, string host) =>
        (await Engine.ExecAsync(client, ["wget", "-q", "-O", "-", $"http://{host}:8080/"], null, CancellationToken.None)).Output;
}
