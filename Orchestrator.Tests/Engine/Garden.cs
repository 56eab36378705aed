namespace Orchestrator.Tests.Engine;

/// <summary>The Compose file of the first user, for tests: quick gates, a short bake.</summary>
internal static class Garden
{
    public const string Registry = "localhost:5000/basmalin";

    public static string Image(string tag) => $"{Registry}/garden:{tag}";

    /// <param name="host">The route's host: one per stack.</param>
    public static string Compose(string name, string tag, string host, int replicas = 2, string bake = "{ for: 2s, min_requests: 20, max_error_ratio: 0.05 }", string warm = "10m", string extra = "") => $$"""
        name: {{name}}
        services:
          app:
            image: {{Image(tag)}}
            deploy: { replicas: {{replicas}} }
            environment:
              DATABASE_URL: postgres://garden:garden@postgres:5432/garden
              REDIS_URL: redis://redis:6379
            depends_on:
              postgres: { condition: service_healthy }
              redis: { condition: service_started }
            stop_grace_period: 5s
            x-basmalin:
              route: { hosts: [{{host}}], port: 3000 }
              gate: { http: /api/health, expect: 200, interval: 200ms, timeout: 2s, successes: 2, stable: 500ms, deadline: 20s }
              smoke: [ { get: /api/gardens, expect: 200, within: 2s } ]
              migrate: ["GardenApp", "migrate"]
              drain: { http: 10s, websocket: 3s }
              bake: {{bake}}
              warm: {{warm}}
        {{extra}}
          postgres:
            image: {{Registry}}/postgres:15
            environment: { POSTGRES_USER: garden, POSTGRES_PASSWORD: garden, POSTGRES_DB: garden }
            volumes: [ "pgdata:/var/lib/postgresql/data" ]
            stop_grace_period: 3s
            healthcheck: { test: ["CMD", "pg_isready", "-h", "127.0.0.1"], interval: 1s, timeout: 2s, retries: 20 }
          redis:
            image: {{Registry}}/redis:7
            stop_grace_period: 1s
        volumes:
          pgdata: {}
        """;

    /// <summary>The application alone, asked only whether it lives: quick, for what does not need its data.</summary>
    /// <param name="settings">Further lines of the service, indented by four.</param>
    /// <param name="basMalin">Further lines of x-basmalin, indented by six.</param>
    public static string Light(string name, string tag, string host, string settings = "", string basMalin = "", string tail = "", int replicas = 1) => $$"""
        name: {{name}}
        services:
          app:
            image: {{Image(tag)}}
            deploy: { replicas: {{replicas}} }
            stop_grace_period: 5s
            environment:
              LIGHT: "1"
        {{Indent(settings, 4)}}
            x-basmalin:
              route: { hosts: [{{host}}], port: 3000 }
              gate: { http: /up, interval: 100ms, timeout: 2s, successes: 2, stable: 300ms, deadline: 15s }
              drain: { http: 10s, websocket: 3s }
              bake: { for: 1s, min_requests: 20, max_error_ratio: 0.05 }
        {{Indent(basMalin, 6)}}
        {{tail}}
        """;

    private static string Indent(string lines, int by) => string.Join('\n', lines.Split('\n').Select(line => line.Length == 0 ? line : new string(' ', by) + line));
}
