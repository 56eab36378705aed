using System.Collections.Concurrent;
using System.Globalization;
using Orchestrator.Agent.Cli;
using Orchestrator.Benchmarks.Measuring;
using Orchestrator.Benchmarks.Start;

namespace Orchestrator.Benchmarks.Chaos;

/// <summary>Deployments, kills and removals as a seed says, on an engine of its own and under load; what must hold is looked at all the time.</summary>
/// <param name="program">The daemon; null: it is published first.</param>
internal sealed class ChaosBenchmark(TimeSpan length, int seed, string? program, TimeProvider time)
{
    private readonly long _started = time.GetTimestamp();
    private readonly ConcurrentQueue<ChaosRecord> _acts = new();
    private readonly List<ChaosViolation> _violations = [];
    private readonly List<ChaosHoldings> _holdings = [];
    private string _evidence = "";

    private double Now => Math.Round(time.GetElapsedTime(_started).TotalSeconds, 3);

    public async Task<Findings> RunAsync(CancellationToken cancellationToken)
    {
        var directory = Directory.CreateTempSubdirectory("basmalin-chaos-").FullName;
        _evidence = Path.Combine(Path.GetTempPath(), string.Create(CultureInfo.InvariantCulture, $"basmalin-chaos-seed-{seed}"));
        try
        {
            var published = program ?? await StartBenchmark.PublishAsync(directory, cancellationToken);
            Progress.Say("chaos: an engine of its own, images, both stacks");
            await using var engine = await SpareEngine.StartAsync(Path.Combine(directory, "engine"), time, cancellationToken);
            await ChaosImages.BuildAsync(engine, directory, cancellationToken);
            await engine.RunAsync(["pull", "-q", "localhost:5000/basmalin/redis:7"], cancellationToken);
            await using var daemon = new ChaosDaemon(published, Place(directory, engine), time);
            await daemon.StartAsync(cancellationToken);
            try
            {
                return ChaosReport.Of(await ScenesAsync(new ChaosScene(engine, daemon, new Excuses(time), new Versions(time), time), cancellationToken));
            }
            catch (Exception unknown) when (unknown is not OperationCanceledException)
            {
                Keep(daemon, engine);
                throw;
            }
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    /// <summary>Both logs, whole: nobody knows yet what to look for in them.</summary>
    private void Keep(ChaosDaemon daemon, SpareEngine engine)
    {
        Directory.CreateDirectory(_evidence);
        File.Copy(daemon.Log, Path.Combine(_evidence, "daemon.log"), overwrite: true);
        File.Copy(engine.Log, Path.Combine(_evidence, "dockerd.log"), overwrite: true);
        Console.Error.WriteLine($"chaos: the daemon {daemon.Fate}; the logs: {_evidence}");
    }

    // A run strikes oftener than healing is made to bear: what it gives up is proved elsewhere.
    private static DaemonPlace Place(string directory, SpareEngine engine) => DaemonPlace.New(Path.Combine(directory, "daemon")) with
    {
        Output = Path.Combine(directory, "daemon.log"),
        Settings = $$"""
            log: { level: information, format: text }
            docker: { endpoint: "{{engine.Endpoint}}" }
            healing: { window: 30s, deaths: 1000, acts: 10000 }
            """,
    };

    private async Task<ChaosRun> ScenesAsync(ChaosScene scene, CancellationToken cancellationToken)
    {
        var (blows, judge) = (new Blows(scene), new ChaosJudge(scene, _started));
        var moves = new Moves(scene, blows);
        using var look = new StackLook(scene);
        var patience = new ChaosPatience(scene, look);
        await moves.ApplyAsync(ChaosStacks.MainFile, ChaosImages.First, cancellationToken);
        await moves.ApplyAsync(ChaosStacks.OtherFile, ChaosImages.Other, cancellationToken);
        scene.Versions.Only(ChaosImages.First);
        await look.RememberAsync(cancellationToken);

        await using var users = new ChaosUsers(scene.Daemon.Edge);
        var began = time.GetTimestamp();
        var rounds = 0;
        foreach (var round in ChaosScript.Of(seed).TakeWhile(_ => time.GetElapsedTime(began) < length))
        {
            rounds++;
            Progress.Say(string.Create(CultureInfo.InvariantCulture, $"chaos: {time.GetElapsedTime(began).TotalSeconds:0} s of {length.TotalSeconds:0} s, {round}"));
            await Task.WhenAll(round.Acts.Select(act => DoAsync(round, act, blows, moves, patience, cancellationToken)));
            if (await patience.SettledAsync(cancellationToken) is { } left) await BlameAsync(scene, round, $"it does not settle: {left}", cancellationToken);
            foreach (var wrong in judge.Judge(users.Take())) await BlameAsync(scene, round, wrong, cancellationToken);
            if (_violations.LastOrDefault() is { What: var what } && what.StartsWith("it does not settle", StringComparison.Ordinal)) break;        // what follows would blame others for it
            var (memory, files, threads) = scene.Daemon.Process.Holds();
            _holdings.Add(new(Now, memory / 1e6, files, threads));
        }

        await users.StopAsync();
        var last = new ChaosRound(rounds + 1, []);
        foreach (var wrong in judge.Judge(users.Take()).Concat(Defects(scene.Daemon.Log))) await BlameAsync(scene, last, wrong, cancellationToken);
        return new(seed, time.GetElapsedTime(began).TotalSeconds, rounds, [.. _acts], [.. _violations], [.. _holdings], judge.Requests, judge.Unexcused, judge.Excused);

        async Task DoAsync(ChaosRound round, ChaosAct act, Blows blows, Moves moves, ChaosPatience patience, CancellationToken cancellationToken)
        {
            await Task.Delay(act.After, time, cancellationToken);
            var since = time.GetTimestamp();
            var at = Now;
            try
            {
                if (act.Deploys)
                {
                    var move = await moves.RunAsync(act, cancellationToken);
                    _acts.Enqueue(new(round.Number, act.Kind, at, null, move?.Deployment.State));
                    if (move is not null && ChaosJudge.Judge(move, alone: round.Acts.Length == 1) is { } wrong) await BlameAsync(scene, round, wrong, cancellationToken);
                    return;
                }

                var excuse = await blows.StrikeAsync(act, cancellationToken);
                var missing = await patience.WholeAsync(excuse, cancellationToken);
                var took = time.GetElapsedTime(since);
                _acts.Enqueue(new(round.Number, act.Kind, at, missing is null ? Math.Round(took.TotalSeconds, 3) : null, null));
                if (missing is not null) await BlameAsync(scene, round, $"not whole again after {act.Kind}: {missing}", cancellationToken);
                else if (took.TotalSeconds > ChaosReport.WholeWithin) await KeepAsync(scene, string.Create(CultureInfo.InvariantCulture, $"slow-{round.Number}"), round, $"whole again {took.TotalSeconds:0} s after {act.Kind}", cancellationToken);
            }
            catch (Exception problem) when (problem is InvalidOperationException or TimeoutException or CliFailure or HttpRequestException)
            {
                await BlameAsync(scene, round, $"{act.Kind} could not be done: {problem}", cancellationToken);
            }
        }
    }

    /// <summary>Exceptions that nobody had foreseen.</summary>
    private static IEnumerable<string> Defects(string log) =>
        File.ReadLines(log).Where(line => line.Contains("Unhandled exception", StringComparison.Ordinal) || line.Contains("defect", StringComparison.OrdinalIgnoreCase)).Distinct().Take(10).Select(line => $"in the daemon's log: {line}");

    /// <summary>The ends of both logs, for whoever asks why.</summary>
    /// <returns>Where they are.</returns>
    private async Task<string> KeepAsync(ChaosScene scene, string name, ChaosRound round, string what, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(_evidence);
        var kept = Path.Combine(_evidence, $"{name}.txt");
        await File.WriteAllTextAsync(kept, $"seed {seed}, {Now} s, {round}\n{what}\n\n# daemon\n{LogTail.Of(scene.Daemon.Log, 400)}\n\n# engine\n{LogTail.Of(scene.Engine.Log, 150)}\n", cancellationToken);
        return kept;
    }

    private async Task BlameAsync(ChaosScene scene, ChaosRound round, string what, CancellationToken cancellationToken)
    {
        var violation = new ChaosViolation(Now, round.ToString(), what);
        int number;
        lock (_violations)
        {
            _violations.Add(violation);
            number = _violations.Count;
        }

        var kept = await KeepAsync(scene, number.ToString(CultureInfo.InvariantCulture), round, what, cancellationToken);
        Progress.Clear();
        Console.Error.WriteLine($"VIOLATION (seed {seed}, {violation.At} s, {violation.Round}): {what}\n  the logs at that time: {kept}");
    }
}
