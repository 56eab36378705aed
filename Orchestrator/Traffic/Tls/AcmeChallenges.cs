using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Http;

namespace Orchestrator.Traffic.Tls;

/// <summary>
/// What the edge answers to an authority that wants to see whether a host is ours: a text over HTTP (RFC 8555, 8.3) or a certificate of its own in a
/// handshake (RFC 8737). Nothing is looked up unless a validation is under way.
/// </summary>
public sealed class AcmeChallenges
{
    private static readonly SslApplicationProtocol Protocol = new(ClientHello.AcmeProtocol);

    private readonly ConcurrentDictionary<string, string> _texts = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, SslServerAuthenticationOptions> _handshakes = new(StringComparer.OrdinalIgnoreCase);
    private int _pending;

    internal bool Any => Volatile.Read(ref _pending) != 0;

    /// <summary>Answers with the text until the result is disposed.</summary>
    public IDisposable OfferText(string token, string text) => new Offer<string>(this, _texts, token, text);

    /// <summary>Shows the certificate, and no other, to who asks for the host by <c>acme-tls/1</c>, until the result is disposed.</summary>
    public IDisposable OfferHandshake(string host, X509Certificate2 certificate)
    {
        var handshake = new SslServerAuthenticationOptions
        {
            ServerCertificateContext = SslStreamCertificateContext.Create(certificate, additionalCertificates: null, offline: true),
            EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
            ApplicationProtocols = [Protocol],
        };
        return new Offer<SslServerAuthenticationOptions>(this, _handshakes, host, handshake);
    }

    internal bool TryFindText(PathString path, [NotNullWhen(true)] out string? text)
    {
        text = null;
        return Any && path.StartsWithSegments(EdgeRedirects.Challenges, StringComparison.Ordinal, out var token)
            && token.HasValue && _texts.TryGetValue(token.Value[1..], out text);
    }

    internal SslServerAuthenticationOptions? FindHandshake(string host) => _handshakes.GetValueOrDefault(host);

    private sealed class Offer<T> : IDisposable
        where T : class
    {
        private readonly AcmeChallenges _challenges;
        private readonly ConcurrentDictionary<string, T> _offers;
        private readonly KeyValuePair<string, T> _own;
        private int _disposed;

        public Offer(AcmeChallenges challenges, ConcurrentDictionary<string, T> offers, string key, T value)
        {
            _challenges = challenges;
            _offers = offers;
            _own = new KeyValuePair<string, T>(key, value);
            offers[key] = value;
            Interlocked.Increment(ref challenges._pending);
        }

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _disposed, 1) != 0) return;

            _offers.TryRemove(_own);
            Interlocked.Decrement(ref _challenges._pending);
        }
    }
}
