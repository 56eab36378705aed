using System.Collections.Immutable;
using Microsoft.Extensions.Time.Testing;
using Orchestrator.Deployments;
using Orchestrator.Docker;
using Orchestrator.Journal.Sqlite;
using Orchestrator.Planning;
using Orchestrator.Stacks;

namespace Orchestrator.Tests.Journal.Sqlite;

/// <summary>A journal in a directory of its own, and records to put into it.</summary>
internal sealed class JournalFixture : IDisposable
{
    private JournalFixture(TemporaryDirectory directory, FakeTimeProvider time, SqliteDatabase database)
    {
        Directory = directory;
        Time = time;
        Database = database;
        Journal = new SqliteJournal(database, time);
    }

    public TemporaryDirectory Directory { get; }

    public FakeTimeProvider Time { get; }

    public SqliteDatabase Database { get; }

    public SqliteJournal Journal { get; }

    public static async Task<JournalFixture> OpenAsync()
    {
        var directory = new TemporaryDirectory();
        var time = new FakeTimeProvider(new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero));
        return new JournalFixture(directory, time, await SqliteDatabase.OpenAsync(directory["journal.db"], time, CancellationToken.None));
    }

    public void Dispose()
    {
        Database.Dispose();
        Directory.Dispose();
    }

    public static DeploymentRequest Deploy(string stack, params (string Service, string Image)[] images) => new()
    {
        Stack = stack,
        Kind = DeploymentKind.Deploy,
        Images = images.ToImmutableSortedDictionary(image => image.Service, image => image.Image),
        Origin = "test",
    };

    public static DeploymentRequest Apply(string stack) => new() { Stack = stack, Kind = DeploymentKind.Apply, File = Stack(stack) };

    public static Stack Stack(string name) => new()
    {
        Name = name,
        Directory = "/srv/" + name,
        Services =
        [
            new ServiceSpec
            {
                Name = "app",
                Role = ServiceRole.Routed,
                Coloured = true,
                Image = "registry.example/garden:1.4.0",
                Replicas = 2,
                Container = new ContainerSettings
                {
                    Command = [],
                    Environment = ImmutableSortedDictionary<string, string>.Empty.Add("GREETING", "Grüß \"Gott\" <&> \u0001 🌱"),
                    StopGracePeriod = TimeSpan.FromSeconds(12.5),
                },
                Ports = [new PublishedPort(null, 3000, 3000, "tcp")],
                DependsOn = [new Dependency("postgres", DependencyCondition.Healthy, Required: true, Restart: false)],
                BasMalin = new BasMalinSpec
                {
                    Route = new RouteSpec { Hosts = ["garden.example"], Port = 3000 },
                    Gate = new GateSpec { Kind = GateKind.Http, Http = "/api/health" },
                    Smoke = [new SmokeRequest("GET", "/", [new StatusRange(200, 200)], TimeSpan.FromMilliseconds(500), null)],
                    Shift = new ShiftSpec([10m, 100m], TimeSpan.FromSeconds(30)),
                },
            },
        ],
    };

    public static Release Release(string stack) => new()
    {
        Number = 0,
        Stack = Stack(stack),
        Images = ImmutableSortedDictionary<string, ImageIdentity>.Empty.Add("app", new ImageIdentity { Reference = "garden:1", Id = "sha256:1", ExposedPorts = [3000] }),
        SecretVersions = ImmutableSortedDictionary<string, int>.Empty.Add("db", 3),
        CreatedAt = new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero),
        Deployment = new DeploymentId(1),
    };

    public static StackState State(string stack, int release) => new()
    {
        Stack = stack,
        CurrentRelease = release,
        Live = ImmutableSortedDictionary<string, Generation>.Empty.Add("app", new Generation(Colour.Green, release)),
        Warm = new WarmState(release - 1, ImmutableSortedDictionary<string, Generation>.Empty.Add("app", new Generation(Colour.Blue, release - 1)),
            new DateTimeOffset(2026, 3, 1, 12, 10, 0, TimeSpan.Zero)),
    };
}
