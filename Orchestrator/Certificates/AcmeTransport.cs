using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;

namespace Orchestrator.Certificates;

/// <summary>Signed requests to an authority: nonces, refusals, and when it wants to be asked again (RFC 8555, 6).</summary>
internal sealed class AcmeTransport : IDisposable
{
    private const string BadNonce = "urn:ietf:params:acme:error:badNonce";
    private const string NonceHeader = "Replay-Nonce";
    private const int Attempts = 12;
    private const int SpareNonces = 16;
    private const int LargestAnswer = 1 << 20;

    private readonly AcmeKey _key;
    private readonly TimeProvider _time;
    private readonly HttpClient _http;
    private readonly ConcurrentStack<string> _nonces = [];

    public AcmeTransport(AcmeSettings settings, AcmeKey key, TimeProvider time)
    {
        _key = key;
        _time = time;
        var sockets = new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, ConnectTimeout = TimeSpan.FromSeconds(10) };
        if (settings.Roots.Count > 0)
        {
            var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
            policy.CustomTrustStore.AddRange(settings.Roots);
            sockets.SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = policy };
        }

        _http = new HttpClient(sockets) { Timeout = TimeSpan.FromSeconds(30), MaxResponseContentBufferSize = LargestAnswer };
        _http.DefaultRequestHeaders.UserAgent.Add(new ProductInfoHeaderValue("basmalin", "1"));
    }

    /// <exception cref="AcmeException">It was refused.</exception>
    /// <exception cref="HttpRequestException">The authority could not be reached.</exception>
    public async Task<AcmeAnswer> GetAsync(Uri url, CancellationToken cancellationToken)
    {
        using var response = await _http.GetAsync(url, cancellationToken);
        return await ReadAsync(response, cancellationToken);
    }

    /// <summary>A signed request; one that was refused for its nonce only is signed anew.</summary>
    /// <param name="account">Null: signed with the key itself, which only a new account may be.</param>
    /// <param name="payload">Null: POST-as-GET.</param>
    /// <exception cref="AcmeException">It was refused.</exception>
    /// <exception cref="HttpRequestException">The authority could not be reached.</exception>
    public async Task<AcmeAnswer> PostAsync(Uri url, Uri newNonce, Uri? account, JsonObject? payload, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            var header = new JsonObject { ["nonce"] = await NonceAsync(newNonce, cancellationToken), ["url"] = url.AbsoluteUri };
            if (account is null) header["jwk"] = JsonNode.Parse(_key.Jwk);
            else header["kid"] = account.AbsoluteUri;

            using var content = new StringContent(_key.Sign(header, payload?.ToJsonString()).ToJsonString(), Encoding.UTF8);
            content.Headers.ContentType = new MediaTypeHeaderValue("application/jose+json");
            using var response = await _http.PostAsync(url, content, cancellationToken);
            KeepNonce(response);
            try
            {
                return await ReadAsync(response, cancellationToken);
            }
            catch (AcmeException exception) when (exception.Type == "badNonce" && attempt < Attempts)
            {
                // What was kept beside it is as old (RFC 8555, 6.5); the refusal brings a fresh one.
                _nonces.Clear();
                KeepNonce(response);
            }
        }
    }

    public void Dispose() => _http.Dispose();

    private async Task<string> NonceAsync(Uri newNonce, CancellationToken cancellationToken)
    {
        if (_nonces.TryPop(out var spare)) return spare;

        using var request = new HttpRequestMessage(HttpMethod.Head, newNonce);
        using var response = await _http.SendAsync(request, cancellationToken);
        return response.Headers.TryGetValues(NonceHeader, out var values)
            ? values.First()
            : throw new AcmeException(BadNonce, $"the authority gave no nonce, but {(int)response.StatusCode}", RetryAfterOf(response));
    }

    private void KeepNonce(HttpResponseMessage response)
    {
        if (_nonces.Count < SpareNonces && response.Headers.TryGetValues(NonceHeader, out var values)) _nonces.Push(values.First());
    }

    private async Task<AcmeAnswer> ReadAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        var body = await response.Content.ReadAsStringAsync(cancellationToken);
        if (response.IsSuccessStatusCode)
        {
            var location = response.Headers.Location is { } place && response.RequestMessage?.RequestUri is { } asked ? new Uri(asked, place) : null;
            return new AcmeAnswer(location, RetryAfterOf(response), body);
        }

        throw response.Content.Headers.ContentType?.MediaType == "application/problem+json" && AcmeJson.Parse(body) is var problem
            ? new AcmeException(
                problem.TextOrNull("type") ?? "unknown", problem.TextOrNull("detail") ?? "no reason was given", RetryAfterOf(response))
            : new AcmeException(response.StatusCode is HttpStatusCode.TooManyRequests ? "rateLimited" : "serverInternal",
                $"the authority answered {(int)response.StatusCode} without a reason", RetryAfterOf(response));
    }

    private TimeSpan? RetryAfterOf(HttpResponseMessage response)
    {
        var wait = response.Headers.RetryAfter switch
        {
            { Delta: { } delta } => delta,
            { Date: { } date } => date - _time.GetUtcNow(),
            _ => (TimeSpan?)null,
        };
        return wait < TimeSpan.Zero ? TimeSpan.Zero : wait;
    }
}

/// <summary>What an authority has answered.</summary>
/// <param name="Location">Where the new thing is.</param>
/// <param name="RetryAfter">When it wants to be asked again; null: it does not say.</param>
internal sealed record AcmeAnswer(Uri? Location, TimeSpan? RetryAfter, string Body)
{
    /// <exception cref="AcmeException">It is no JSON object.</exception>
    public JsonNode Json => AcmeJson.Parse(Body);
}
