using System.Globalization;
using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using GardenApp.Hosting;
using Microsoft.AspNetCore.Http.HttpResults;

namespace GardenApp.Playground;

/// <summary>Every kind of exchange that a proxy must carry: slow answers, large bodies, event streams, WebSockets. No dependencies.</summary>
internal static class PlaygroundEndpoints
{
    private const int LongestWait = 60_000;

    internal static void MapPlayground(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/", FrontPage.Show);
        routes.MapGet("/api/slow", SlowAsync);
        routes.MapPost("/api/echo", EchoAsync).WithMetadata(new UnlimitedBody());
        routes.MapGet("/api/events", Events);
        routes.MapGet("/api/ws", WebSocketEcho.AcceptAsync);
    }

    private static async Task<Results<Ok<SlowAnswer>, ValidationProblem>> SlowAsync(
        GardenSettings settings, TimeProvider time, CancellationToken cancellationToken, int ms = 1000)
    {
        if (ms is < 0 or > LongestWait)
            return TypedResults.ValidationProblem(new Dictionary<string, string[]> { ["ms"] = [$"must be from 0 to {LongestWait}"] });
        await Task.Delay(TimeSpan.FromMilliseconds(ms), time, cancellationToken);
        return TypedResults.Ok(new SlowAnswer(ms, settings.Version));
    }

    // Hashed as it comes in: the body may be larger than the memory.
    private static async Task<Ok<EchoAnswer>> EchoAsync(HttpRequest request, GardenSettings settings, CancellationToken cancellationToken)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var length = 0L;
        while (true)
        {
            var read = await request.BodyReader.ReadAsync(cancellationToken);
            foreach (var segment in read.Buffer) hash.AppendData(segment.Span);
            length += read.Buffer.Length;
            request.BodyReader.AdvanceTo(read.Buffer.End);
            if (read.IsCompleted) break;
        }
        return TypedResults.Ok(new EchoAnswer(length, Convert.ToHexStringLower(hash.GetHashAndReset()), settings.Version));
    }

    private static Results<ServerSentEventsResult<string>, ValidationProblem> Events(
        GardenSettings settings, TimeProvider time, IHostApplicationLifetime lifetime, CancellationToken cancellationToken, int ms = 1000, int? count = null)
    {
        if (ms is < 1 or > LongestWait || count is < 1)
            return TypedResults.ValidationProblem(new Dictionary<string, string[]> { ["ms"] = [$"must be from 1 to {LongestWait}, and count at least 1"] });
        return TypedResults.ServerSentEvents(TicksAsync(settings.Version, TimeSpan.FromMilliseconds(ms), count, time, lifetime.ApplicationStopping, cancellationToken));
    }

    // A stream never ends by itself, so the stop of the process ends it in good order, with a last event that says so.
    private static async IAsyncEnumerable<SseItem<string>> TicksAsync(
        string version, TimeSpan interval, int? count, TimeProvider time, CancellationToken stopping, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stopping, cancellationToken);
        using var ticks = new PeriodicTimer(interval, time);
        for (var tick = 1L; count is null || tick <= count; tick++)
        {
            yield return new SseItem<string>(version, "tick") { EventId = tick.ToString(CultureInfo.InvariantCulture) };
            if (tick == count || !await TickedAsync(ticks, either.Token)) break;
        }
        if (!cancellationToken.IsCancellationRequested) yield return new SseItem<string>(stopping.IsCancellationRequested ? "stopping" : "done", "end");
    }

    private static async Task<bool> TickedAsync(PeriodicTimer ticks, CancellationToken cancellationToken)
    {
        try
        {
            return await ticks.WaitForNextTickAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }
}
