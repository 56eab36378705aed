using System.Collections.Immutable;
using Orchestrator.Agent.StatusPage;
using Orchestrator.Backups;
using Orchestrator.Backups.Sets;
using Orchestrator.Deployments;
using Orchestrator.Docker;
using Orchestrator.Planning;
using Orchestrator.Restores;
using Orchestrator.Stacks;

namespace Orchestrator.Tests.StatusPage;

/// <summary>A stack as one would meet it.</summary>
internal static class Samples
{
    public static readonly Visitor Operator = new("alice", MayDeploy: true, Stack: null);
    public static readonly Visitor Onlooker = new("wall-screen", MayDeploy: false, Stack: null);
    public static readonly PageFrame Frame = new("0123456789abcdef", "0.1.0+abc", "host-1");

    public static StackStatus Stack(DateTimeOffset now, string name = "garden") => new(
        name, 12, "1.5.0",
        [
            new("app", ServiceRole.Routed, Colour.Green, 12, "registry.example/garden:1.5.0", 2, 2, "healthy",
                [
                    Container("4f1d2c3b4a59", $"{name}-app-green-12-1", Colour.Green, 12, now, true),
                    Container("5f1d2c3b4a59", $"{name}-app-green-12-2", Colour.Green, 12, now, true),
                    Container("6f1d2c3b4a59", $"{name}-app-blue-11-1", Colour.Blue, 11, now.AddDays(-2), false),
                ],
                ["garden.example/", "0.0.0.0:3000"]),
            new("worker", ServiceRole.Worker, Colour.Green, 12, "registry.example/garden:1.5.0", 1, 1, "running", [Container("7f1d2c3b4a59", $"{name}-worker-green-12-1", Colour.Green, 12, now, true)], []),
            new("postgres", ServiceRole.Stateful, null, 3, "postgres:16-alpine", 1, 1, "healthy", [Container("8f1d2c3b4a59", $"{name}-postgres-1", null, 3, now.AddDays(-30), true)], []),
        ],
        Warm(now), false, null, null, null);

    public static WarmState Warm(DateTimeOffset now) => new(11, ImmutableSortedDictionary<string, Generation>.Empty.Add("app", new(Colour.Blue, 11)).Add("worker", new(Colour.Blue, 11)), now.AddMinutes(9));

    public static ContainerStatus Container(string id, string name, Colour? colour, int release, DateTimeOffset started, bool live) =>
        new(id, name, colour, release, "running", "healthy", "172.20.0.7", started, live);

    public static Release Release(DateTimeOffset now, int number, string? version, bool committed = true) => new()
    {
        Number = number,
        Stack = new() { Name = "garden", Directory = "/etc/basmalin/garden" },
        Images = ImmutableSortedDictionary<string, ImageIdentity>.Empty,
        Version = version,
        CreatedAt = now.AddDays(number - 13),
        Deployment = new(number),
        Committed = committed,
    };

    public static Deployment Running(DateTimeOffset now, long id = 15) => new()
    {
        Id = new(id),
        Request = new() { Stack = "garden", Kind = DeploymentKind.Deploy, Version = "1.6.0", Origin = "ci" },
        State = DeploymentState.Running,
        CreatedAt = now.AddSeconds(-6),
        StartedAt = now.AddSeconds(-6),
        Release = 13,
        Steps =
        [
            new(StepKind.Plan, StepState.Succeeded, now.AddSeconds(-6), now.AddSeconds(-5.9), "1 replaced, 2 kept"),
            new(StepKind.Preflight, StepState.Succeeded, now.AddSeconds(-5.9), now.AddSeconds(-5.8), null),
            new(StepKind.Pull, StepState.Succeeded, now.AddSeconds(-5.8), now.AddSeconds(-3), "registry.example/garden:1.6.0 is sha256:1f3a"),
            new(StepKind.Protect, StepState.Skipped, now.AddSeconds(-3), now.AddSeconds(-3), null),
            new(StepKind.Start, StepState.Running, now.AddSeconds(-3), null, null),
        ],
    };

    public static Deployment Failed(DateTimeOffset now, string log, long id = 14) => new()
    {
        Id = new(id),
        Request = new() { Stack = "garden", Kind = DeploymentKind.Deploy, Version = "1.5.1", Origin = "webhook:github", Commit = "8c1f0e2" },
        State = DeploymentState.Failed,
        CreatedAt = now.AddMinutes(-31),
        StartedAt = now.AddMinutes(-31),
        EndedAt = now.AddMinutes(-30),
        Release = 13,
        Failure = new(
            FailureReason.NeverHealthy,
            $"garden-app-blue-13-1: was not healthy within 60 s.\nLast probes:\n  GET /api/health returned 503\nLast lines of its log:\n{log}",
            "The old version is still serving. 'basmalin history garden' keeps this report."),
        Steps =
        [
            new(StepKind.Plan, StepState.Succeeded, now.AddMinutes(-31), now.AddMinutes(-31).AddMilliseconds(41), "1 replaced, 2 kept"),
            new(StepKind.Start, StepState.Undone, now.AddMinutes(-31), now.AddMinutes(-31).AddSeconds(2), "2 replicas of app"),
            new(StepKind.Gate, StepState.Failed, now.AddMinutes(-31).AddSeconds(2), now.AddMinutes(-30), null),
        ],
    };

    public static Deployment Succeeded(DateTimeOffset now, long id = 13) => new()
    {
        Id = new(id),
        Request = new() { Stack = "garden", Kind = DeploymentKind.Deploy, Version = "1.5.0", Origin = "ci" },
        State = DeploymentState.Succeeded,
        CreatedAt = now.AddHours(-5),
        StartedAt = now.AddHours(-5),
        EndedAt = now.AddHours(-5).AddSeconds(75.3),
        Release = 12,
        Requests = new(12_345, 0),
        Steps = [new(StepKind.Plan, StepState.Succeeded, now.AddHours(-5), now.AddHours(-5).AddSeconds(1), "1 replaced, 2 kept")],
    };

    public static StackBoard Board(DateTimeOffset now, StackStatus? status = null, params ReadOnlySpan<Deployment> recent) => new(
        status ?? Stack(now),
        recent.Length > 0 ? [.. recent] : [Failed(now, "Unhandled exception. connection refused"), Succeeded(now)],
        [Release(now, 13, "1.5.1", committed: false), Release(now, 12, "1.5.0"), Release(now, 11, "1.4.2"), Release(now, 9, "1.4.0")]);

    /// <summary>Twelve nights of sets, six drills of which one failed, and a log that is received.</summary>
    public static BackupBoard Backups(DateTimeOffset now)
    {
        BackupSetRecord Set(int night) => new()
        {
            Stack = "garden",
            Sequence = night,
            Id = BackupSetId.Of(night, now.AddDays(night - 12)),
            State = BackupSetState.Succeeded,
            Reason = "schedule",
            StartedAt = now.AddDays(night - 12),
            EndedAt = now.AddDays(night - 12).AddSeconds(20 + night),
            ProvedAt = now,
            Manifest = new()
            {
                Id = BackupSetId.Of(night, now),
                Stack = "garden",
                CreatedAt = now,
                Reason = "schedule",
                Program = "test",
                Recipients = [],
                Parts = [new() { Service = "postgres", Kind = "postgres", Objects = [new("key", 1, "", (1L << 20) * (night == 9 ? 14 : 30 + night), "")] }],
            },
            Zones = ImmutableSortedDictionary<string, string>.Empty.Add("local", BackupSetRecord.Whole),
        };
        DrillRecord Drill(int week) => new()
        {
            Number = week,
            Stack = "garden",
            Set = "",
            StartedAt = now.AddDays(-7 * (6 - week)),
            EndedAt = now.AddDays(-7 * (6 - week)),
            Passed = week != 3,
            Checks = [],
            Phases = ImmutableSortedDictionary<string, double>.Empty.Add("application", 4).Add("total", week == 3 ? 40 : 10 + week),
        };
        var sets = Enumerable.Range(1, 12).Select(Set).ToImmutableArray();
        return new(sets[^1], null, Drill(6), ImmutableSortedDictionary<string, DateTimeOffset>.Empty.Add("backup", now.AddHours(5)).Add("drill", now.AddDays(3)), [])
        {
            Sets = sets,
            Drills = [.. Enumerable.Range(1, 6).Select(Drill)],
            BytesBefore = sets[^2].Bytes,
            Streams = [new("garden", "postgres", "postgres", true, TimeSpan.Zero, 0, TimeSpan.FromSeconds(2.4), 1800)],
        };
    }
}
