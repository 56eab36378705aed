using System.Text.Json;
using System.Text.Json.Nodes;
using Orchestrator.Tests.Architecture;

namespace Orchestrator.Tests.Agent.Api;

public sealed class OpenApiTests
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>To renew the file: <c>BASMALIN_UPDATE=1 dotnet test --project Orchestrator.Tests --filter FullyQualifiedName~OpenApiTests</c>.</summary>
    [Test]
    public async Task The_committed_document_is_what_the_daemon_says()
    {
        await using var daemon = await RunningDaemon.StartAsync();
        var said = JsonNode.Parse(await daemon.Socket.GetStringAsync("/openapi/v1.json"))!;
        var text = said.ToJsonString(Indented) + "\n";
        var file = Repository.PathOf("docs", "openapi.json");
        if (Environment.GetEnvironmentVariable("BASMALIN_UPDATE") == "1") await File.WriteAllTextAsync(file, text);

        Assert.That(File.Exists(file), Is.True, $"{file} is missing");
        Assert.That(JsonNode.DeepEquals(JsonNode.Parse(await File.ReadAllTextAsync(file)), said), Is.True, "docs/openapi.json is not what the daemon says; renew it with BASMALIN_UPDATE=1");
        foreach (var (path, operations) in said["paths"]!.AsObject())
        {
            foreach (var (method, operation) in operations!.AsObject())
                Assert.That(operation!["operationId"] is not null && operation["summary"] is not null, Is.True, $"{method} {path} has no name or summary");
        }
    }
}
