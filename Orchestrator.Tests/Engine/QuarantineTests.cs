using System.Net;
using Orchestrator.Deployments;

namespace Orchestrator.Tests.Engine;

/// <summary>What is wrong with one stack's record is no other's business.</summary>
internal sealed class QuarantineTests
{
    [Test]
    public async Task A_stack_whose_release_is_damaged_is_not_served_and_says_so_and_the_others_are()
    {
        await using var daemon = await TestDaemon.StartAsync();
        var (torn, whole) = (TestDaemon.NewName(), TestDaemon.NewName());
        foreach (var name in new[] { torn, whole })
            Assert.That((await daemon.ApplyAsync(Garden.Light(name, "1.0.0", $"{name}.example"))).State, Is.EqualTo(DeploymentState.Succeeded));

        await daemon.DamageAsync("UPDATE releases SET manifest = replace(manifest, '3000', '3001') WHERE stack = @Stack", new { Stack = torn });
        await daemon.RestartAsync();

        Assert.That((await daemon.GetAsync($"{whole}.example", "/version")).Version, Is.EqualTo("1.0.0"));
        Assert.That((await daemon.GetAsync($"{torn}.example", "/version")).Status, Is.EqualTo(HttpStatusCode.NotFound));
        var status = await daemon.Deployments.StatusAsync(CancellationToken.None);
        Assert.That(status.Single(stack => stack.Stack == torn).Problem, Does.Contain("does not fit its checksum"));
        Assert.That(status.Single(stack => stack.Stack == whole).Problem, Is.Null);
        Assert.That((await daemon.Deployments.StatusAsync(torn, CancellationToken.None))?.Problem, Is.Not.Null);
    }
}
