using System.Collections.Immutable;
using Orchestrator.Deployments;
using Orchestrator.Docker;
using Orchestrator.Healing;
using Orchestrator.Resilience;
using Orchestrator.Tests.Engine;

namespace Orchestrator.Tests.Faults;

/// <summary>The library on an engine that can be struck in the middle of a step, a stack that is deployed to and fro, and its users.</summary>
internal sealed class EngineStage : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(40);

    private readonly SecondEngine? _mortal;
    private readonly EngineProxy _proxy;
    private readonly TestDaemon _daemon;
    private readonly Visitors _users;
    private readonly List<(DateTimeOffset From, DateTimeOffset To)> _away = [];

    private EngineStage(SecondEngine? mortal, EngineProxy proxy, TestDaemon daemon)
    {
        (_mortal, _proxy, _daemon) = (mortal, proxy, daemon);
        _users = new(daemon.Edge, () => Host);
    }

    public string Stack { get; } = TestDaemon.NewName();

    public string Host => $"{Stack}.example";

    public TestDaemon Daemon => _daemon;

    /// <summary>Who has answered users with success.</summary>
    public IEnumerable<string> VersionsSeen => _users.Seen.Where(visit => visit.Status == 200).Select(visit => visit.Version).Distinct();

    public int Requests => _users.Seen.Count;

    /// <param name="mortal">An engine of its own, which this stage takes away at its end; null: that of this host.</param>
    /// <param name="pipelines">How patient calls are.</param>
    public static async Task<EngineStage> OpenAsync(SecondEngine? mortal, PipelineOptions pipelines, TimeSpan slow)
    {
        var proxy = await EngineProxy.StartAsync(mortal);
        var around = new TestSurroundings
        {
            Engine = new DockerEngineOptions { Endpoint = proxy.Endpoint, SlowCallTimeout = slow },
            Pipelines = pipelines,
            Journal = journal => WatchedJournal.Around(journal, proxy.Begins),
        };
        var daemon = await TestDaemon.StartAsync(healing: new HealingOptions { Interval = TimeSpan.FromSeconds(2) }, around: around);
        return new(mortal, proxy, daemon);
    }

    /// <summary>A deployment that nobody disturbs: its calls are the moments at which the others are.</summary>
    public async Task<ImmutableArray<EngineMoment>> WatchAsync()
    {
        await StandAsync();
        _proxy.Arm(null);
        var ended = await DeployAsync();
        Assert.That(ended.State, Is.EqualTo(DeploymentState.Succeeded), ended.Failure?.ToString());
        ImmutableArray<EngineMoment> seen = [.. _proxy.Seen.Distinct().OrderBy(moment => moment.Step)];
        await SceneBecomesAsync(scene => Whole(scene) is null);
        return seen;
    }

    /// <returns>What is wrong; empty: nothing.</returns>
    public async Task<IReadOnlyList<string>> RunAsync(EngineMoment moment, EngineBlow blow, bool excused)
    {
        await StandAsync();
        var before = await SceneBecomesAsync(scene => Whole(scene) is null);
        var since = TimeProvider.System.GetUtcNow();
        _proxy.Arm(moment, blow);
        var ended = await DeployAsync();
        await _proxy.Mended;
        if (!_proxy.HasStruck) return [$"there was no call {moment}: {ended.State}"];

        _proxy.Arm(null);
        var moved = ended.State == DeploymentState.Succeeded;
        var scene = await SceneBecomesAsync(now => Whole(now) is null && Fits(now, before, moved) is null);
        if (excused) _away.Add((since, TimeProvider.System.GetUtcNow()));
        TestContext.Out.WriteLine($"{blow} {moment}: {ended.State} {ended.Failure?.Reason}: {ended.Failure?.Detail.Split('\n')[0]}");

        var problems = new List<string>();
        if (ended.State is not (DeploymentState.Succeeded or DeploymentState.Failed or DeploymentState.RolledBack)) problems.Add($"it ended as {ended.State}");
        if (!moved && ended.Failure is not { Step: not null, Hint.Length: > 0 }) problems.Add($"it does not say what failed: {ended.Failure}");
        problems.AddRange(ended.Steps.Where(step => step.State == StepState.UndoFailed).Select(step => $"the undo of {step.Name} failed: {step.Detail}"));
        if (Whole(scene) is { } part) problems.Add(part);
        if (Fits(scene, before, moved) is { } unlike) problems.Add(unlike);
        if (await UnrecordedAsync(scene) is { } unlikely) problems.Add(unlikely);
        problems.AddRange(_users.Lost(_away, visit => visit.Came < since).Take(5).Select(visit => $"a request was lost: {visit}"));
        return problems;
    }

    /// <summary>The stack is up in one version, with all that belongs to it.</summary>
    public async Task StandAsync(string? settings = null)
    {
        if (await _daemon.Journal.FindStackAsync(Stack, CancellationToken.None) is { CurrentRelease: > 0 }) return;

        var applied = await _daemon.ApplyAsync(settings ?? Compose("ok-1", "1"));
        Assert.That(applied.State, Is.EqualTo(DeploymentState.Succeeded), applied.Failure?.ToString());
    }

    /// <summary>A service that nobody waits for, and that ends with 0 when its engine does, would be taken for a job that is done: this one says that it is none.</summary>
    public string Compose(string tag, string note) => FaultKind.Compose(Stack, tag, note).Replace("    depends_on: [ app ]", "    depends_on: [ app ]\n    restart: unless-stopped", StringComparison.Ordinal);

    /// <summary>What healing sees.</summary>
    public async Task<string> DriftAsync() => string.Join("; ", (await _daemon.Deployments.StatusAsync(Stack, CancellationToken.None))?.Drift.Select(note => $"{note.Kind} {note.Subject}: {note.Detail}: {note.Outlook}") ?? []);

    public Task<Scene> SceneAsync() => Scene.LookAsync(Stack, () => Scene.VersionAsync(_daemon.Edge, Host), _mortal?.Client ?? "");

    /// <summary>Waits until what is there is as told, and says what it is when that does not come.</summary>
    public async Task<Scene> SceneBecomesAsync(Func<Scene, bool> expected)
    {
        var since = TimeProvider.System.GetTimestamp();
        var scene = await SceneAsync();
        while (!expected(scene) && TimeProvider.System.GetElapsedTime(since) < Patience)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, CancellationToken.None);
            scene = await SceneAsync();
        }

        return scene;
    }

    public async ValueTask DisposeAsync()
    {
        await _users.DisposeAsync();
        await _daemon.DisposeAsync();
        await _proxy.DisposeAsync();
        if (_mortal is not null) await _mortal.DisposeAsync();
    }

    /// <summary>Everything of the stack is made anew: every step has something to do.</summary>
    private async Task<Deployment> DeployAsync()
    {
        var other = await Scene.VersionAsync(_daemon.Edge, Host) == "1" ? "2" : "1";
        return await _daemon.ApplyAsync(Compose($"ok-{other}", other));
    }

    private static string? Whole(Scene scene)
    {
        string[] services = [.. scene.Containers.Select(line => line.Split(' ')[1]).Order(StringComparer.Ordinal)];
        return scene.IsQuiet && services.SequenceEqual(["app/service", "front/service", "side/service"]) && scene.Version is not null ? null : $"there should be one of each service, and nothing else: {scene.Shape}";
    }

    private static string? Fits(Scene now, Scene before, bool moved) => (now.Version != before.Version, now.App.SequenceEqual(before.App)) switch
    {
        (true, false) when moved => null,
        (false, true) when !moved => null,
        _ => $"{(moved ? "the new version should serve" : "the containers that served before should serve")}\n  before: {before.Shape} {string.Join(", ", before.App)}\n  now:    {now.Shape} {string.Join(", ", now.App)}",
    };

    /// <summary>What the next start of the daemon would serve.</summary>
    private async Task<string?> UnrecordedAsync(Scene scene)
    {
        var state = await _daemon.StateAsync(Stack);
        var release = await _daemon.Journal.FindReleaseAsync(Stack, state.CurrentRelease, CancellationToken.None);
        var serving = await _daemon.Journal.FindReleaseAsync(Stack, state.Live["app"].Release, CancellationToken.None);
        var image = FaultImages.Name($"ok-{scene.Version}");
        return release?.Stack.Find("app")?.Image == image && serving?.Stack.Find("app")?.Image == image && release.Committed
            ? null
            : $"{image} serves; the journal says {release?.Stack.Find("app")?.Image} (release {state.CurrentRelease}, committed: {release?.Committed}), live {serving?.Stack.Find("app")?.Image}";
    }
}
