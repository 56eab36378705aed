using System.Net;
using Orchestrator.Deployments;

namespace Orchestrator.Tests.Engine;

/// <summary>What people see who may choose the colour, through a deployment, its end and a restart of the daemon.</summary>
internal sealed class PreviewColourTests
{
    private const string Key = "2bb80d537b1da3e38bd30361aa855686";
    private const string KeySha256 = "d23c43d3b663e7993c0ca44d6e38e425236e17d16f77966cb44f7468e4c4cf44";

    [Test]
    public async Task The_candidate_is_seen_before_its_users_see_it_and_the_previous_version_after()
    {
        await using var daemon = await TestDaemon.StartAsync();
        var name = TestDaemon.NewName();
        var first = await daemon.ApplyAsync(File(name, "1.0.0"));
        Assert.That(first.State, Is.EqualTo(DeploymentState.Succeeded), first.Failure?.ToString());
        Assert.That((await SeenAsync(daemon, name, "candidate")).Status, Is.EqualTo(HttpStatusCode.NotFound));

        // A trial without a share worth the name, for as long as it takes to look.
        var trial = await daemon.SubmitAsync(daemon.Request(File(name, "2.0.0", "shift: { steps: [0.01%, 100%], dwell: 5m }")));
        await daemon.ReachesAsync(trial, StepKind.Shift);
        var seen = new[] { await SeenAsync(daemon, name, "candidate"), await SeenAsync(daemon, name, "live"), await SeenAsync(daemon, name, null) };
        await daemon.Deployments.CancelAsync(trial, CancellationToken.None);
        await daemon.EndAsync(trial);
        var after = await SeenAsync(daemon, name, "candidate");
        Assert.Multiple(() =>
        {
            Assert.That(seen.Select(one => one.Version), Is.EqualTo(new[] { "2.0.0", "1.0.0", "2.0.0" }));
            Assert.That(after.Status, Is.EqualTo(HttpStatusCode.NotFound), "it was taken away");
        });

        var second = await daemon.ApplyAsync(File(name, "2.0.0"));
        Assert.That(second.State, Is.EqualTo(DeploymentState.Succeeded), second.Failure?.ToString());
        var warm = await SeenAsync(daemon, name, "warm");
        await daemon.RestartAsync();
        await daemon.ComparedAsync(name);
        var restarted = await SeenAsync(daemon, name, "warm");
        var back = await daemon.RollbackAsync(name);
        var turned = new[] { await SeenAsync(daemon, name, "live"), await SeenAsync(daemon, name, "warm") };
        Assert.Multiple(() =>
        {
            Assert.That(warm.Version, Is.EqualTo("1.0.0"));
            Assert.That(restarted.Version, Is.EqualTo("1.0.0"), "the engine and the journal tell it again");
            Assert.That(back.State, Is.EqualTo(DeploymentState.Succeeded), back.Failure?.ToString());
            Assert.That(turned.Select(one => one.Version), Is.EqualTo(new[] { "1.0.0", "2.0.0" }));
        });
    }

    private static string File(string name, string tag, string more = "warm: 10m") => Garden.Light(name, tag, $"{name}.example", basMalin: more)
        .Replace("port: 3000 }", $"port: 3000, preview: {{ hosts: [preview.{name}.example], key_sha256: {KeySha256} }} }}", StringComparison.Ordinal);

    /// <param name="colour">Null: what the preview's host shows by itself.</param>
    private static async Task<(HttpStatusCode Status, string Version)> SeenAsync(TestDaemon daemon, string name, string? colour)
    {
        using var client = new HttpClient();
        using var message = new HttpRequestMessage(HttpMethod.Get, new Uri(daemon.Edge, "/version")) { Headers = { Host = colour is null ? $"preview.{name}.example" : $"{name}.example" } };
        message.Headers.Add("X-BasMalin-Key", Key);
        if (colour is not null) message.Headers.Add("X-BasMalin-Colour", colour);
        using var answer = await client.SendAsync(message);
        return (answer.StatusCode, answer.Headers.TryGetValues("X-Garden-Version", out var versions) ? versions.First() : "");
    }
}
