using System.Net;
using System.Text.Json.Nodes;

namespace Orchestrator.Tests.GardenApp;

/// <summary>The images that docker/prepare.sh builds do what their names say, as locked down as the demo runs them.</summary>
public sealed class ImageTests
{
    private static readonly string[] LockedDown = ["--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--tmpfs", "/tmp"];

    [TestCase("1.0.0")]
    [TestCase("2.0.0")]
    public async Task A_version_is_healthy_and_answers_as_itself(string version)
    {
        await using var container = await StartAsync($"garden:{version}");
        await Backing.HealthyAsync(container.Id);
        using var answer = await container.Client.GetAsync("/version");
        Assert.That((string?)(await RunningGarden.JsonOf(answer))["version"], Is.EqualTo(version));
        await DockerCli.RunAsync("stop", "-t", "10", container.Id);
        Assert.That(await DockerCli.RunAsync("inspect", "--format", "{{.State.ExitCode}}", container.Id), Is.EqualTo("0"));
        Assert.That(await DockerCli.RunAsync("logs", container.Id), Does.Contain("SIGTERM received with 0 requests in flight"));
    }

    [Test]
    public async Task The_image_says_how_to_run_probe_and_stop_it_and_is_not_root()
    {
        await DockerCli.RequireImageAsync("garden:1.0.0");
        var image = JsonNode.Parse(await DockerCli.RunAsync("image", "inspect", "--format", "{{json .Config}}", $"{DockerCli.Registry}/garden:1.0.0"))!;
        Assert.Multiple(() =>
        {
            Assert.That((string?)image["User"], Is.EqualTo("1654:1654"));
            Assert.That((string?)image["StopSignal"], Is.EqualTo("SIGTERM"));
            Assert.That(image["ExposedPorts"]!.AsObject().Select(port => port.Key), Is.EqualTo(new[] { "3000/tcp" }));
            Assert.That(image["Healthcheck"]!["Test"]!.AsArray().Select(word => (string?)word), Is.EqualTo(new[] { "CMD", "GardenApp", "--healthcheck" }));
            Assert.That(image["Cmd"]!.AsArray().Select(word => (string?)word), Is.EqualTo(new[] { "GardenApp" }));
        });
    }

    [Test]
    public async Task The_image_keeps_uploads_on_a_volume_that_its_user_may_write()
    {
        var volume = $"garden-test-{Guid.NewGuid():N}";
        try
        {
            await using var container = await StartAsync("garden:1.0.0", "-v", $"{volume}:/data/uploads");
            using var health = await container.Client.GetAsync("/api/health");
            Assert.That(await health.Content.ReadAsStringAsync(), Does.Contain("MiB free for uploads"));
            var owner = await DockerCli.RunAsync("run", "--rm", "-v", $"{volume}:/v", $"{DockerCli.Registry}/base:bookworm", "stat", "-c", "%u:%g", "/v");
            Assert.That(owner, Is.EqualTo("1654:1654"));
        }
        finally
        {
            await DockerCli.RunAsync("volume", "rm", volume);
        }
    }

    [Test]
    public async Task Exit_at_start_is_baked_in()
    {
        var (exitCode, _, error) = await DockerCli.TryAsync("run", "--rm", $"{DockerCli.Registry}/garden:broken-exit");
        Assert.That(exitCode, Is.EqualTo(42), error);
    }

    [TestCase("broken-never-healthy", HttpStatusCode.ServiceUnavailable, HttpStatusCode.OK)]
    [TestCase("broken-smoke", HttpStatusCode.OK, HttpStatusCode.InternalServerError)]
    public async Task A_broken_version_is_broken_in_its_own_way(string tag, HttpStatusCode health, HttpStatusCode gardens)
    {
        await using var container = await StartAsync($"garden:{tag}");
        Assert.That((await container.StatusAsync("/api/health"), await container.StatusAsync("/api/gardens")), Is.EqualTo((health, gardens)));
    }

    [Test]
    public async Task The_version_that_goes_bad_does_so_under_traffic()
    {
        await using var container = await StartAsync("garden:broken-bake");
        Assert.That((await container.StatusAsync("/api/health"), await container.StatusAsync("/api/gardens")), Is.EqualTo((HttpStatusCode.OK, HttpStatusCode.OK)));
        await Eventually.TrueAsync(async () => await container.StatusAsync("/api/gardens") == HttpStatusCode.InternalServerError, "it has gone bad");
        Assert.That(await container.StatusAsync("/api/health"), Is.EqualTo(HttpStatusCode.ServiceUnavailable));
    }

    private static async Task<Container> StartAsync(string image, params string[] options)
    {
        await DockerCli.RequireImageAsync(image);
        var id = await Backing.RunAsync(image, "3000", [.. LockedDown, .. options]);
        var container = new Container(id, new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{await Backing.PortAsync(id, "3000")}") });
        await Eventually.TrueAsync(async () => await container.StatusAsync("/up") == HttpStatusCode.OK, $"{image} listens");
        return container;
    }

    private sealed record Container(string Id, HttpClient Client) : IAsyncDisposable
    {
        internal async Task<HttpStatusCode?> StatusAsync(string path)
        {
            try
            {
                using var answer = await Client.GetAsync(path);
                return answer.StatusCode;
            }
            catch (HttpRequestException)
            {
                return null;
            }
        }

        public async ValueTask DisposeAsync()
        {
            Client.Dispose();
            await DockerCli.RunAsync("rm", "-f", "-v", Id);
        }
    }
}
