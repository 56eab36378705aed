using System.Collections.Immutable;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Docker.DotNet.Models;

namespace Orchestrator.Docker;

/// <summary>The engine's events about containers of ours.</summary>
internal sealed class EventStream(EngineConnection engine)
{
    /// <summary>All that changes what a container is; not the starts and ends of health checks, of which there are several each second.</summary>
    private static readonly string[] Actions =
        ["create", "start", "restart", "stop", "kill", "die", "oom", "pause", "unpause", "rename", "update", "destroy", "health_status"];

    public async IAsyncEnumerable<EngineEvent> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        const string What = "follow the engine's events";
        var filters = ContainerLifecycle.Filter("type", "container");
        filters["label"] = ContainerLifecycle.Filter("label", Labels.Stack)["label"];
        filters["event"] = ContainerLifecycle.Filter("event", Actions)["event"];
#pragma warning disable CS0618 // Its successor pushes: it has no back-pressure, and does not say when it is connected.
        await using var stream = await engine.CallAsync(
            new EngineCall(What), (client, token) => client.System.MonitorEventsAsync(new ContainerEventsParameters { Filters = filters }, token), cancellationToken);
#pragma warning restore CS0618
        using var reader = new StreamReader(stream);
        while (await LineAsync(What, reader, cancellationToken) is { } line)
        {
            if (line.Length > 0) yield return Parse(What, line);
        }
    }

    /// <returns>Null when the connection has ended, however it did: the caller asks what is and follows anew.</returns>
    private static async Task<string?> LineAsync(string what, StreamReader reader, CancellationToken cancellationToken)
    {
        try
        {
            return await reader.ReadLineAsync(cancellationToken);
        }
        catch (EndOfStreamException)
        {
            // The engine went away without closing the stream: its end all the same.
            return null;
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw EngineFaults.Translate(what, exception, []);
        }
    }

    private static EngineEvent Parse(string what, string line)
    {
        try
        {
            using var json = JsonDocument.Parse(line);
            var root = json.RootElement;
            var actor = root.GetProperty("Actor");
            return new EngineEvent(
                DateTimeOffset.UnixEpoch.AddTicks(root.GetProperty("timeNano").GetInt64() / TimeSpan.NanosecondsPerTick),
                root.GetProperty("Action").GetString() ?? "",
                new ContainerId(actor.GetProperty("ID").GetString() ?? ""),
                actor.GetProperty("Attributes").EnumerateObject()
                    .ToImmutableSortedDictionary(attribute => attribute.Name, attribute => attribute.Value.ToString(), StringComparer.Ordinal));
        }
        catch (Exception exception) when (exception is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            throw EngineFaults.Translate(what, new JsonException(string.Create(CultureInfo.InvariantCulture, $"unknown event: {line[..Math.Min(line.Length, 200)]}"), exception), []);
        }
    }
}
