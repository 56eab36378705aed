using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using Orchestrator.Deployments;
using Orchestrator.Docker;
using Colour = Orchestrator.Stacks.Colour;

namespace Orchestrator.Tests.Engine;

/// <summary>What a stack is made of, on a real engine.</summary>
internal sealed class StackTests
{
    [Test]
    public async Task A_file_without_x_basmalin_runs_as_docker_compose_would_and_the_plan_says_what_would_make_it_blue_green()
    {
        await using var daemon = await TestDaemon.StartAsync();
        var name = TestDaemon.NewName();
        var port = FreePort();
        var yaml = $$"""
            name: {{name}}
            services:
              app: { image: "{{Garden.Image("1.0.0")}}", ports: ["127.0.0.1:{{port}}:3000"], environment: { DATABASE_URL: "postgres://a:b@127.0.0.1:1/c", REDIS_URL: "redis://127.0.0.1:1" } }
            """;

        var plan = await daemon.Deployments.PlanAsync(daemon.Request(yaml), CancellationToken.None);
        Assert.That(plan.Plan?.Notes, Has.Some.Contains("route: { port: 3000 }"));
        Assert.That(await daemon.ContainersAsync(name), Is.Empty, "a plan does nothing");

        var applied = await daemon.ApplyAsync(yaml);
        Assert.That(applied.State, Is.EqualTo(DeploymentState.Succeeded), applied.Failure?.ToString());
        Assert.That((await daemon.ContainersAsync(name)).Select(seen => (seen.Name, seen.Colour)), Is.EqualTo(new[] { ($"{name}-app-1", (Colour?)null) }));

        var again = await daemon.ApplyAsync(yaml);
        Assert.That((again.State, again.Release, again.Plan?.NothingToDo), Is.EqualTo((DeploymentState.Succeeded, 1, true)));
    }

    [Test]
    public async Task A_published_port_of_a_routed_service_is_served_by_the_proxy_through_a_switch_and_a_restart_of_the_daemon()
    {
        await using var daemon = await TestDaemon.StartAsync();
        var name = TestDaemon.NewName();
        var port = FreePort();
        var yaml = Garden.Light(name, "1.0.0", "unused.example", $"ports: [\"127.0.0.1:{port}:3000\"]").Replace("hosts: [unused.example], ", "", StringComparison.Ordinal);
        Assert.That((await daemon.ApplyAsync(yaml)).State, Is.EqualTo(DeploymentState.Succeeded));
        Assert.That(await VersionAtAsync(port), Is.EqualTo("1.0.0"));

        Assert.That((await daemon.DeployAsync(name, "app", Garden.Image("2.0.0"))).State, Is.EqualTo(DeploymentState.Succeeded));
        Assert.That(await VersionAtAsync(port), Is.EqualTo("2.0.0"));

        await daemon.RestartAsync();
        Assert.That(await VersionAtAsync(port), Is.EqualTo("2.0.0"));
    }

    [Test]
    public async Task Peers_find_the_live_colour_under_the_service_name_and_no_other()
    {
        await using var daemon = await TestDaemon.StartAsync();
        var name = TestDaemon.NewName();
        var peer = $"  peer:\n    image: {Garden.Registry}/redis:7\n    stop_grace_period: 1s";
        Assert.That((await daemon.ApplyAsync(Garden.Light(name, "1.0.0", $"{name}.example", tail: peer))).State, Is.EqualTo(DeploymentState.Succeeded));
        Assert.That(await FoundBy(daemon, name), Is.EqualTo(await NamesOf(daemon, name, Colour.Blue)));

        Assert.That((await daemon.DeployAsync(name, "app", Garden.Image("2.0.0"))).State, Is.EqualTo(DeploymentState.Succeeded));
        Assert.That(await FoundBy(daemon, name), Is.EqualTo(await NamesOf(daemon, name, Colour.Green)), "the warm colour has left its name");

        Assert.That((await daemon.RollbackAsync(name)).State, Is.EqualTo(DeploymentState.Succeeded));
        Assert.That(await FoundBy(daemon, name), Is.EqualTo(await NamesOf(daemon, name, Colour.Blue)));
    }

    [Test]
    public async Task Another_content_of_a_configuration_reaches_the_service_that_has_it_and_the_way_back_brings_the_old_one()
    {
        await using var daemon = await TestDaemon.StartAsync();
        var name = TestDaemon.NewName();
        string File(string content) => $$"""
            name: {{name}}
            services:
              reader: { image: "{{Garden.Registry}}/redis:7", configs: [greeting], stop_grace_period: 1s }
              other: { image: "{{Garden.Registry}}/redis:7", stop_grace_period: 1s }
            configs: { greeting: { content: "{{content}}" } }
            """;

        Assert.That((await daemon.ApplyAsync(File("hello"))).State, Is.EqualTo(DeploymentState.Succeeded));
        var other = (await daemon.ContainersAsync(name)).Single(seen => seen.Service == "other").Id;
        Assert.That(await ReadAsync(daemon, name), Is.EqualTo("hello"));

        var again = await daemon.ApplyAsync(File("good day"));
        Assert.That(again.Plan?.Find("reader")?.Reasons, Is.EqualTo(new[] { "configs.greeting changed" }));
        Assert.That(await ReadAsync(daemon, name), Is.EqualTo("good day"));
        Assert.That((await daemon.ContainersAsync(name)).Single(seen => seen.Service == "other").Id, Is.EqualTo(other), "nothing of it changed");

        Assert.That((await daemon.RollbackAsync(name)).State, Is.EqualTo(DeploymentState.Succeeded));
        Assert.That(await ReadAsync(daemon, name), Is.EqualTo("hello"));
    }

    [Test]
    public async Task A_removed_stack_lets_its_requests_end_is_gone_and_comes_back_with_its_data()
    {
        await using var daemon = await TestDaemon.StartAsync();
        var name = TestDaemon.NewName();
        var host = $"{name}.example";
        var tail = $"  store:\n    image: {Garden.Registry}/redis:7\n    volumes: [\"data:/data\"]\n    stop_grace_period: 2s\nvolumes: {{ data: {{}} }}";
        var applied = await daemon.ApplyAsync(Garden.Light(name, "1.0.0", host, tail: tail));
        Assert.That(applied.State, Is.EqualTo(DeploymentState.Succeeded), applied.Failure?.ToString());
        var store = (await daemon.ContainersAsync(name)).Single(seen => seen.Service == "store");
        await daemon.Engine.ExecAsync(store.Id, ["sh", "-c", "until redis-cli set kept yes; do sleep 0.1; done; redis-cli save"], null, CancellationToken.None);

        var removed = await daemon.EndsAsync(new() { Stack = name, Kind = DeploymentKind.Remove });
        Assert.That((removed.State, removed.Requests.Failed), Is.EqualTo((DeploymentState.Succeeded, 0L)), removed.Failure?.ToString());
        Assert.That((await daemon.GetAsync(host, "/version")).Status, Is.EqualTo(HttpStatusCode.NotFound), "no route leads there any more");
        var again = await daemon.EndsAsync(new() { Stack = name, Kind = DeploymentKind.Remove });
        Assert.That((again.State, again.Plan?.NothingToDo), Is.EqualTo((DeploymentState.Succeeded, true)), "there is nothing left to take away");
        Assert.That(await daemon.ContainersAsync(name), Is.Empty, "swept before the next deployment began");

        var deployed = await daemon.DeployAsync(name, "app", Garden.Image("2.0.0"));
        Assert.That(deployed.Failure?.Hint, Does.Contain("It was removed"));

        Assert.That((await daemon.RollbackAsync(name)).State, Is.EqualTo(DeploymentState.Succeeded));
        Assert.That((await daemon.GetAsync(host, "/version")).Version, Is.EqualTo("1.0.0"));
        store = (await daemon.ContainersAsync(name)).Single(seen => seen.Service == "store");
        var kept = await daemon.Engine.ExecAsync(store.Id, ["sh", "-c", "until redis-cli ping >/dev/null; do sleep 0.1; done; redis-cli get kept"], null, CancellationToken.None);
        Assert.That(kept.Output.Trim(), Is.EqualTo("yes"));
    }

    private static async Task<string> ReadAsync(TestDaemon daemon, string stack)
    {
        var reader = (await daemon.ContainersAsync(stack)).Single(seen => seen.Service == "reader");
        return (await daemon.Engine.ExecAsync(reader.Id, ["cat", "/greeting"], null, CancellationToken.None)).Output.Trim();
    }

    [Test]
    public async Task Only_what_changed_is_touched_and_data_survives_its_service()
    {
        await using var daemon = await TestDaemon.StartAsync();
        var name = TestDaemon.NewName();
        string File(string user) => $$"""
            name: {{name}}
            services:
              store: { image: "{{Garden.Registry}}/redis:7", volumes: ["data:/data"], stop_grace_period: 2s{{user}} }
              other: { image: "{{Garden.Registry}}/redis:7", stop_grace_period: 1s }
            volumes: { data: {} }
            """;
        Assert.That((await daemon.ApplyAsync(File(""))).State, Is.EqualTo(DeploymentState.Succeeded));
        var before = await daemon.ContainersAsync(name);
        var store = before.Single(seen => seen.Service == "store");
        await daemon.Engine.ExecAsync(store.Id, ["sh", "-c", "until redis-cli set kept yes; do sleep 0.1; done; redis-cli save"], null, CancellationToken.None);

        var changed = await daemon.ApplyAsync(File(", environment: { A: b }"));

        Assert.That(changed.State, Is.EqualTo(DeploymentState.Succeeded), changed.Failure?.ToString());
        var after = await daemon.ContainersAsync(name);
        Assert.That(after.Single(seen => seen.Service == "other").Id, Is.EqualTo(before.Single(seen => seen.Service == "other").Id));
        Assert.That(after.Single(seen => seen.Service == "store").Id, Is.Not.EqualTo(store.Id));
        var read = await daemon.Engine.ExecAsync(after.Single(seen => seen.Service == "store").Id, ["sh", "-c", "until redis-cli ping >/dev/null; do sleep 0.1; done; redis-cli get kept"], null, CancellationToken.None);
        Assert.That(read.Output, Does.Contain("yes"));
    }

    [Test]
    public async Task A_deployment_can_be_cancelled_until_its_commit_and_the_old_version_goes_on()
    {
        await using var daemon = await TestDaemon.StartAsync();
        var name = TestDaemon.NewName();
        var host = $"{name}.example";
        Assert.That((await daemon.ApplyAsync(Garden.Light(name, "1.0.0", host))).State, Is.EqualTo(DeploymentState.Succeeded));

        var slow = await daemon.SubmitAsync(new() { Stack = name, Kind = DeploymentKind.Deploy, Images = Image("broken-slow") });
        await daemon.ReachesAsync(slow, StepKind.Gate);
        Assert.That(await daemon.Deployments.CancelAsync(slow, CancellationToken.None), Is.EqualTo(CancelOutcome.Accepted));

        Assert.That((await daemon.EndAsync(slow)).State, Is.EqualTo(DeploymentState.Cancelled));
        Assert.That(await daemon.Deployments.CancelAsync(slow, CancellationToken.None), Is.EqualTo(CancelOutcome.AlreadyEnded));
        Assert.That((await daemon.GetAsync(host, "/version")).Version, Is.EqualTo("1.0.0"));
        Assert.That((await daemon.ContainersAsync(name)).Select(seen => seen.Release), Is.All.EqualTo(1));
    }

    [Test]
    public async Task The_newest_request_takes_the_place_of_those_that_wait_and_a_known_key_is_the_same_deployment()
    {
        await using var daemon = await TestDaemon.StartAsync();
        var name = TestDaemon.NewName();
        var host = $"{name}.example";
        Assert.That((await daemon.ApplyAsync(Garden.Light(name, "1.0.0", host))).State, Is.EqualTo(DeploymentState.Succeeded));

        var running = await daemon.SubmitAsync(new() { Stack = name, Kind = DeploymentKind.Deploy, Images = Image("2.0.0") });
        await daemon.ReachesAsync(running, StepKind.Start);
        var waiting = await daemon.Deployments.SubmitAsync(new() { Stack = name, Kind = DeploymentKind.Deploy, Images = Image("broken-exit") }, "key", CancellationToken.None);
        var known = await daemon.Deployments.SubmitAsync(new() { Stack = name, Kind = DeploymentKind.Deploy, Images = Image("broken-exit") }, "key", CancellationToken.None);
        var newest = await daemon.SubmitAsync(new() { Stack = name, Kind = DeploymentKind.Deploy, Images = Image("1.0.0") });

        Assert.That((known.Known, known.Deployment.Id), Is.EqualTo((true, waiting.Deployment.Id)));
        Assert.That((await daemon.EndAsync(running)).State, Is.EqualTo(DeploymentState.Succeeded));
        Assert.That((await daemon.EndAsync(newest)).State, Is.EqualTo(DeploymentState.Succeeded));
        Assert.That((await daemon.EndAsync(waiting.Deployment.Id)).State, Is.EqualTo(DeploymentState.Superseded));
        Assert.That((await daemon.GetAsync(host, "/version")).Version, Is.EqualTo("1.0.0"));
    }

    [Test]
    public async Task A_route_that_another_stack_has_and_a_port_that_another_program_has_are_refused_with_their_owner()
    {
        await using var daemon = await TestDaemon.StartAsync();
        var (one, two, host) = (TestDaemon.NewName(), TestDaemon.NewName(), "shared.example");
        Assert.That((await daemon.ApplyAsync(Garden.Light(one, "1.0.0", host))).State, Is.EqualTo(DeploymentState.Succeeded));

        var conflict = await daemon.ApplyAsync(Garden.Light(two, "2.0.0", host));
        Assert.That((conflict.State, conflict.Failure?.Reason), Is.EqualTo((DeploymentState.Failed, FailureReason.RouteConflict)));
        Assert.That(conflict.Failure?.Detail, Does.Contain(one));
        Assert.That(await daemon.ContainersAsync(two), Is.Empty);

        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port;
        var refused = await daemon.ApplyAsync(Garden.Light(one, "2.0.0", host, $"ports: [\"127.0.0.1:{port}:3000\"]"));
        Assert.That((refused.State, refused.Failure?.Reason), Is.EqualTo((DeploymentState.Failed, FailureReason.PortInUse)), refused.Failure?.ToString());
        Assert.That((await daemon.GetAsync(host, "/version")).Version, Is.EqualTo("1.0.0"));
    }

    [Test]
    public async Task Releases_beyond_those_that_are_kept_are_forgotten_with_their_containers()
    {
        await using var daemon = await TestDaemon.StartAsync(new() { DiskFloorRatio = 0, DiskFloorBytes = 1, KeepReleases = 1 });
        var name = TestDaemon.NewName();
        var host = $"{name}.example";
        for (var value = 1; value <= 4; value++)
        {
            var applied = await daemon.ApplyAsync(Garden.Light(name, "1.0.0", host, $"  ROUND: \"{value}\""));
            Assert.That(applied.State, Is.EqualTo(DeploymentState.Succeeded), applied.Failure?.ToString());
        }

        await daemon.CleanAsync(name);
        Assert.That((await daemon.Journal.ListReleasesAsync(name, CancellationToken.None)).Select(release => release.Number), Is.EqualTo(new[] { 4, 3 }));
        Assert.That((await daemon.ContainersAsync(name)).Select(seen => seen.Release).Order(), Is.EqualTo(new[] { 3, 4 }), "live and warm");
        Assert.That(await daemon.Engine.FindImageAsync(Garden.Image("1.0.0"), CancellationToken.None), Is.Not.Null, "its image is still needed");
    }

    [Test]
    public async Task The_image_of_a_forgotten_release_goes_when_it_can_be_had_again_and_stays_when_somebody_built_it_here()
    {
        await using var daemon = await TestDaemon.StartAsync(new() { DiskFloorRatio = 0, DiskFloorBytes = 1, KeepReleases = 1 });
        var (name, context) = (TestDaemon.NewName(), Directory.CreateTempSubdirectory("basmalin-images-"));
        var (theirs, ours) = (new List<string>(), new List<string>());
        try
        {
            for (var round = 1; round <= 3; round++)
            {
                var file = Path.Combine(context.FullName, "Dockerfile");
                await File.WriteAllTextAsync(file, $"FROM {Garden.Image("1.0.0")}\nENV WHOSE=theirs ROUND={name}-{round}\n");
                await TestDaemon.DockerAsync($"build -q -t basmalin-test/{name}:{round} {context.FullName}");
                await File.WriteAllTextAsync(file, $"FROM {Garden.Image("1.0.0")}\nENV WHOSE=ours ROUND={name}-{round}\n");
                var applied = await daemon.ApplyAsync($$"""
                    name: {{name}}
                    services:
                      theirs: { image: "basmalin-test/{{name}}:{{round}}", pull_policy: never, environment: { LIGHT: "1" }, stop_grace_period: 1s }
                      ours: { image: "basmalin-test/{{name}}:ours", build: { context: "{{context.FullName}}" }, environment: { LIGHT: "1" }, stop_grace_period: 1s }
                    """);
                Assert.That(applied.State, Is.EqualTo(DeploymentState.Succeeded), applied.Failure?.ToString());
                var images = (await daemon.Journal.ListReleasesAsync(name, CancellationToken.None)).Single(release => release.Number == round).Images;
                theirs.Add(images["theirs"].Id);
                ours.Add(images["ours"].Id);
            }

            await daemon.CleanAsync(name);

            Assert.That((await daemon.Journal.ListReleasesAsync(name, CancellationToken.None)).Select(release => release.Number), Is.EqualTo(new[] { 3, 2 }));
            Assert.That(await Task.WhenAll(ours.Select(IsHereAsync)), Is.EqualTo(new[] { false, true, true }), "it can be built again");
            Assert.That(await Task.WhenAll(theirs.Select(IsHereAsync)), Is.EqualTo(new[] { true, true, true }), "nobody could fetch it again");
        }
        finally
        {
            context.Delete(recursive: true);
            await TestDaemon.RemoveStackAsync(name);
            foreach (var image in theirs.Concat(ours)) await daemon.Engine.RemoveImageAsync(image, CancellationToken.None);
        }

        async Task<bool> IsHereAsync(string image) => await daemon.Engine.FindImageAsync(image, CancellationToken.None) is not null;
    }

    [Test]
    public async Task A_stored_secret_is_a_file_in_the_container_and_a_missing_one_is_refused_before_anything_starts()
    {
        await using var daemon = await TestDaemon.StartAsync();
        var name = TestDaemon.NewName();
        var yaml = $$"""
            name: {{name}}
            services:
              store: { image: "{{Garden.Registry}}/redis:7", secrets: [password], stop_grace_period: 1s }
            secrets: { password: { external: true } }
            """;
        var missing = await daemon.ApplyAsync(yaml);
        Assert.That((missing.State, missing.Failure?.Reason), Is.EqualTo((DeploymentState.Failed, FailureReason.SecretMissing)), missing.Failure?.ToString());
        Assert.That(await daemon.ContainersAsync(name), Is.Empty);

        await daemon.SetSecretAsync(name, "password", "hunter2");
        var applied = await daemon.ApplyAsync(yaml);
        Assert.That(applied.State, Is.EqualTo(DeploymentState.Succeeded), applied.Failure?.ToString());
        var read = await daemon.Engine.ExecAsync((await daemon.ContainersAsync(name)).Single().Id, ["cat", "/run/secrets/password"], null, CancellationToken.None);
        Assert.That(read.Output, Does.Contain("hunter2"));
    }

    [Test]
    public async Task A_deployment_that_was_under_way_when_the_daemon_stopped_is_carried_on()
    {
        await using var daemon = await TestDaemon.StartAsync();
        var name = TestDaemon.NewName();
        var host = $"{name}.example";
        Assert.That((await daemon.ApplyAsync(Garden.Light(name, "1.0.0", host))).State, Is.EqualTo(DeploymentState.Succeeded));

        var before = await daemon.SubmitAsync(new() { Stack = name, Kind = DeploymentKind.Deploy, Images = Image("2.0.0") });
        await daemon.ReachesAsync(before, StepKind.Gate);
        await daemon.RestartAsync();
        Assert.That((await daemon.EndAsync(before)).State, Is.EqualTo(DeploymentState.Succeeded), "before the shift: undone and run again");
        Assert.That((await daemon.GetAsync(host, "/version")).Version, Is.EqualTo("2.0.0"));

        var after = await daemon.SubmitAsync(new() { Stack = name, Kind = DeploymentKind.Deploy, Images = Image("1.0.0") });
        await daemon.ReachesAsync(after, StepKind.Bake);
        await daemon.RestartAsync();
        Assert.That((await daemon.EndAsync(after)).State, Is.EqualTo(DeploymentState.Succeeded), "after the shift: carried on");
        Assert.That((await daemon.GetAsync(host, "/version")).Version, Is.EqualTo("1.0.0"));
        Assert.That((await daemon.ContainersAsync(name)).Count(seen => seen.State == ContainerState.Running), Is.EqualTo(2), "live and warm, nothing else");
    }

    [Test]
    public async Task A_replica_that_is_killed_leaves_the_rotation_and_comes_back()
    {
        await using var daemon = await TestDaemon.StartAsync();
        var name = TestDaemon.NewName();
        var host = $"{name}.example";
        Assert.That((await daemon.ApplyAsync(Garden.Light(name, "1.0.0", host, "restart: always", replicas: 2))).State, Is.EqualTo(DeploymentState.Succeeded));
        var victim = (await daemon.ContainersAsync(name))[0];

        await TestDaemon.DockerAsync($"kill --signal KILL {victim.Id.Value}");
        for (var request = 0; request < 50; request++) Assert.That((await daemon.GetAsync(host, "/version")).Status, Is.EqualTo(HttpStatusCode.OK));
    }

    private static ImmutableSortedDictionary<string, string> Image(string tag) => ImmutableSortedDictionary<string, string>.Empty.Add("app", Garden.Image(tag));

    private static async Task<IEnumerable<string>> FoundBy(TestDaemon daemon, string stack)
    {
        var peer = (await daemon.ContainersAsync(stack)).Single(seen => seen.Service == "peer");
        var found = await daemon.Engine.ExecAsync(peer.Id, ["getent", "ahostsv4", "app"], null, CancellationToken.None);
        return found.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split(' ')[0]).Distinct().Order();
    }

    private static async Task<IEnumerable<string>> NamesOf(TestDaemon daemon, string stack, Colour colour) =>
        (await daemon.ContainersAsync(stack)).Where(seen => seen.Colour == colour).SelectMany(seen => seen.Addresses).Where(pair => pair.Key.EndsWith(".app", StringComparison.Ordinal)).Select(pair => pair.Value).Order();

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private static async Task<string> VersionAtAsync(int port)
    {
        using var client = new HttpClient();
        using var answer = await client.GetAsync(new Uri($"http://127.0.0.1:{port}/version"));
        return answer.Headers.GetValues("X-Garden-Version").First();
    }
}
