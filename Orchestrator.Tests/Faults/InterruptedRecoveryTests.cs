using System.Diagnostics;

namespace Orchestrator.Tests.Faults;

/// <summary>Deaths that the matrix does not have: in the midst of a recovery, a canary, a cancel.</summary>
[Parallelizable(ParallelScope.Children)]
internal sealed class InterruptedRecoveryTests
{
    [TestCase("a deploy", "begin Gate", TestName = "A_recovery_that_undoes_may_be_killed_itself")]
    [TestCase("a deploy", "end Shift Succeeded", TestName = "A_recovery_that_goes_on_may_be_killed_itself")]
    [TestCase("a version with a bad bake", "end Bake Failed", TestName = "A_recovery_that_swaps_back_may_be_killed_itself")]
    public async Task A_recovery_may_be_killed_itself(string name, string row)
    {
        var kind = FaultKind.All.Single(one => one.Name == name);
        await using var stage = await FaultStage.OpenAsync();
        var undisturbed = await FaultCase.WatchAsync(stage, kind);
        var fatal = new FatalRow(row, 1, After: true);
        var recovery = await new FaultCase(stage, kind, undisturbed).RecoveryAsync(fatal);

        // The rows that tell: what is begun and what is the end. Every third moment is as many as there is time for, and no kind of row is left out.
        var wrong = new List<string>();
        foreach (var again in recovery.Moments.Where((moment, index) => index % 3 == 0))
        {
            var problems = await new FaultCase(stage, kind, undisturbed).RunAsync(fatal, again);
            if (problems.Count > 0) wrong.Add($"killed {fatal}, and again {again}:\n  {string.Join("\n  ", problems)}");
        }

        Assert.That(wrong, Is.Empty, $"{string.Join('\n', wrong)}\n{stage.Tail()}");
    }

    [Test]
    public async Task A_daemon_that_is_killed_in_the_middle_of_a_canary_sends_everybody_to_the_version_that_was_live()
    {
        await using var stage = await FaultStage.OpenAsync();
        await FaultKind.StandingAsync(stage, shift: "shift: { steps: [50%, 100%], dwell: 60s, min_requests: 100000 }");
        var before = await stage.SceneAsync();
        stage.Arm(null);

        await FaultKind.DeployAsync(stage, "ok-2");
        await stage.UntilAsync("both versions answer", () => Task.FromResult(stage.Users.Seen.Any(visit => visit.Version == "2")));
        await stage.KillAsync();
        var killed = TimeProvider.System.GetUtcNow();
        await stage.StartAsync();
        var ended = await stage.EndedAsync();
        var scene = await stage.SceneBecomesAsync(now => now.Shape == before.Shape);

        Assert.Multiple(() =>
        {
            Assert.That((ended!["state"]!.GetValue<string>(), ended["failure"]!["reason"]!.GetValue<string>()), Is.EqualTo(("failed", "interrupted")));
            Assert.That((scene.Shape, scene.App), Is.EqualTo((before.Shape, before.App)));
            Assert.That(stage.Users.Seen.Where(visit => visit.Came > killed && visit.Status == 200).Select(visit => visit.Version), Is.All.EqualTo("1"), "nobody gets to the candidate any more");
            Assert.That(stage.Lost(), Is.Empty);
        });
    }

    [TestCase("cancel", TestName = "A_cancel_that_was_written_down_is_kept_by_the_daemon_that_comes_back")]
    [TestCase("end Shift Undone", TestName = "A_cancel_whose_undo_was_interrupted_is_finished_and_called_so")]
    public async Task A_cancel_outlives_the_daemon(string row)
    {
        await using var stage = await FaultStage.OpenAsync();
        await FaultKind.StandingAsync(stage);
        stage.Arm(null);
        await FaultKind.ApplyAsync(stage, "ok-2", "1", bake: "10m");
        var id = (await Agent.RunningDaemon.JsonAsync(await stage.Api.GetAsync($"/api/v1/deployments?stack={stage.Stack}")))[0]!["id"];
        await stage.UntilAsync("the traffic has moved", () => Task.FromResult(stage.Rows().Contains("begin Bake")));

        stage.Arm(new(row, 1, After: true));
        await stage.SubmitAsync(HttpMethod.Post, $"deployments/{id}/cancel", null);
        await stage.DeadAsync();
        stage.Arm(null);
        await stage.StartAsync();
        var ended = await stage.EndedAsync();

        Assert.That((ended!["state"]!.GetValue<string>(), ended["failure"]!["reason"]!.GetValue<string>()), Is.EqualTo(("cancelled", "cancelled")), ended.ToJsonString());
        Assert.That((await stage.SceneBecomesAsync(now => now.App.Count() == 1)).Version, Is.EqualTo("1"));
        Assert.That(stage.Lost(), Is.Empty);
    }

    [Test]
    public async Task A_second_daemon_on_the_same_data_directory_ends_with_a_word_and_the_first_serves_on()
    {
        await using var stage = await FaultStage.OpenAsync();
        await FaultKind.StandingAsync(stage);

        var start = new ProcessStartInfo(Environment.ProcessPath!, [MortalDaemon.Verb, stage.Directory]) { RedirectStandardError = true, RedirectStandardOutput = true };
        using var second = Process.Start(start)!;
        var told = await second.StandardError.ReadToEndAsync();
        await second.WaitForExitAsync();

        Assert.That((second.ExitCode, told), Is.EqualTo((1, told)));
        Assert.That(told, Does.Match(@"in use by process \d+: two daemons cannot share one"));
        Assert.That((await stage.SceneAsync()).Version, Is.EqualTo("1"));
        Assert.That(stage.Lost(), Is.Empty);
    }
}
