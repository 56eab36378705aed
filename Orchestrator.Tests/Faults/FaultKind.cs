using System.Collections.Immutable;
using System.Text.Json.Nodes;

namespace Orchestrator.Tests.Faults;

/// <summary>One way of deploying, with what it comes to when nobody kills anything.</summary>
/// <param name="Prepare">Brings the stack to where the deployment begins.</param>
/// <param name="Submit">Asks for it.</param>
/// <param name="State">How it ends by itself.</param>
/// <param name="Reason">Why, when it fails.</param>
/// <param name="Allowed">Answers that its users may get besides 200: of a bad version, or of a stack that is not there (yet).</param>
internal sealed record FaultKind(string Name, Func<FaultStage, Task> Prepare, Func<FaultStage, Task> Submit, string State, string? Reason, Func<Visit, bool> Allowed)
{
    /// <summary>NUnit names the case by it.</summary>
    public override string ToString() => Name;

    public static ImmutableArray<FaultKind> All { get; } =
    [
        new("the first apply", FirstAsync, stage => ApplyAsync(stage, "ok-1", "1"), "succeeded", null, Nowhere),
        new("an apply that changes everything", stage => StandingAsync(stage), ChangeAllAsync, "succeeded", null, Never),
        new("a deploy", stage => StandingAsync(stage), DeployOtherAsync, "succeeded", null, Never),
        new("a warm rollback", WarmAsync, RollBackAsync, "succeeded", null, Never),
        new("a cold rollback", ColdAsync, RollBackAsync, "succeeded", null, Never),
        new("a removal", stage => StandingAsync(stage), stage => stage.SubmitAsync(HttpMethod.Delete, $"stacks/{stage.Stack}", null), "succeeded", null, Nowhere),
        Bad("sick", "failed", "neverHealthy", Never, deadline: "1500ms"),
        Bad("exit", "failed", "containerExited", Never),
        Bad("smoke", "failed", "smokeFailed", Never),
        Bad("migration", "failed", "migrationFailed", Never),
        // The watch goes on while the old colour is drained: on a busy machine a few requests would be judged there already, and another row be the last one.
        Bad("bake", "rolledBack", "bakeFailed", visit => visit.Version == "bad", bake: "10s", enough: 40),
    ];

    /// <param name="note">A text in the environment of every service: another one makes all of them anew.</param>
    public static string Compose(string stack, string tag, string note, string warm = "0s", string deadline = "20s", string bake = "300ms", string shift = "", string stable = "0s", int enough = 5) => $$"""
        name: {{stack}}
        services:
          app:
            image: {{FaultImages.Name(tag)}}
            pull_policy: never
            stop_grace_period: 1s
            environment: { NOTE: "{{note}}" }
            depends_on: [ side ]
            x-basmalin:
              route: { hosts: [{{stack}}.example], port: 3000 }
              gate: { http: /up, interval: 50ms, timeout: 1s, successes: 2, stable: {{stable}}, deadline: {{deadline}} }
              smoke: [ { get: /smoke, expect: 200, within: 2s } ]
              migrate: ["perl", "-e", "exit($$ENV{MODE} eq 'migration' ? 3 : 0)"]
              {{shift}}
              drain: { http: 2s, websocket: 1s }
              bake: { for: {{bake}}, min_requests: {{enough}}, max_error_ratio: 0.2 }
              warm: {{warm}}
          side:
            image: {{FaultImages.Name("ok-1")}}
            pull_policy: never
            stop_grace_period: 1s
            environment: { NOTE: "{{note}}" }
          front:
            image: {{FaultImages.Name("ok-1")}}
            pull_policy: never
            stop_grace_period: 1s
            environment: { NOTE: "{{note}}" }
            depends_on: [ app ]
        """;

    public static Task ApplyAsync(FaultStage stage, string tag, string note, string warm = "0s", string deadline = "20s", string bake = "300ms", string shift = "", int enough = 5) =>
        stage.SubmitAsync(HttpMethod.Post, $"stacks?directory={stage.Directory}", Compose(stage.Stack, tag, note, warm, deadline, bake, shift, enough: enough));

    public static Task DeployAsync(FaultStage stage, string tag) =>
        stage.SubmitAsync(HttpMethod.Post, $"stacks/{stage.Stack}/deployments", new { images = new Dictionary<string, string> { ["app"] = FaultImages.Name(tag) } });

    /// <summary>A stack that serves, by whatever way it gets there.</summary>
    public static async Task StandingAsync(FaultStage stage, string warm = "0s", string deadline = "20s", string bake = "300ms", string shift = "", int enough = 5)
    {
        if ((await stage.StatusAsync())?["services"]?.AsArray() is { Count: > 0 }) return;

        await ApplyAsync(stage, "ok-1", "1", warm, deadline, bake, shift, enough);
        await SucceededAsync(stage);
    }

    public static async Task SucceededAsync(FaultStage stage)
    {
        var ended = await stage.EndedAsync();
        if (ended?["state"]?.GetValue<string>() != "succeeded") throw new InvalidOperationException($"{ended?.ToJsonString()}\n{stage.Tail()}");
    }

    private static FaultKind Bad(string tag, string state, string reason, Func<Visit, bool> allowed, string deadline = "20s", string bake = "300ms", int enough = 5) => new(
        $"a version with a bad {tag}", stage => StandingAsync(stage, deadline: deadline, bake: bake, enough: enough), stage => DeployAsync(stage, tag), state, reason, allowed);

    private static bool Never(Visit visit) => false;

    private static bool Nowhere(Visit visit) => visit.Status == 404;

    private static async Task FirstAsync(FaultStage stage)
    {
        if ((await stage.StatusAsync())?["services"]?.AsArray() is { Count: > 0 })
        {
            await stage.SubmitAsync(HttpMethod.Delete, $"stacks/{stage.Stack}", null);
            await stage.EndedAsync();
        }

        stage.NewStack();
    }

    private static async Task DeployOtherAsync(FaultStage stage) => await DeployAsync(stage, await ServesAsync(stage) == "1" ? "ok-2" : "ok-1");

    private static async Task ChangeAllAsync(FaultStage stage)
    {
        var other = await ServesAsync(stage) == "1" ? "2" : "1";
        await ApplyAsync(stage, $"ok-{other}", other);
    }

    private static async Task<string?> ServesAsync(FaultStage stage) => (await stage.SceneAsync()).Version;

    private static async Task WarmAsync(FaultStage stage)
    {
        await StandingAsync(stage, warm: "1h");
        if ((await stage.StatusAsync())?["warm"] is JsonObject) return;

        await DeployOtherAsync(stage);
        await SucceededAsync(stage);
    }

    private static async Task ColdAsync(FaultStage stage)
    {
        await StandingAsync(stage);
        if (await OtherReleaseAsync(stage) is not null) return;

        await DeployOtherAsync(stage);
        await SucceededAsync(stage);
    }

    /// <summary>To the warm release, else to the newest committed one that is not current: to and fro for ever.</summary>
    private static async Task RollBackAsync(FaultStage stage) =>
        await stage.SubmitAsync(HttpMethod.Post, $"stacks/{stage.Stack}/rollback", new { to = await OtherReleaseAsync(stage) });

    private static async Task<int?> OtherReleaseAsync(FaultStage stage)
    {
        var status = await stage.StatusAsync();
        if (status?["warm"] is JsonObject warm) return warm["release"]!.GetValue<int>();

        var current = status!["release"]!.GetValue<int>();
        using var answer = await stage.Api.GetAsync($"/api/v1/stacks/{stage.Stack}/releases");
        return (await Agent.RunningDaemon.JsonAsync(answer)).AsArray()
            .Where(release => release!["committed"]!.GetValue<bool>() && release["number"]!.GetValue<int>() != current)
            .Select(release => (int?)release!["number"]!.GetValue<int>())
            .FirstOrDefault();
    }
}
