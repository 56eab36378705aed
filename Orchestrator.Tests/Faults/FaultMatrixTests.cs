using System.Collections.Immutable;
using Orchestrator.Deployments;

namespace Orchestrator.Tests.Faults;

/// <summary>
/// The promise that nothing is half done: for each kind of deployment, SIGKILL right before and right after the rows that it writes into the journal.
/// The moments are those that an undisturbed deployment was seen to pass: a new step is killed without anyone remembering.
/// </summary>
[Parallelizable(ParallelScope.Children)]
internal sealed class FaultMatrixTests
{
    /// <summary>
    /// Of every fourth step one of its four moments, another one for each kind: every step is there with two or three kinds, at different moments.
    /// <c>BASMALIN_FAULTS=all</c> kills at every moment of every kind, in about an hour.
    /// </summary>
    [TestCaseSource(typeof(FaultKind), nameof(FaultKind.All))]
    public Task A_daemon_that_is_killed_comes_back_to_what_the_journal_says(FaultKind kind) =>
        RunAsync(kind, Environment.GetEnvironmentVariable("BASMALIN_FAULTS") == "all" ? (_, undisturbed) => undisturbed.Moments : Reduced);

    private static async Task RunAsync(FaultKind kind, Func<FaultKind, Undisturbed, IEnumerable<FatalRow>> moments)
    {
        await using var stage = await FaultStage.OpenAsync();
        var undisturbed = await FaultCase.WatchAsync(stage, kind);
        if (kind.Name == "an apply that changes everything")
            Assert.That(undisturbed.Rows, Is.SupersetOf(Enum.GetValues<StepKind>().SelectMany(step => new[] { $"begin {step}", $"end {step} Succeeded" })), "the matrix has every step");

        var wrong = new List<string>();
        var chosen = moments(kind, undisturbed).ToList();
        foreach (var fatal in chosen)
        {
            var problems = await new FaultCase(stage, kind, undisturbed).RunAsync(fatal);
            if (problems.Count > 0) wrong.Add($"{kind}, killed {fatal}:\n  {string.Join("\n  ", problems)}");
        }

        TestContext.Out.WriteLine($"{kind}: {chosen.Count} deaths, {wrong.Count} of them badly survived; {stage.Users.Seen.Count} requests");
        Assert.That(wrong, Is.Empty, $"{string.Join('\n', wrong)}\n{stage.Tail()}");
    }

    private static IEnumerable<FatalRow> Reduced(FaultKind kind, Undisturbed undisturbed)
    {
        var turn = FaultKind.All.IndexOf(kind);
        var steps = undisturbed.Moments.GroupBy(moment => moment.Row.Split(' ') is ["begin" or "end", var name, ..] ? name : moment.Row);
        foreach (var (index, step) in steps.Index().Where(step => (step.Index + turn) % 4 == 0))
        {
            ImmutableArray<FatalRow> all = [.. step];
            yield return all[((index + turn) / 4 + turn) % all.Length];
        }
    }
}
