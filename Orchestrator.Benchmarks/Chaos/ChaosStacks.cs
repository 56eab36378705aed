namespace Orchestrator.Benchmarks.Chaos;

/// <summary>What is deployed: two replicas with a service that owns a volume, and another stack with a single replica.</summary>
internal static class ChaosStacks
{
    public const string Main = "chaos";
    public const string Other = "bystander";
    public const string App = "app";
    public const string Keys = "keys";

    public static string HostOf(string stack) => $"{stack}.example";

    public static string MainFile { get; } = $$"""
        name: {{Main}}
        services:
          {{App}}:
            image: {{ChaosImages.Name(ChaosImages.First)}}
            pull_policy: never
            deploy: { replicas: 2 }
            stop_grace_period: 5s
            depends_on: [ {{Keys}} ]
            x-basmalin:
              route: { hosts: [{{HostOf(Main)}}], port: 3000 }
              gate: { http: /api/health, expect: 200, interval: 200ms, timeout: 5s, successes: 2, stable: 300ms, deadline: 40s }
              smoke: [ { get: /api/gardens, expect: 200, within: 2s } ]
              drain: { http: 5s, websocket: 1s }
              bake: { for: 4s, min_requests: 20, max_error_ratio: 0.2 }
              warm: 30s
          {{Keys}}:
            image: localhost:5000/basmalin/redis:7
            command: ["redis-server", "--appendonly", "yes"]
            volumes: [ "data:/data" ]
            stop_grace_period: 2s
        volumes:
          data: {}
        """;

    public static string OtherFile { get; } = $$"""
        name: {{Other}}
        services:
          {{App}}:
            image: {{ChaosImages.Name(ChaosImages.Other)}}
            pull_policy: never
            stop_grace_period: 5s
            x-basmalin:
              route: { hosts: [{{HostOf(Other)}}], port: 3000 }
              gate: { http: /api/health, expect: 200, interval: 200ms, timeout: 5s, successes: 2, stable: 300ms, deadline: 40s }
              drain: { http: 5s, websocket: 1s }
              bake: { for: 0s }
              warm: 0s
        """;
}
