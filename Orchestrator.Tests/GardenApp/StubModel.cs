using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Orchestrator.Tests.GardenApp;

/// <summary>Stands in for the one thing that cannot be had here: somebody else's model. Gives the scripted answers in turn, the last for ever; status 0 hangs.</summary>
internal sealed class StubModel : IAsyncDisposable
{
    private readonly WebApplication _server;
    private readonly ConcurrentQueue<(string Path, string Authorization, string Body)> _requests;

    private StubModel(WebApplication server, ConcurrentQueue<(string, string, string)> requests)
    {
        _server = server;
        _requests = requests;
    }

    internal string Address => _server.Urls.Single();

    internal IReadOnlyList<(string Path, string Authorization, string Body)> Requests => [.. _requests];

    internal static async Task<StubModel> StartAsync((int Status, string Body)[] answers)
    {
        var requests = new ConcurrentQueue<(string, string, string)>();
        var builder = WebApplication.CreateSlimBuilder();
        var server = builder.Build();
        server.Urls.Add("http://127.0.0.1:0");
        server.Run(async context =>
        {
            var key = context.Request.Headers["x-api-key"].ToString();
            if (key.Length == 0) key = context.Request.Headers.Authorization.ToString().Replace("Bearer ", "", StringComparison.Ordinal);
            using var reader = new StreamReader(context.Request.Body);
            requests.Enqueue((context.Request.Path, key, await reader.ReadToEndAsync()));
            var (status, body) = answers[Math.Min(requests.Count, answers.Length) - 1];
            if (status == 0) await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            else
            {
                context.Response.StatusCode = status;
                await context.Response.WriteAsync(body);
            }
        });
        await server.StartAsync();
        return new StubModel(server, requests);
    }

    public async ValueTask DisposeAsync() => await _server.DisposeAsync();
}
