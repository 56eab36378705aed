using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Orchestrator.Traffic.Tls;

namespace Orchestrator.Certificates;

/// <summary>Orders certificates by ACME (RFC 8555): an account, an order, the proof that the host is ours, and the certificate.</summary>
internal sealed class AcmeClient(AcmeSettings settings, AcmeKey key, AcmeChallenges challenges, TimeProvider time) : IDisposable
{
    private static readonly TimeSpan FirstPoll = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan LongestPoll = TimeSpan.FromSeconds(15);

    private readonly AcmeTransport _transport = new(settings, key, time);
    private readonly SemaphoreSlim _registering = new(1, 1);
    private Uri? _account;

    public void Dispose()
    {
        _transport.Dispose();
        _registering.Dispose();
        key.Dispose();
    }

    /// <summary>Gets a certificate for the host. Who calls gives it a deadline.</summary>
    /// <param name="kind">The challenge to take where the authority offers it.</param>
    /// <param name="replaces">What RFC 9773 calls the certificate that this one is to follow; null: it follows none.</param>
    /// <returns>Chain and key in PEM.</returns>
    /// <exception cref="AcmeException">The authority refused, or could not see that the host is ours.</exception>
    /// <exception cref="HttpRequestException">The authority could not be reached.</exception>
    public async Task<(string Chain, string Key)> IssueAsync(string host, ChallengeKind kind, string? replaces, CancellationToken cancellationToken)
    {
        var directory = await DirectoryAsync(cancellationToken);
        var account = await AccountAsync(directory, cancellationToken);
        var orders = new Orders(_transport, directory.NewNonce, account);
        try
        {
            var order = await OpenAsync(orders, directory, host, replaces, cancellationToken);
            foreach (var authorization in order.Answer.Json.Items("authorizations"))
                await ProveAsync(orders, AcmeJson.AddressOf(authorization.ToString(), "authorizations"), host, kind, cancellationToken);

            var ready = await UntilAsync(orders, order.Url, "pending", cancellationToken);
            using var certificateKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            if (ready.Text("status") == "ready")
            {
                var request = new JsonObject { ["csr"] = Base64Url.EncodeToString(SigningRequests.For(host, certificateKey)) };
                await orders.PostAsync(ready.Address("finalize"), request, cancellationToken);
            }

            var issued = await UntilAsync(orders, order.Url, "processing", cancellationToken);
            var chain = await orders.PostAsync(issued.Address("certificate"), null, cancellationToken);
            return (chain.Body, certificateKey.ExportPkcs8PrivateKeyPem());
        }
        catch (AcmeException exception) when (exception.Type == "accountDoesNotExist")
        {
            // An authority that has lost its accounts is told of ours again, the next time.
            _account = null;
            throw;
        }
    }

    /// <summary>When the authority would like the certificate to be renewed (RFC 9773, 4).</summary>
    /// <returns>Null: it does not say such things.</returns>
    /// <exception cref="AcmeException">It was refused.</exception>
    /// <exception cref="HttpRequestException">The authority could not be reached.</exception>
    public async Task<RenewalWindow?> RenewalAsync(string certificate, CancellationToken cancellationToken)
    {
        if ((await DirectoryAsync(cancellationToken)).RenewalInfo is not { } info) return null;

        var answer = await _transport.GetAsync(new Uri($"{info.AbsoluteUri.TrimEnd('/')}/{certificate}"), cancellationToken);
        return RenewalWindow.Of(answer);
    }

    private async Task<AcmeDirectory> DirectoryAsync(CancellationToken cancellationToken) =>
        AcmeDirectory.Of((await _transport.GetAsync(settings.Directory, cancellationToken)).Json);

    /// <summary>The account of our key; asking for it anew gives the same one (RFC 8555, 7.3).</summary>
    private async Task<Uri> AccountAsync(AcmeDirectory directory, CancellationToken cancellationToken)
    {
        await _registering.WaitAsync(cancellationToken);
        try
        {
            if (_account is not null) return _account;
            if (directory.NeedsExternalAccount && settings.ExternalAccount is null)
            {
                throw new AcmeException(
                    "externalAccountRequired", "the authority wants an account that was made with it before: set edge.acme.eab", retryAfter: null);
            }

            if (directory.Terms is { } terms && !settings.TermsAgreed)
                throw new AcmeException("userActionRequired", $"read {terms}, and set edge.acme.terms_agreed", retryAfter: null);

            var wanted = new JsonObject { ["termsOfServiceAgreed"] = settings.TermsAgreed };
            if (settings.Email is { } email) wanted["contact"] = new JsonArray($"mailto:{email}");
            if (settings.ExternalAccount is { } external) wanted["externalAccountBinding"] = key.Bind(external, directory.NewAccount);
            var answer = await _transport.PostAsync(directory.NewAccount, directory.NewNonce, account: null, wanted, cancellationToken);
            return _account = answer.Location ?? throw AcmeException.Nonsense("the authority does not say where our account is");
        }
        finally
        {
            _registering.Release();
        }
    }

    private static async Task<(Uri Url, AcmeAnswer Answer)> OpenAsync(
        Orders orders, AcmeDirectory directory, string host, string? replaces, CancellationToken cancellationToken)
    {
        var wanted = new JsonObject { ["identifiers"] = new JsonArray(new JsonObject { ["type"] = "dns", ["value"] = host }) };
        if (directory.RenewalInfo is not null && replaces is not null) wanted["replaces"] = replaces;
        AcmeAnswer answer;
        try
        {
            answer = await orders.PostAsync(directory.NewOrder, wanted, cancellationToken);
        }
        catch (AcmeException exception) when (exception.Type == "alreadyReplaced" && wanted.Remove("replaces"))
        {
            // An order before this one was the successor, and came to nothing here.
            answer = await orders.PostAsync(directory.NewOrder, wanted, cancellationToken);
        }

        return (answer.Location ?? throw AcmeException.Nonsense("the authority does not say where our order is"), answer);
    }

    private async Task ProveAsync(Orders orders, Uri authorization, string host, ChallengeKind kind, CancellationToken cancellationToken)
    {
        var state = (await orders.PostAsync(authorization, null, cancellationToken)).Json;
        if (state.Text("status") == "valid") return;

        var offered = state.Items("challenges").Where(one => Enum.GetValues<ChallengeKind>().Any(known => one.TextOrNull("type") == known.Word()));
        var challenge = offered.OrderByDescending(one => one.TextOrNull("type") == kind.Word()).FirstOrDefault()
            ?? throw new AcmeException("unsupported", "the authority offers neither http-01 nor tls-alpn-01", retryAfter: null);
        using (Offer(challenge, host))
        {
            await orders.PostAsync(challenge.Address("url"), [], cancellationToken);
            state = await UntilAsync(orders, authorization, "pending", cancellationToken);
        }

        if (state.Text("status") != "valid") throw Refusal(state, challenge.Text("type"));
    }

    private IDisposable Offer(JsonNode challenge, string host)
    {
        var token = challenge.Text("token");
        var text = key.Authorize(token);
        if (challenge.Text("type") == ChallengeKind.Http.Word()) return challenges.OfferText(token, text);

        return challenges.OfferHandshake(host, ValidationCertificates.For(host, text, time));
    }

    /// <summary>Asks again until the state is another, or invalid, at the pace that the authority wants.</summary>
    private async Task<JsonNode> UntilAsync(Orders orders, Uri url, string passing, CancellationToken cancellationToken)
    {
        for (var pause = FirstPoll; ; pause = TimeSpan.FromTicks(Math.Min(pause.Ticks * 2, LongestPoll.Ticks)))
        {
            var answer = await orders.PostAsync(url, null, cancellationToken);
            var state = answer.Json;
            var status = state.Text("status");
            if (status == "invalid" && state.Member("error") is JsonObject error)
                throw new AcmeException(error.TextOrNull("type") ?? "unknown", error.TextOrNull("detail") ?? "no reason was given", retryAfter: null);
            if (status != passing) return state;

            var wanted = Math.Clamp(answer.RetryAfter?.Ticks ?? 0, pause.Ticks, LongestPoll.Ticks);
            await Task.Delay(TimeSpan.FromTicks(wanted), time, cancellationToken);
        }
    }

    private static AcmeException Refusal(JsonNode authorization, string kind)
    {
        var error = authorization.Items("challenges").Select(challenge => challenge.Member("error")).OfType<JsonObject>().FirstOrDefault();
        var detail = error.TextOrNull("detail") ?? "the authority does not say why";
        return new AcmeException(error.TextOrNull("type") ?? "unauthorized", $"{kind}: {detail}", retryAfter: null);
    }

    /// <summary>Requests of one account.</summary>
    private sealed record Orders(AcmeTransport Transport, Uri NewNonce, Uri Account)
    {
        public Task<AcmeAnswer> PostAsync(Uri url, JsonObject? payload, CancellationToken cancellationToken) =>
            Transport.PostAsync(url, NewNonce, Account, payload, cancellationToken);
    }
}
