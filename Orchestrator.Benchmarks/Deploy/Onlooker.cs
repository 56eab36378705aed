namespace Orchestrator.Benchmarks.Deploy;

/// <summary>A client that asks for the version again and again, over one connection, without a pause.</summary>
internal sealed class Onlooker(Uri edge, string host, TimeProvider time) : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);
    private readonly HttpClient _client = new(new SocketsHttpHandler { UseProxy = false, ActivityHeadersPropagator = null }) { BaseAddress = edge };

    /// <returns>When an answer of that version had come.</returns>
    /// <exception cref="InvalidOperationException">There was none for a minute.</exception>
    public async Task<long> SeesAsync(string version, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        while (await AskAsync(cancellationToken) is var seen && seen != version)
        {
            if (time.GetElapsedTime(started) > Patience)
                throw new InvalidOperationException($"The answers were still of {seen} when {version} had been expected for a minute.");
        }

        return time.GetTimestamp();
    }

    public void Dispose() => _client.Dispose();

    private async Task<string?> AskAsync(CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/version") { Headers = { Host = host } };
        using var answer = await _client.SendAsync(request, cancellationToken);
        answer.EnsureSuccessStatusCode();
        return answer.Headers.TryGetValues("X-Garden-Version", out var versions) ? versions.First() : null;
    }
}
