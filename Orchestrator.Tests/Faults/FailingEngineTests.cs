using System.Collections.Immutable;
using Orchestrator.Resilience;

namespace Orchestrator.Tests.Faults;

/// <summary>
/// Whatever the engine does in the middle of a step, the deployment ends whole: as succeeded, or with everything as it was. The moments are the calls that an
/// undisturbed deployment was seen to make: a new step is struck without anyone remembering.
/// </summary>
[Parallelizable(ParallelScope.Children)]
internal sealed class FailingEngineTests
{
    private static readonly PipelineOptions Brief = new()
    {
        EngineTimeout = TimeSpan.FromSeconds(3),
        EngineRetries = 1,
        EngineRetryDelay = TimeSpan.FromMilliseconds(50),
        BreakerPause = TimeSpan.FromMilliseconds(500),
    };

    private static TestCaseData[] Deaths =>
    [
        new(EngineBlow.DiesBefore, true),
        new(EngineBlow.DiesAfter, false),
        .. All ? [new TestCaseData(EngineBlow.DiesAfter, true), new TestCaseData(EngineBlow.DiesBefore, false)] : Array.Empty<TestCaseData>(),
    ];

    private static bool All => Environment.GetEnvironmentVariable("BASMALIN_FAULTS") == "all";

    /// <summary>Of every step one call, of every third step for each way to fail; <c>BASMALIN_FAULTS=all</c> strikes at every call.</summary>
    [TestCase(EngineBlow.Refuses)]
    [TestCase(EngineBlow.Hangs)]
    [TestCase(EngineBlow.LosesTheAnswer)]
    public async Task A_deployment_whose_engine_fails_in_the_middle_of_a_step_ends_whole_and_nobody_notices(EngineBlow blow)
    {
        await using var stage = await EngineStage.OpenAsync(null, blow == EngineBlow.Hangs ? Brief : Brief with { EngineTimeout = TimeSpan.FromSeconds(15) }, TimeSpan.FromSeconds(blow == EngineBlow.Hangs ? 12 : 60));
        await RunAsync(stage, blow, excused: false);
    }

    [NonParallelizable]         // engines that make networks at the same moment may choose the same addresses
    [TestCaseSource(nameof(Deaths))]
    public async Task A_deployment_whose_engine_is_killed_and_started_again_in_the_middle_of_a_step_ends_whole(EngineBlow blow, bool liveRestore)
    {
        await FaultImages.EnsureAsync();
        var engine = await SecondEngine.StartAsync(liveRestore, FaultImages.Name("ok-1"), FaultImages.Name("ok-2"));
        await using var stage = await EngineStage.OpenAsync(engine, Brief with { EngineTimeout = TimeSpan.FromSeconds(15) }, TimeSpan.FromSeconds(60));
        await RunAsync(stage, blow, excused: !liveRestore);         // without it all containers are killed with the engine
    }

    /// <summary>As an upgrade of its package does it: most services have no restart policy, and without live-restore the engine stops all containers.</summary>
    [NonParallelizable]
    [Test]
    public async Task The_whole_stack_is_back_after_its_engine_was_stopped_and_started_without_live_restore()
    {
        await FaultImages.EnsureAsync();
        var engine = await SecondEngine.StartAsync(liveRestore: false, FaultImages.Name("ok-1"), FaultImages.Name("ok-2"));
        await using var stage = await EngineStage.OpenAsync(engine, new(), TimeSpan.FromSeconds(60));
        await stage.StandAsync(stage.Compose("ok-2", "1"));
        var before = await stage.SceneAsync();

        await engine.StopAsync();
        var began = TimeProvider.System.GetTimestamp();
        await engine.ReturnAsync();
        var answers = TimeProvider.System.GetElapsedTime(began);
        var after = await stage.SceneBecomesAsync(now => now.IsQuiet && now.Shape == before.Shape);

        TestContext.Out.WriteLine($"the engine answered {answers.TotalSeconds:0.0} s after its start, the whole stack was back after {TimeProvider.System.GetElapsedTime(began).TotalSeconds:0.0} s");
        Assert.That(after.Shape, Is.EqualTo(before.Shape), await stage.DriftAsync());
        Assert.That(stage.VersionsSeen, Is.EqualTo(new[] { "2" }), "the others of the stack answer with 1: nobody got to one of them, although addresses were given anew");
        Assert.That(after.Containers.Select(line => line.Split(' ')[0]), Is.EqualTo(before.Containers.Select(line => line.Split(' ')[0])), "they are the same containers");
    }

    private static async Task RunAsync(EngineStage stage, EngineBlow blow, bool excused)
    {
        await FaultImages.EnsureAsync();
        var moments = Chosen(blow, excused, await stage.WatchAsync());
        var wrong = new List<string>();
        foreach (var moment in moments)
        {
            var problems = await stage.RunAsync(moment, blow, excused);
            if (problems.Count > 0) wrong.Add($"{blow} {moment}:\n  {string.Join("\n  ", problems)}");
        }

        TestContext.Out.WriteLine($"{blow}: {moments.Length} times, {wrong.Count} of them badly survived; {stage.Requests} requests");
        Assert.That(wrong, Is.Empty, string.Join('\n', wrong));
    }

    private static ImmutableArray<EngineMoment> Chosen(EngineBlow blow, bool excused, ImmutableArray<EngineMoment> seen)
    {
        var fitting = seen.Where(moment => moment.Changes || blow is EngineBlow.Refuses or EngineBlow.Hangs or EngineBlow.DiesBefore).ToList();
        if (All) return [.. fitting];

        var turn = (int)blow;
        var every = blow is EngineBlow.DiesBefore or EngineBlow.DiesAfter ? 5 : 3;
        if (excused) turn += 2;
        return [.. fitting.GroupBy(moment => moment.Step).Index().Where(step => (step.Index + turn) % every == 0).Select(step => step.Item.ElementAt((step.Index + turn) % step.Item.Count()))];
    }
}
