using System.Net;
using System.Net.Http.Headers;
using System.Net.ServerSentEvents;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Orchestrator.Agent.Api.Contracts;

namespace Orchestrator.Agent.Cli;

/// <summary>Talks to the daemon, over its socket or over the network. What goes wrong becomes a <see cref="CliFailure"/>.</summary>
internal sealed class AgentClient : IDisposable
{
    public const string DefaultSocket = "/run/basmalin/admin.sock";

    // Its listener may be somebody else's (systemd's), who takes connections for a daemon that does not come.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private readonly HttpClient _http;
    private readonly string _target;

    private readonly TimeSpan _silence;

    private AgentClient(HttpClient http, string target, TimeSpan? silence)
    {
        _http = http;
        _target = target;
        _silence = silence ?? Patience;
    }

    /// <summary>A named socket wins over an address from the environment.</summary>
    /// <param name="silence">How long an answer may take before the daemon is asked whether it lives, and how long that answer may take; null: a minute.</param>
    public static AgentClient Create(string? url, string? token, string? socket, bool namedSocket, TimeSpan? silence = null)
    {
        if (url is null || namedSocket) return OverSocket(socket ?? DefaultSocket, silence);
        if (!Uri.TryCreate(url, UriKind.Absolute, out var address) || address.Scheme is not ("http" or "https"))
            throw new CliFailure(ExitCodes.Usage, $"'{url}' is not an address of a daemon", null, "write it as http://HOST:9180");
        if (token is null)
            throw new CliFailure(ExitCodes.Usage, $"no token for {address}", null, "set BASMALIN_TOKEN; on the daemon's machine make one with: basmalin token create");

        var http = new HttpClient { BaseAddress = new Uri(address, "/api/v1/"), Timeout = Timeout.InfiniteTimeSpan };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        return new AgentClient(http, address.ToString(), silence);
    }

    public Task<T> GetAsync<T>(string path, JsonTypeInfo<T> answer, CancellationToken cancellationToken) =>
        SendAsync(new HttpRequestMessage(HttpMethod.Get, path), answer, cancellationToken);

    public Task<TAnswer> SendAsync<TBody, TAnswer>(
        HttpMethod method,
        string path,
        TBody body,
        JsonTypeInfo<TBody> type,
        JsonTypeInfo<TAnswer> answer,
        CancellationToken cancellationToken) =>
        SendAsync(new HttpRequestMessage(method, path) { Content = JsonContent.Create(body, type) }, answer, cancellationToken);

    public async Task<TAnswer> SendAsync<TAnswer>(HttpRequestMessage request, JsonTypeInfo<TAnswer> answer, CancellationToken cancellationToken)
    {
        using var response = await AskAsync(request, HttpCompletionOption.ResponseContentRead, cancellationToken);
        return await response.Content.ReadFromJsonAsync(answer, cancellationToken)
            ?? throw new CliFailure(ExitCodes.Failed, $"the daemon at {_target} answered with nothing", null, null);
    }

    /// <summary>Writes what is answered. What was cut on the way is a failure.</summary>
    public async Task DownloadAsync<TBody>(string path, TBody body, JsonTypeInfo<TBody> type, Stream output, CancellationToken cancellationToken)
    {
        using var response = await AskAsync(new HttpRequestMessage(HttpMethod.Post, path) { Content = JsonContent.Create(body, type) }, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        try
        {
            await response.Content.CopyToAsync(output, cancellationToken);
        }
        catch (Exception cut) when (cut is HttpRequestException or IOException)
        {
            throw new CliFailure(ExitCodes.Failed, "what came was cut", cut.InnerException?.Message ?? cut.Message, "the daemon's log says why");
        }
    }

    /// <summary>For requests whose answer has no content.</summary>
    public async Task DoAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        using var response = await AskAsync(request, HttpCompletionOption.ResponseContentRead, cancellationToken);
    }

    /// <summary>A stream of events. Ends when the daemon ends it; a connection that is cut is an <see cref="IOException"/>.</summary>
    public async IAsyncEnumerable<T> EventsAsync<T>(string path, JsonTypeInfo<T> type, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("text/event-stream"));
        using var response = await AskAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        await using var stream = await response.Content.ReadAsStreamAsync(cancellationToken);
        var events = SseParser.Create(stream, (_, data) => data.IsEmpty ? default : JsonSerializer.Deserialize(data, type));
        await foreach (var item in events.EnumerateAsync(cancellationToken))
        {
            if (item.Data is { } data) yield return data;
        }
    }

    public void Dispose() => _http.Dispose();

    private static AgentClient OverSocket(string path, TimeSpan? silence)
    {
        var sockets = new SocketsHttpHandler
        {
            UseProxy = false,
            ConnectCallback = async (_, cancellationToken) =>
            {
                var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                try
                {
                    await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellationToken);
                    return new NetworkStream(socket, ownsSocket: true);
                }
                catch
                {
                    socket.Dispose();
                    throw;
                }
            },
        };
        return new AgentClient(new HttpClient(sockets) { BaseAddress = new Uri("http://localhost/api/v1/"), Timeout = Timeout.InfiniteTimeSpan }, path, silence);
    }

    private async Task<HttpResponseMessage> AskAsync(HttpRequestMessage request, HttpCompletionOption completion, CancellationToken cancellationToken)
    {
        HttpResponseMessage response;
        try
        {
            using (request) response = await AnsweredAsync(request, completion, cancellationToken);
        }
        catch (HttpRequestException exception)
        {
            throw Unreachable(exception);
        }

        if (response.IsSuccessStatusCode) return response;

        using (response) throw await RefusedAsync(response, cancellationToken);
    }

    /// <summary>As long as the daemon lives, an answer may take what it takes.</summary>
    private async Task<HttpResponseMessage> AnsweredAsync(HttpRequestMessage request, HttpCompletionOption completion, CancellationToken cancellationToken)
    {
        using var given = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var answer = _http.SendAsync(request, completion, given.Token);
        while (await Task.WhenAny(answer, Task.Delay(_silence, TimeProvider.System, cancellationToken)) != answer)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (await LivesAsync(cancellationToken)) continue;

            await given.CancelAsync();
            await ((Task)answer).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (answer.IsCompletedSuccessfully) break;
            throw new CliFailure(
                ExitCodes.Failed, $"no daemon answers at {_target}",
                $"the connection was taken, and nothing came within {_silence.TotalSeconds:0} s, nor an answer to the question whether it lives",
                "it has not started or hangs: systemctl status basmalin, journalctl -u basmalin. What was asked for may still be done when it comes back");
        }

        return await answer;
    }

    private async Task<bool> LivesAsync(CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(_silence);
        try
        {
            using var answer = await _http.GetAsync(new Uri("/healthz", UriKind.Relative), patience.Token);
            return true;
        }
        catch (Exception problem) when (problem is HttpRequestException or OperationCanceledException && !cancellationToken.IsCancellationRequested)
        {
            return false;
        }
    }

    private CliFailure Unreachable(HttpRequestException exception)
    {
        var why = exception.InnerException?.Message ?? exception.Message;
        var hint = exception.InnerException is SocketException { SocketErrorCode: SocketError.AccessDenied }
            ? "the socket is for root and members of the group basmalin: use sudo, or --url with a token"
            : "is the daemon running? Start it with 'basmalin agent', or say where it is with --socket or --url";
        return new CliFailure(ExitCodes.Failed, $"no daemon answers at {_target}", why, hint);
    }

    private async Task<CliFailure> RefusedAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        var text = await response.Content.ReadAsStringAsync(cancellationToken);
        if (response.Content.Headers.ContentType?.MediaType == "application/problem+json"
            && JsonSerializer.Deserialize(text, ApiJson.Default.ProblemResponse) is { } problem)
        {
            var usage = response.StatusCode is HttpStatusCode.BadRequest or HttpStatusCode.UnprocessableEntity;
            return new CliFailure(usage ? ExitCodes.Usage : ExitCodes.Failed, problem.Title, problem.Detail, problem.Hint) { Problem = problem };
        }

        var shown = new StringBuilder(text, 0, Math.Min(text.Length, 200), 200).ToString();
        return new CliFailure(ExitCodes.Failed, $"{_target} answered with {(int)response.StatusCode}", shown, "is that the admin address of a BasMalin daemon?");
    }
}
