using System.Net;
using System.Net.Http.Json;
using Orchestrator.Tests.Agent;

namespace Orchestrator.Tests.Faults;

/// <summary>The disk of the journal is really full: a file system of a few MiB in memory, filled to the last byte.</summary>
internal sealed class FullDiskTests
{
    private string _disk = "";

    [SetUp]
    public async Task MountAsync()
    {
        _disk = Directory.CreateTempSubdirectory("basmalin-full-").FullName;
        await RunAsync("mount", $"-t tmpfs -o size=24m,mode=700 tmpfs {_disk}");
    }

    [TearDown]
    public async Task UnmountAsync()
    {
        await RunAsync("umount", _disk);
        Directory.Delete(_disk);
    }

    [Test]
    public async Task Deployments_are_refused_with_the_reason_and_traffic_goes_on_until_there_is_room()
    {
        await using var stage = await FaultStage.OpenAsync(_disk);
        await FaultKind.StandingAsync(stage);
        Fill();

        using (var refused = await stage.Api.PostAsJsonAsync($"/api/v1/stacks/{stage.Stack}/deployments", new { images = new Dictionary<string, string> { ["app"] = FaultImages.Name("ok-2") } }))
        {
            Assert.That(refused.StatusCode, Is.EqualTo(HttpStatusCode.ServiceUnavailable));
            var problem = await RunningDaemon.JsonAsync(refused);
            Assert.That(problem["reason"]!.GetValue<string>(), Is.EqualTo("journalFull"));
            Assert.That(problem["hint"]!.GetValue<string>(), Does.Contain("free space"));
        }

        Assert.That((await stage.SceneAsync()).Version, Is.EqualTo("1"));
        Empty();
        await FaultKind.DeployAsync(stage, "ok-2");
        await FaultKind.SucceededAsync(stage);
        Assert.That((await stage.SceneAsync()).Version, Is.EqualTo("2"));
        Assert.That(stage.Lost(), Is.Empty);
    }

    [Test]
    public async Task A_deployment_that_runs_out_of_room_before_the_shift_is_undone_and_says_why()
    {
        await using var stage = await FaultStage.OpenAsync(_disk);
        await FaultKind.StandingAsync(stage);
        var before = await stage.SceneAsync();

        // Its candidate has to be well for a while: there is time to fill the disk in the middle of the gate.
        stage.Arm(null);
        await stage.SubmitAsync(HttpMethod.Post, $"stacks?directory={stage.Directory}", FaultKind.Compose(stage.Stack, "ok-2", "1", stable: "5s"));
        await stage.UntilAsync("the gate is asked", () => Task.FromResult(stage.Rows().Contains("begin Gate")));
        Fill();
        await stage.UntilAsync("the candidate is gone", async () => stage.Log.Contains("cannot be written down", StringComparison.Ordinal) && (await stage.SceneAsync()).App.SequenceEqual(before.App));
        Assert.That((await stage.SceneAsync()).Version, Is.EqualTo("1"));

        Empty();
        var ended = await stage.EndedAsync();
        Assert.That((ended!["state"]!.GetValue<string>(), ended["failure"]!["reason"]!.GetValue<string>()), Is.EqualTo(("failed", "journalUnwritable")), ended.ToJsonString());
        Assert.That(stage.Lost(), Is.Empty);
    }

    [Test]
    public async Task A_deployment_that_runs_out_of_room_after_the_shift_waits_and_is_brought_to_its_end()
    {
        await using var stage = await FaultStage.OpenAsync(_disk);
        await FaultKind.StandingAsync(stage);
        stage.Arm(null);
        await FaultKind.ApplyAsync(stage, "ok-2", "1", bake: "3s");
        await stage.UntilAsync("it bakes", () => Task.FromResult(stage.Rows().Contains("begin Bake")));
        Fill();
        await stage.UntilAsync("its end cannot be written down", () => Task.FromResult(stage.Log.Contains("cannot be written down", StringComparison.Ordinal)));
        Assert.That((await stage.SceneAsync()).Version, Is.EqualTo("2"));

        Empty();
        await FaultKind.SucceededAsync(stage);
        Assert.That((await stage.SceneAsync()).Version, Is.EqualTo("2"));
        Assert.That(stage.Lost(), Is.Empty);
    }

    private static async Task RunAsync(string program, string arguments)
    {
        using var process = System.Diagnostics.Process.Start(program, arguments);
        await process.WaitForExitAsync();
        Assert.That(process.ExitCode, Is.Zero, $"{program} {arguments}: this test needs root");
    }

    private void Fill()
    {
        using var file = new FileStream(Path.Combine(_disk, "filling"), FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);
        try
        {
            while (true) file.Write(new byte[4096]);
        }
        catch (IOException full)
        {
            TestContext.Out.WriteLine($"{file.Length} bytes written: {full.Message}");
        }
    }

    private void Empty() => File.Delete(Path.Combine(_disk, "filling"));
}
