using System.Collections.Immutable;
using Orchestrator.Deployments;
using Orchestrator.Stacks;

namespace Orchestrator.Tests.Engine;

/// <summary>The main job on a real engine: a real stack, replaced and brought back.</summary>
internal sealed class DeploymentTests
{
    [Test]
    public async Task A_stack_is_started_replaced_and_rolled_back()
    {
        await using var daemon = await TestDaemon.StartAsync();
        var name = TestDaemon.NewName();
        var host = $"{name}.example";

        var first = await daemon.ApplyAsync(Garden.Compose(name, "1.0.0", host));
        Assert.That(first.State, Is.EqualTo(DeploymentState.Succeeded), first.Failure?.ToString());
        Assert.That((await daemon.GetAsync(host, "/version")).Version, Is.EqualTo("1.0.0"));

        var second = await daemon.DeployAsync(name, "app", Garden.Image("2.0.0"));
        Assert.That(second.State, Is.EqualTo(DeploymentState.Succeeded), second.Failure?.ToString());
        Assert.That((await daemon.GetAsync(host, "/version")).Version, Is.EqualTo("2.0.0"));
        Assert.That((await daemon.StateAsync(name)).Live["app"], Is.EqualTo(new Orchestrator.Planning.Generation(Colour.Green, 2)));

        var back = await daemon.RollbackAsync(name);
        Assert.That(back.State, Is.EqualTo(DeploymentState.Succeeded), back.Failure?.ToString());
        Assert.That(back.Plan?.WarmSwap, Is.True, "the previous colour is still warm");
        Assert.That((await daemon.GetAsync(host, "/version")).Version, Is.EqualTo("1.0.0"));
    }

    [Test]
    public async Task A_candidate_that_somebody_removes_by_hand_fails_the_gate_and_the_old_version_goes_on_serving()
    {
        await using var daemon = await TestDaemon.StartAsync();
        var name = TestDaemon.NewName();
        var host = $"{name}.example";
        Assert.That((await daemon.ApplyAsync(Garden.Light(name, "1.0.0", host))).State, Is.EqualTo(DeploymentState.Succeeded));

        var deploying = await daemon.SubmitAsync(Images(name, "broken-slow"));
        await daemon.ReachesAsync(deploying, StepKind.Gate);
        var candidate = (await daemon.ContainersAsync(name)).Single(seen => seen.Colour == Colour.Green);
        await TestDaemon.DockerAsync($"rm -f {candidate.Id.Value}");
        var ended = await daemon.EndAsync(deploying);

        Assert.Multiple(() =>
        {
            Assert.That((ended.State, ended.Failure?.Reason, ended.Failure?.Step), Is.EqualTo((DeploymentState.Failed, FailureReason.ContainerExited, StepKind.Gate)), ended.Failure?.Detail);
            Assert.That(ended.Steps.Select(row => row.State), Has.None.EqualTo(StepState.UndoFailed));
        });
        Assert.That((await daemon.GetAsync(host, "/version")).Version, Is.EqualTo("1.0.0"));
    }

    private static DeploymentRequest Images(string stack, string tag) => new()
    {
        Stack = stack,
        Kind = DeploymentKind.Deploy,
        Images = ImmutableSortedDictionary<string, string>.Empty.Add("app", Garden.Image(tag)),
    };
}
