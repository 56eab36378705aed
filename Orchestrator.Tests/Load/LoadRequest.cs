using System.Net;
using System.Security.Cryptography;
using System.Text;

namespace Orchestrator.Tests.Load;

internal enum LoadKind
{
    KeepAlive,
    NewConnection,
    Post,
    Slow,
}

/// <summary>Sends one request and judges the answer.</summary>
internal sealed class LoadRequest(LoadOptions options, LoadTally tally, HttpMessageInvoker pooled, HttpMessageInvoker fresh, TimeProvider time)
{
    // One block of noise for all; each body is another piece of it.
    private readonly byte[] _noise = RandomNumberGenerator.GetBytes(2 * options.LargestBody);

    /// <param name="due">The intended start, as a timestamp: what the generator itself is late counts too.</param>
    public async Task RunAsync(LoadKind kind, long due)
    {
        tally.Sent();
        var visit = new LoadVisit(time.GetTimestamp(), 0, kind is LoadKind.Post, 0, null, false, null);
        var path = kind switch { LoadKind.Post => options.PostPath, LoadKind.Slow => options.SlowPath, _ => options.GetPath };
        try
        {
            using var patience = new CancellationTokenSource(options.Timeout, time);
            using var request = Create(options, kind is LoadKind.Post ? HttpMethod.Post : HttpMethod.Get, path);
            var hash = kind is LoadKind.Post ? AddBody(request) : null;
            using var answer = await (kind is LoadKind.NewConnection ? fresh : pooled).SendAsync(request, patience.Token);
            var version = answer.Headers.TryGetValues(options.VersionHeader, out var values) ? values.First() : null;
            visit = visit with { Version = version };
            var body = await answer.Content.ReadAsByteArrayAsync(patience.Token);
            visit = visit with { Status = (int)answer.StatusCode, RetryAfter = answer.Headers.RetryAfter is not null };
            if (!answer.IsSuccessStatusCode)
                visit = visit with { Problem = $"{(int)answer.StatusCode} from {version ?? "nobody"}: {Head(body)}" };
            else if (hash is not null && !Encoding.UTF8.GetString(body).Contains(hash, StringComparison.OrdinalIgnoreCase))
                visit = visit with { Problem = $"the body's hash {hash} did not come back: {Head(body)}" };
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException or OperationCanceledException)
        {
            visit = visit with { Problem = Chain(exception) };
        }

        if (visit.Problem is { } problem) tally.Failed($"{kind} {path}", problem);
        else tally.Answered(time.GetElapsedTime(due).TotalMilliseconds, visit.Version);
        options.Over?.Invoke(visit with { Left = time.GetTimestamp() });
    }

    public static HttpRequestMessage Create(LoadOptions options, HttpMethod method, string path)
    {
        var request = new HttpRequestMessage(method, new Uri(options.Address, path)) { Version = HttpVersion.Version11 };
        request.Headers.Host = options.Host;
        return request;
    }

    public static string Chain(Exception exception)
    {
        var text = new StringBuilder();
        for (Exception? current = exception; current is not null; current = current.InnerException)
            text.Append(text.Length > 0 ? " ← " : string.Empty).Append(current.Message);
        return text.ToString();
    }

    private string AddBody(HttpRequestMessage request)
    {
        var length = Random.Shared.Next(1, options.LargestBody + 1);
        var from = Random.Shared.Next(0, _noise.Length - length);
        request.Content = new ByteArrayContent(_noise, from, length);
        return Convert.ToHexStringLower(SHA256.HashData(_noise.AsSpan(from, length)));
    }

    private static string Head(byte[] body) => Encoding.UTF8.GetString(body, 0, Math.Min(body.Length, 200)).ReplaceLineEndings(" ");
}
