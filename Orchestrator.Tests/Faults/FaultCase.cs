using System.Text.Json.Nodes;

namespace Orchestrator.Tests.Faults;

/// <summary>One deployment, one death, one return; and the judgement of it.</summary>
internal sealed class FaultCase(FaultStage stage, FaultKind kind, Undisturbed undisturbed)
{
    private DateTimeOffset _since;

    /// <summary>A deployment that nobody kills: the rows that it writes are the moments at which the others die.</summary>
    public static async Task<Undisturbed> WatchAsync(FaultStage stage, FaultKind kind)
    {
        await kind.Prepare(stage);
        stage.Arm(null);
        await kind.Submit(stage);
        var ended = await stage.EndedAsync();
        Assert.That((State(ended), Reason(ended)), Is.EqualTo((kind.State, kind.Reason)), $"{kind} by itself: {ended?.ToJsonString()}\n{stage.Tail()}");

        string[] rows = [.. stage.Rows()];
        await stage.SweptAsync();
        return new(rows, await stage.SceneAsync());
    }

    /// <param name="again">Where it dies once more, in the midst of its recovery; null: nowhere.</param>
    /// <returns>What is wrong; empty: nothing.</returns>
    public async Task<IReadOnlyList<string>> RunAsync(FatalRow fatal, FatalRow? again = null)
    {
        _since = TimeProvider.System.GetUtcNow();
        await kind.Prepare(stage);
        var before = await stage.SceneBecomesAsync(scene => scene.IsQuiet);
        stage.Arm(fatal);
        await kind.Submit(stage);
        await stage.DeadAsync();
        if (again is not null)
        {
            stage.Arm(again);
            await stage.StartAsync(untilReady: false);
            await stage.DeadAsync();
        }

        stage.Arm(null);
        await stage.StartAsync();
        return await JudgeAsync(fatal, before);
    }

    /// <summary>The rows that the recovery from a death writes.</summary>
    public async Task<Undisturbed> RecoveryAsync(FatalRow fatal)
    {
        await RunAsync(fatal);
        return new([.. stage.Rows()], undisturbed.After);
    }

    private async Task<IReadOnlyList<string>> JudgeAsync(FatalRow fatal, Scene before)
    {
        var problems = new List<string>();
        var expected = Expect(fatal);
        var ended = await stage.EndedAsync();
        if (expected.Admitted && (State(ended), Reason(ended)) != (expected.State, expected.Reason))
            problems.Add($"it ended as {State(ended)} {Reason(ended)}, not as {expected.State} {expected.Reason}: {ended?["failure"]?.ToJsonString()} {Steps(ended)}");
        if (Steps(ended).Contains("undoFailed", StringComparison.Ordinal)) problems.Add($"an undo failed: {ended?.ToJsonString()}");

        var scene = await stage.SceneBecomesAsync(now => Fits(now, before, expected.Moved) is null);
        if (Fits(scene, before, expected.Moved) is { } unlike) problems.Add(unlike);
        problems.AddRange(stage.Lost(_since, kind.Allowed).Take(5).Select(visit => $"a request was lost: {visit}"));
        return problems;
    }

    /// <summary>What the rows that were written say, without asking the code that is under test.</summary>
    private (bool Admitted, string State, string? Reason, bool Moved) Expect(FatalRow fatal)
    {
        var written = undisturbed.UpTo(fatal);
        if (!written.Contains("admit")) return (false, "", null, false);
        if (!written.Contains("save Running")) return (true, kind.State, kind.Reason, kind.State == "succeeded");        // it waits in the queue, and then has its turn
        if (written.Any(row => row.EndsWith(" Failed", StringComparison.Ordinal))) return (true, kind.State, kind.Reason, false);
        return written.Contains("end Shift Succeeded")
            ? (true, kind.State, kind.Reason, kind.State == "succeeded")
            : (true, "failed", "interrupted", false);
    }

    /// <returns>Null when the scene is as it has to be.</returns>
    private string? Fits(Scene now, Scene before, bool moved)
    {
        if (!moved)
        {
            if (now.Shape != before.Shape) return $"it should be as before\n  before: {before.Shape}\n  now:    {now.Shape}";
            return now.App.SequenceEqual(before.App) ? null : $"these are not the containers that served before\n  before: {string.Join(", ", before.App)}\n  now:    {string.Join(", ", now.App)}";
        }

        var (wanted, have) = (Unversioned(undisturbed.After), Unversioned(now));
        if (wanted != have) return $"it should be as after an undisturbed deployment\n  wanted: {wanted}\n  now:    {have}";
        return undisturbed.After.Version is null || now.Version != before.Version || before.Version is null ? null : $"version {now.Version} serves still";
    }

    /// <summary>The versions go to and fro from case to case; the stacks of the first apply have each a name of their own.</summary>
    private static string Unversioned(Scene scene) => string.Join(' ', scene.Shape.Split("; ")[1], scene.Networks.Length, scene.Version is null ? "nobody answers" : "somebody answers");

    private static string? State(JsonNode? ended) => ended?["state"]?.GetValue<string>();

    private static string? Reason(JsonNode? ended) => ended?["failure"]?["reason"]?.GetValue<string>();

    private static string Steps(JsonNode? ended) => string.Join(' ', ended?["steps"]?.AsArray().Select(step => $"{step!["name"]}={step["state"]}") ?? []);
}

/// <param name="Rows">What is written into the journal, in order.</param>
/// <param name="After">What is there at the end.</param>
internal sealed record Undisturbed(IReadOnlyList<string> Rows, Scene After)
{
    /// <summary>Every moment: right before and right after each row.</summary>
    public IEnumerable<FatalRow> Moments => Rows.Select((row, index) => (Row: row, Nth: Rows.Take(index + 1).Count(other => other == row)))
        .SelectMany(item => new[] { new FatalRow(item.Row, item.Nth, false), new FatalRow(item.Row, item.Nth, true) });

    public IReadOnlyList<string> UpTo(FatalRow fatal)
    {
        var (index, seen) = (0, 0);
        while (index < Rows.Count && (Rows[index] != fatal.Row || ++seen < fatal.Nth)) index++;
        return [.. Rows.Take(fatal.After ? index + 1 : index)];
    }
}
