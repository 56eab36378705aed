using System.Net.Http.Json;
using System.Text.Json.Nodes;
using GardenApp.Hosting;
using GardenApp.Migrations;
using Microsoft.AspNetCore.Builder;

namespace Orchestrator.Tests.GardenApp;

/// <summary>GardenApp in this process, on a real port, with the settings that its environment would give it.</summary>
internal sealed class RunningGarden : IAsyncDisposable
{
    private readonly WebApplication _application;
    private readonly string _uploads;

    private RunningGarden(WebApplication application, GardenSettings settings, string uploads)
    {
        _application = application;
        _uploads = uploads;
        Settings = settings;
        Client = NewClient(new Uri(application.Urls.Single().Replace("[::]", "127.0.0.1", StringComparison.Ordinal)));
    }

    internal HttpClient Client { get; }

    internal GardenSettings Settings { get; }

    /// <summary>Starts with PostgreSQL, migrated, and Redis.</summary>
    internal static async Task<RunningGarden> StartAsync(params (string Name, string Value)[] environment)
    {
        var database = await Backing.NewDatabaseAsync();
        var garden = await StartBareAsync([("DATABASE_URL", database), ("REDIS_URL", $"redis://{Backing.RedisAddress}/0"), .. environment]);
        Assert.That(await MigrateVerb.RunAsync(garden.Settings, TextWriter.Null, CancellationToken.None), Is.Zero);
        return garden;
    }

    /// <summary>Starts with exactly these variables.</summary>
    internal static async Task<RunningGarden> StartBareAsync(params (string Name, string Value)[] environment)
    {
        var uploads = Directory.CreateTempSubdirectory("garden-uploads").FullName;
        var settings = SettingsOf([("PORT", "0"), ("UPLOADS_DIR", uploads), ("LOG_LEVEL", "Fatal"), .. environment]);
        var application = GardenApplication.Build(settings);
        await application.StartAsync();
        return new RunningGarden(application, settings, uploads);
    }

    internal static GardenSettings SettingsOf(params (string Name, string Value)[] environment)
    {
        var problems = new List<string>();
        var settings = TryRead(problems, environment);
        Assert.That(problems, Is.Empty);
        return settings;
    }

    internal static GardenSettings TryRead(List<string> problems, params (string Name, string Value)[] environment)
    {
        var variables = new Dictionary<string, string>();
        foreach (var (name, value) in environment) variables[name] = value;
        var reader = new SettingsReader(name => variables.GetValueOrDefault(name));
        var settings = GardenSettings.Read(reader, variables.Keys);
        problems.AddRange(reader.Problems);
        return settings;
    }

    /// <summary>A client with a session of this user.</summary>
    internal async Task<HttpClient> SignInAsync(string user)
    {
        using var answer = await Client.PostAsJsonAsync("/api/sessions", new { user });
        var session = await JsonOf(answer);
        var client = NewClient(Client.BaseAddress!);
        client.DefaultRequestHeaders.Authorization = new("Bearer", (string?)session["token"]);
        return client;
    }

    internal static async Task<Guid> CreateGardenAsync(HttpClient client, string name)
    {
        using var answer = await client.PostAsJsonAsync("/api/gardens", new { name });
        return Guid.Parse((string?)(await JsonOf(answer))["id"] ?? "");
    }

    internal async Task<JsonNode> HealthAsync()
    {
        using var answer = await Client.GetAsync("/api/health");
        return JsonNode.Parse(await answer.Content.ReadAsStringAsync())!;
    }

    // Cookies off: one test's session is not another's.
    private static HttpClient NewClient(Uri address) => new(new SocketsHttpHandler { UseCookies = false }) { BaseAddress = address };

    /// <summary>The body of a success; otherwise the test fails with the body.</summary>
    internal static async Task<JsonNode> JsonOf(HttpResponseMessage answer)
    {
        var body = await answer.Content.ReadAsStringAsync();
        Assert.That(answer.IsSuccessStatusCode, $"{(int)answer.StatusCode}: {body}");
        return JsonNode.Parse(body)!;
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _application.StopAsync();
        await _application.DisposeAsync();
        Directory.Delete(_uploads, recursive: true);
    }
}
