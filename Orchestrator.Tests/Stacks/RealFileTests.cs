using System.Collections.Immutable;
using Orchestrator.Stacks;

namespace Orchestrator.Tests.Stacks;

/// <summary>Whole files as people write them.</summary>
internal sealed class RealFileTests
{
    private const string Demo = """
        name: garden
        x-common: &common
          restart: unless-stopped
          stop_grace_period: 20s
        services:
          app:
            <<: *common
            image: localhost:5000/garden:1.4.0
            deploy: { replicas: 2, resources: { limits: { cpus: "0.5", memory: 256M } } }
            ports: [ "3000:3000" ]
            environment:
              ConnectionStrings__Postgres: Host=postgres;Password=${DB_PASSWORD}
              Feature: ${FEATURE:-on}
              Count: 3
            volumes: [ "uploads:/uploads" ]
            depends_on:
              postgres: { condition: service_healthy }
              redis: { condition: service_started, required: false }
            healthcheck:
              test: [ CMD, dotnet, GardenApp.dll, --healthcheck ]
              interval: 2s
              retries: 3
            x-basmalin:
              route:   { hosts: [Garden.Example, "*.garden.example"], path: / }
              gate:    { http: /api/health, expect: [200, 204], json: { field: status, equals: healthy }, interval: 1s, timeout: 5s, successes: 3, stable: 5s, deadline: 60s }
              smoke:   [ { get: /api/gardens, expect: 200-299, within: 500ms, contains: "[" } ]
              migrate: [ "dotnet", "GardenApp.dll", "migrate" ]
              shift:   { steps: [10%, 50%, 100%], dwell: 30s }
              drain:   { http: 30s, websocket: 60s }
              bake:    { for: 60s, max_error_ratio: 1%, max_p95_ratio: 2.0, min_requests: 50 }
              warm:    10m
              recycle: { memory: 1G, at: "0 2 * * *" }
          worker:
            <<: *common
            image: localhost:5000/garden:1.4.0
            command: dotnet GardenApp.dll "work hard"
            x-basmalin:
          postgres:
            image: postgres:16
            volumes: [ "pgdata:/var/lib/postgresql/data" ]
            environment: [ "POSTGRES_PASSWORD=${DB_PASSWORD}" ]
            healthcheck: { test: pg_isready -U postgres }
            x-basmalin:
              backup:  { kind: postgres, every: "0 1 * * *", wal: true, keep: { daily: 30 }, drill: weekly, before_deploy: true }
          redis:
            image: redis:7
            networks: { default: { aliases: [cache] } }
        volumes: { pgdata: , uploads: }
        """;

    [Test]
    public void The_demo_file_becomes_a_stack_with_every_value_in_its_place()
    {
        var stack = Compose.Stack(Demo, ("DB_PASSWORD", "s3cret"));

        Assert.That(stack.Name, Is.EqualTo("garden"));
        Assert.That(stack.Services.Select(service => service.Name), Is.EqualTo(new[] { "worker", "postgres", "redis", "app" }));
        Assert.That(stack.Volumes.Select(volume => volume.Name), Is.EqualTo(new[] { "garden_pgdata", "garden_uploads" }));
        Assert.That(stack.Networks.Select(network => network.Name), Is.EqualTo(new[] { "garden_default" }));

        var app = stack.Find("app")!;
        Assert.That(app.Role, Is.EqualTo(ServiceRole.Routed));
        Assert.That(app.Coloured, Is.True);
        Assert.That(app.Replicas, Is.EqualTo(2));
        Assert.That(app.Container.Environment["ConnectionStrings__Postgres"], Is.EqualTo("Host=postgres;Password=s3cret"));
        Assert.That(app.Container.Environment["Feature"], Is.EqualTo("on"));
        Assert.That(app.Container.Environment["Count"], Is.EqualTo("3"));
        Assert.That(app.Container.Restart, Is.EqualTo(new RestartPolicy("unless-stopped", 0)));
        Assert.That(app.Container.StopGracePeriod, Is.EqualTo(TimeSpan.FromSeconds(20)));
        Assert.That(app.Container.Resources, Is.EqualTo(new ResourceLimits { Cpus = 0.5m, Memory = 256 << 20 }));
        Assert.That(app.Container.Mounts, Is.EqualTo(new[] { new MountSpec(MountKind.Volume, "uploads", "/uploads", false, false) }));
        Assert.That(app.Ports, Is.EqualTo(new[] { new PublishedPort(null, 3000, 3000, "tcp") }));
        Assert.That(app.DependsOn, Is.EqualTo(new[]
        {
            new Dependency("postgres", DependencyCondition.Healthy, true, false),
            new Dependency("redis", DependencyCondition.Started, false, false),
        }));
    }

    [Test]
    public void The_demo_files_extension_is_read_whole()
    {
        var extension = Compose.Stack(Demo, ("DB_PASSWORD", "s3cret")).Find("app")!.BasMalin!;

        Assert.That(extension.Route!.Hosts, Is.EqualTo(new[] { "garden.example", "*.garden.example" }));
        Assert.That(extension.Route.Port, Is.EqualTo(3000), "the only published port is the route's");
        Assert.That(extension.Gate!.Kind, Is.EqualTo(GateKind.Http));
        Assert.That(extension.Gate.Http, Is.EqualTo("/api/health"));
        Assert.That(extension.Gate.Expect, Is.EqualTo(new[] { new StatusRange(200, 200), new StatusRange(204, 204) }));
        Assert.That((extension.Gate.JsonField, extension.Gate.JsonValue), Is.EqualTo(("status", "healthy")));
        Assert.That(extension.Smoke[0] with { Expect = [] }, Is.EqualTo(new SmokeRequest("GET", "/api/gardens", [], TimeSpan.FromMilliseconds(500), "[")));
        Assert.That(extension.Migrate, Is.EqualTo(new[] { "dotnet", "GardenApp.dll", "migrate" }));
        Assert.That(extension.Shift!.Steps, Is.EqualTo(new[] { 10m, 50m, 100m }));
        Assert.That(extension.Drain, Is.EqualTo(new DrainSpec { Http = TimeSpan.FromSeconds(30), WebSocket = TimeSpan.FromSeconds(60) }));
        Assert.That(extension.Bake, Is.EqualTo(new BakeSpec { For = TimeSpan.FromSeconds(60), MaxErrorRatio = 0.01, MaxP95Ratio = 2, MinRequests = 50 }));
        Assert.That(extension.Warm, Is.EqualTo(TimeSpan.FromMinutes(10)));
        Assert.That(extension.Recycle, Is.EqualTo(new RecycleSpec(1L << 30, "0 2 * * *")));
    }

    [Test]
    public void Roles_follow_from_routes_volumes_and_the_extension()
    {
        var stack = Compose.Stack(Demo, ("DB_PASSWORD", "s3cret"));

        Assert.That(stack.Services.Select(service => (service.Name, service.Role, service.Coloured)), Is.EquivalentTo(new[]
        {
            ("app", ServiceRole.Routed, true),
            ("worker", ServiceRole.Worker, true),
            ("postgres", ServiceRole.Stateful, false),
            ("redis", ServiceRole.Worker, false),
        }));
        Assert.That(stack.Find("worker")!.Container.Command!.Value, Is.EqualTo(new[] { "dotnet", "GardenApp.dll", "work hard" }));
        Assert.That(stack.Find("postgres")!.BasMalin!.Backup!.BeforeDeploy, Is.True);
    }

    [Test]
    public void All_of_it_is_carried_out()
    {
        var notes = Compose.Read(Demo, ("DB_PASSWORD", "s3cret")).Notes.Select(note => note.Key);

        Assert.That(notes, Is.Empty);
    }

    [Test]
    public void The_file_of_the_operations_plan_is_accepted_as_it_is()
    {
        var content = File.ReadAllText(Path.Combine(Sources.Directory, "Orchestrator.Tests", "Stacks", "Fixtures", "operations-plan.compose.yml"));

        var result = Compose.Read(content, ("POSTGRES_PASSWORD", "p"), ("JWT_SECRET", "j"), ("REDIS_PASSWORD", "r"));

        Assert.That(result.Errors, Is.Empty);
        Assert.That(Compose.Notes(result), Is.EqualTo(new[] { "1:1 version: Compose ignores the version of its format, and so does this (remove it)" }));
        Assert.That(result.Stack!.Name, Is.EqualTo("garden"));
        Assert.That(result.Stack.Services.Where(service => service.Role == ServiceRole.Stateful).Select(service => service.Name),
            Is.EquivalentTo(new[] { "postgres", "redis", "prometheus", "grafana", "loki" }));
        Assert.That(result.Stack.Find("app")!.Image, Is.EqualTo("garden-app"));
        Assert.That(result.Stack.Find("redis")!.Container.Command!.Value, Is.EqualTo(new[] { "redis-server", "--appendonly", "yes", "--requirepass", "r" }));
    }

    [Test]
    public void Without_its_variables_the_file_of_the_operations_plan_names_each_once()
    {
        var content = File.ReadAllText(Path.Combine(Sources.Directory, "Orchestrator.Tests", "Stacks", "Fixtures", "operations-plan.compose.yml"));

        var notes = Compose.Notes(Compose.Read(content));

        Assert.That(notes.Where(note => note.Contains("is not set", StringComparison.Ordinal)).Select(note => note.Split(' ')[0]), Is.EqualTo(new[] { "12:42", "14:20", "57:58" }));
        Assert.That(ComposeReader.ReferencedVariables(content), Is.EqualTo(new[] { "GRAFANA_PASSWORD", "JWT_SECRET", "POSTGRES_PASSWORD", "REDIS_PASSWORD" }));
    }

    [TestCase("compose.yml")]
    [TestCase("operations-plan.compose.yml")]
    public void The_files_of_the_garden_are_accepted_as_they_are(string file)
    {
        var directory = Path.Combine(Sources.Directory, "config", "garden");
        var content = File.ReadAllText(Path.Combine(directory, file));
        var variables = ComposeReader.ReferencedVariables(content).ToImmutableDictionary(name => name, _ => "x1");

        var result = ComposeReader.Read(new ComposeSource { FileName = file, Content = content, Directory = directory, Environment = variables });

        Assert.That(result.Errors, Is.Empty);
        Assert.That(result.Stack!.Services, Is.Not.Empty);
    }

    [Test]
    public void A_stack_survives_its_manifest_exactly()
    {
        var stack = Compose.Stack(Demo, ("DB_PASSWORD", "ümlaut \"quoted\" \n <&>"));
        var json = StackJson.Write(stack);

        var again = StackJson.Read(json);

        Assert.That(StackJson.Write(again), Is.EqualTo(json));
        Assert.That(again.Services.Select(SpecHash.Of), Is.EqualTo(stack.Services.Select(SpecHash.Of).ToImmutableArray()));
    }
}
