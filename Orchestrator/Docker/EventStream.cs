using System.Collections.Immutable;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Docker.DotNet.Models;

namespace Orchestrator.Docker;

/// <summary>The engine's events about containers of ours, and about who leaves a network.</summary>
internal sealed class EventStream(EngineConnection engine)
{
    /// <summary>All that changes what a container is; not the starts and ends of health checks, of which there are several each second.</summary>
    private static readonly string[] Actions =
        ["create", "start", "restart", "stop", "kill", "die", "oom", "pause", "unpause", "rename", "update", "destroy", "health_status", EngineEvent.OffNetwork];

    /// <param name="listening">Called once the engine has answered; null: nobody is.</param>
    public async IAsyncEnumerable<EngineEvent> ReadAsync(Action? listening, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        const string What = "follow the engine's events";

        // Not by label: what happens on a network is told without those of the container.
        var filters = ContainerLifecycle.Filter("type", "container", "network");
        filters["event"] = ContainerLifecycle.Filter("event", Actions)["event"];
#pragma warning disable CS0618 // Its successor pushes: it has no back-pressure, and does not say when it is connected.
        await using var stream = await engine.CallAsync(
            new EngineCall(What), (client, token) => client.System.MonitorEventsAsync(new ContainerEventsParameters { Filters = filters }, token), cancellationToken);
#pragma warning restore CS0618
        listening?.Invoke();
        using var reader = new StreamReader(stream);
        while (await LineAsync(What, reader, cancellationToken) is { } line)
        {
            if (line.Length > 0 && Parse(What, line) is { } happened) yield return happened;
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

    /// <returns>Null: it is about nothing of ours.</returns>
    private static EngineEvent? Parse(string what, string line)
    {
        try
        {
            using var json = JsonDocument.Parse(line);
            var root = json.RootElement;
            var actor = root.GetProperty("Actor");
            var action = root.GetProperty("Action").GetString() ?? "";
            var attributes = actor.GetProperty("Attributes").EnumerateObject()
                .ToImmutableSortedDictionary(attribute => attribute.Name, attribute => attribute.Value.ToString(), StringComparer.Ordinal);
            var container = root.GetProperty("Type").GetString() == "network" ? attributes.GetValueOrDefault("container") : actor.GetProperty("ID").GetString();
            if (container is null || (action != EngineEvent.OffNetwork && !attributes.ContainsKey(Labels.Stack))) return null;

            return new EngineEvent(
                DateTimeOffset.UnixEpoch.AddTicks(root.GetProperty("timeNano").GetInt64() / TimeSpan.NanosecondsPerTick), action, new ContainerId(container), attributes);
        }
        catch (Exception exception) when (exception is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            throw EngineFaults.Translate(what, new JsonException(string.Create(CultureInfo.InvariantCulture, $"unknown event: {line[..Math.Min(line.Length, 200)]}"), exception), []);
        }
    }
}
