using Orchestrator.Tests.Engine;

namespace Orchestrator.Tests.Faults;

/// <summary>After a reboot of the host nothing is where it was: addresses are looked up again, and nobody gets to another application.</summary>
internal sealed class RebootTests
{
    [Test]
    public async Task Two_stacks_whose_addresses_are_swapped_while_the_daemon_is_away_are_not_mixed_up()
    {
        await using var stage = await FaultStage.OpenAsync();
        var network = $"{stage.Stack}_shared";
        await TestDaemon.DockerAsync($"network create {network} --subnet 10.213.{Random.Shared.Next(1, 250)}.0/24");
        try
        {
            await ApplyAsync(stage, network, "ok-1");
            var (first, firstHost) = (stage.Stack, stage.Host);
            stage.NewStack();
            await ApplyAsync(stage, network, "ok-2");
            Assert.That(await VersionsAsync(stage, firstHost), Is.EqualTo(("1", "2")));

            await stage.KillAsync();
            await SwapAsync(network, first, stage.Stack);
            await stage.StartAsync();

            Assert.That(await VersionsAsync(stage, firstHost), Is.EqualTo(("1", "2")), "the addresses are looked up again");
            Assert.That(stage.Users.Seen.Where(visit => visit is { Status: 200 }).Select(visit => visit.Version).Distinct(), Is.SubsetOf(new[] { "1", "2" }));
        }
        finally
        {
            foreach (var id in (await TestDaemon.DockerAsync($"ps -aq --filter network={network}")).Split('\n', StringSplitOptions.RemoveEmptyEntries)) await TestDaemon.DockerAsync($"rm -f {id}");
            await TestDaemon.DockerAsync($"network rm {network}");
        }
    }

    [Test]
    public async Task Requests_wait_for_an_application_that_comes_up_after_the_daemon()
    {
        await using var stage = await FaultStage.OpenAsync();
        await FaultKind.StandingAsync(stage);
        var app = (await stage.SceneAsync()).App.Single().Split(' ')[0];
        await stage.KillAsync();
        await TestDaemon.DockerAsync($"stop -t 1 {app}");

        await stage.StartAsync();
        var asked = TimeProvider.System.GetUtcNow();
        var waiting = stage.SceneAsync();                           // a request among it, which is held
        await TestDaemon.DockerAsync($"start {app}");

        Assert.That((await waiting).Version, Is.EqualTo("1"));
        await stage.UntilAsync("those who came meanwhile have been answered", () => Task.FromResult(stage.Users.Seen.Any(visit => visit.Came > asked && visit.Status == 200)));
        Assert.That(stage.Lost(), Is.Empty);
    }

    private static async Task ApplyAsync(FaultStage stage, string network, string tag)
    {
        var yaml = $"""
            name: {stage.Stack}
            services:
              app:
                image: {FaultImages.Name(tag)}
                pull_policy: never
                stop_grace_period: 1s
                networks: [ shared ]
                x-basmalin:
                  route: {"{"} hosts: [{stage.Host}], port: 3000 {"}"}
                  gate: {"{"} http: /up, interval: 50ms, timeout: 1s, successes: 2, stable: 0s, deadline: 20s {"}"}
                  bake: {"{"} for: 100ms {"}"}
            networks:
              shared: {"{"} external: true, name: {network} {"}"}
            """;
        await stage.SubmitAsync(HttpMethod.Post, $"stacks?directory={stage.Directory}", yaml);
        await FaultKind.SucceededAsync(stage);
    }

    private static async Task<(string?, string?)> VersionsAsync(FaultStage stage, string first) => (await stage.VersionAsync(first), await stage.VersionAsync(stage.Host));

    private static async Task SwapAsync(string network, string first, string second)
    {
        var (one, other) = (await IdAsync(first), await IdAsync(second));
        var (here, there) = (await AddressAsync(network, one), await AddressAsync(network, other));
        await TestDaemon.DockerAsync($"network disconnect {network} {one}");
        await TestDaemon.DockerAsync($"network disconnect {network} {other}");
        await TestDaemon.DockerAsync($"network connect --ip {there} {network} {one}");
        await TestDaemon.DockerAsync($"network connect --ip {here} {network} {other}");
        Assert.That((await AddressAsync(network, one), await AddressAsync(network, other)), Is.EqualTo((there, here)));
    }

    private static async Task<string> IdAsync(string stack) => (await TestDaemon.DockerAsync($"ps -q --filter label=basmalin.stack={stack}")).Trim();

    private static async Task<string> AddressAsync(string network, string id) =>
        (await TestDaemon.DockerAsync($"inspect -f \"{{{{(index .NetworkSettings.Networks \\\"{network}\\\").IPAddress}}}}\" {id}")).Trim();
}
