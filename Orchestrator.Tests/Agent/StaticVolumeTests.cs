using System.Net;
using System.Net.Http.Headers;
using Orchestrator.Tests.Engine;

namespace Orchestrator.Tests.Agent;

/// <summary>The files of a real volume, served by a real daemon beside the application that owns them.</summary>
public sealed class StaticVolumeTests
{
    private readonly string _name = TestDaemon.NewName();

    [TearDown]
    public Task CleanUpAsync() => TestDaemon.RemoveStackAsync(_name);

    [Test]
    public async Task Uploads_are_served_from_their_volume_across_a_deployment_and_a_restart_of_the_daemon()
    {
        await using var daemon = await RunningDaemon.StartAsync();
        await daemon.ApplyAsync(Compose("1.0.0"));
        var volume = (await TestDaemon.DockerAsync($"volume inspect --format {{{{.Mountpoint}}}} {_name}_uploads")).Trim();
        await File.WriteAllTextAsync(Path.Combine(volume, "photo.txt"), "0123456789");

        var first = await SeenAsync(daemon);
        await daemon.SucceedAsync("deploy", _name, "--image", $"app={Garden.Image("2.0.0")}");
        var second = await SeenAsync(daemon);
        await daemon.RestartAsync();
        var third = await SeenAsync(daemon);

        Assert.That(first, Is.EqualTo(("0123456789", HttpStatusCode.PartialContent, "345", HttpStatusCode.NotModified, HttpStatusCode.NotFound)));
        Assert.That((second, third), Is.EqualTo((first, first)), "the file, a part of it, whether it has changed, and one that is not there");
    }

    private static async Task<(string Whole, HttpStatusCode PartStatus, string Part, HttpStatusCode Again, HttpStatusCode Missing)> SeenAsync(RunningDaemon daemon)
    {
        using var client = new HttpClient { BaseAddress = daemon.Edge };
        using var whole = await client.GetAsync("/uploads/photo.txt");
        using var ranged = new HttpRequestMessage(HttpMethod.Get, "/uploads/photo.txt") { Headers = { Range = new RangeHeaderValue(3, 5) } };
        using var part = await client.SendAsync(ranged);
        using var conditional = new HttpRequestMessage(HttpMethod.Get, "/uploads/photo.txt") { Headers = { IfNoneMatch = { whole.Headers.ETag! } } };
        using var again = await client.SendAsync(conditional);
        using var missing = await client.GetAsync("/uploads/nothing.txt");
        return (await whole.Content.ReadAsStringAsync(), part.StatusCode, await part.Content.ReadAsStringAsync(), again.StatusCode, missing.StatusCode);
    }

    private string Compose(string tag) => Garden.Light(_name, tag, "'*'", "volumes: [ \"uploads:/uploads\" ]", tail: "volumes:\n  uploads: {}")
        .Replace("port: 3000 }", "port: 3000, static: [ { path: /uploads, volume: uploads, fallback: false } ] }", StringComparison.Ordinal);
}
