using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Orchestrator.Stacks;

namespace Orchestrator.Health;

/// <summary>
/// One GET on a new connection. Redirects are never followed: a login page that answers 200 must not pass for health.
/// </summary>
public sealed class HttpProbe : IHealthProbe
{
    private const int BodyLimit = 64 * 1024;

    // No pool: a connection that was kept alive says nothing about whether the next visitor is let in. Proxies of the environment are for the world outside.
    private static readonly HttpMessageInvoker Client = new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        UseCookies = false,
        UseProxy = false,
        PooledConnectionLifetime = TimeSpan.Zero,
        ActivityHeadersPropagator = DistributedContextPropagator.CreateNoOutputPropagator(),
    });

    private readonly GateSpec _gate;
    private readonly TimeProvider _time;
    private readonly Uri _uri;
    private readonly string? _host;
    private readonly string _asked;

    /// <param name="address">An IP address or a name.</param>
    /// <param name="host">The Host header; null: the address.</param>
    public HttpProbe(GateSpec gate, string address, int port, string? host, TimeProvider time)
    {
        _gate = gate;
        _time = time;
        _host = host;
        var authority = IPAddress.TryParse(address, out var ip) && ip.AddressFamily == AddressFamily.InterNetworkV6 ? $"[{address}]" : address;
        _uri = new Uri($"http://{authority}:{port.ToString(CultureInfo.InvariantCulture)}{(gate.Http.StartsWith('/') ? "" : "/")}{gate.Http}");
        _asked = $"GET {_uri}{(host is null ? "" : $" (Host: {host})")}";
    }

    public async Task<ProbeResult> ProbeAsync(CancellationToken cancellationToken)
    {
        using var timeout = new CancellationTokenSource(_gate.Timeout, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, timeout.Token);
        try
        {
            return await AskAsync(either.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return Failed($"no answer within {Seconds(_gate.Timeout)}", ProbeHint.TooSlow);
        }
        catch (HttpRequestException failure)
        {
            return FromFailure(failure);
        }
        catch (IOException failure)
        {
            return Failed($"the connection broke in the middle of the answer: {failure.Message}", null);
        }
    }

    private async Task<ProbeResult> AskAsync(CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, _uri);
        request.Headers.Host = _host;
        request.Headers.ConnectionClose = true;
        request.Headers.TryAddWithoutValidation("User-Agent", "basmalin-probe");
        using var response = await Client.SendAsync(request, cancellationToken);
        var body = await ReadAsync(response, cancellationToken);
        return Judge((int)response.StatusCode, response.Headers.Location, body);
    }

    private ProbeResult Judge(int status, Uri? location, string body)
    {
        if (!_gate.Expect.Any(range => range.Contains(status)))
        {
            var target = location is null ? "" : $" to {location}";
            return Failed($"{status}{target}, expected {string.Join(", ", _gate.Expect)}{Quoted(body)}", HintFor(status, location, body));
        }

        if (_gate.JsonField is not { } field) return new ProbeResult(true, $"{_asked}: {status}");

        var found = JsonText.Find(body, field, out var problem);
        if (found is null) return Failed($"{status}, but {problem}{Quoted(body)}", null);

        return _gate.JsonValue is null || found == _gate.JsonValue
            ? new ProbeResult(true, $"{_asked}: {status}, {field} = {found}")
            : Failed($"{status}, but {field} = {found}, expected {_gate.JsonValue}{Quoted(body)}", null);
    }

    private static ProbeHint? HintFor(int status, Uri? location, string body) => status switch
    {
        >= 300 and < 400 when location is { IsAbsoluteUri: true, Scheme: "https" } => ProbeHint.RedirectToHttps,
        >= 300 and < 400 when location is not null => ProbeHint.Redirect,
        400 when Mentions(body, "HTTPS server") || Mentions(body, "HTTPS port") => ProbeHint.SpeaksTls,
        400 or 403 or 421 when Mentions(body, "host") => ProbeHint.HostNotAllowed,
        421 => ProbeHint.HostNotAllowed,
        401 or 403 => ProbeHint.NeedsLogin,
        404 => ProbeHint.PathNotFound,
        >= 500 => ProbeHints.FromOutput(body),
        _ => null,
    };

    private ProbeResult FromFailure(HttpRequestException failure)
    {
        if (failure.InnerException is SocketException socket) return ConnectFailure.Result(_asked, socket);

        return failure.HttpRequestError switch
        {
            HttpRequestError.NameResolutionError => Failed($"the name {_uri.Host} has no address", ProbeHint.Unreachable),
            HttpRequestError.InvalidResponse => Failed($"what came back is not HTTP: {failure.Message}", ProbeHint.NotHttp),
            HttpRequestError.ResponseEnded => Failed("the connection was closed without an answer", ProbeHint.NotHttp),
            _ => Failed((failure.InnerException ?? failure).Message, null),
        };
    }

    private ProbeResult Failed(string seen, ProbeHint? hint) => new(false, $"{_asked}: {seen}") { Hint = hint };

    private static string Quoted(string body) => string.IsNullOrWhiteSpace(body) ? "" : $"; body: {Excerpt.Of(body)}";

    private static bool Mentions(string body, string word) => body.Contains(word, StringComparison.OrdinalIgnoreCase);

    internal static string Seconds(TimeSpan span) => $"{span.TotalSeconds.ToString("0.###", CultureInfo.InvariantCulture)} s";

    private static async Task<string> ReadAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        await using var stream = await response.Content.ReadAsStreamAsync(cancellationToken);
        var buffer = new byte[BodyLimit];
        var length = await stream.ReadAtLeastAsync(buffer, BodyLimit, throwOnEndOfStream: false, cancellationToken);
        return Encoding.UTF8.GetString(buffer, 0, length);
    }
}
