using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace Orchestrator.Traffic.Requests;

/// <summary>
/// Who sent a request, and what the application is told about that. Only a trusted proxy in front is believed what it says of its own client;
/// from anybody else it is replaced. Lives as long as its connection, so that the peer is looked at once.
/// </summary>
internal sealed class ClientSide
{
    private const string ForwardedFor = "X-Forwarded-For";
    private const string ForwardedProto = "X-Forwarded-Proto";
    private const string ForwardedHost = "X-Forwarded-Host";
    private const string RequestIdHeader = "X-Request-Id";
    private const int LongestRequestId = 128;

    private IPAddress? _peer;
    private string _peerText = string.Empty;
    private bool _trusted;

    /// <summary>The client, behind the trusted proxies; null: its connection has no address.</summary>
    public IPAddress? Address { get; private set; }

    /// <summary><see cref="Address"/> as text.</summary>
    public string AddressText { get; private set; } = string.Empty;

    /// <summary>The client's connection, or that to the trusted proxy, is encrypted.</summary>
    public bool IsHttps { get; private set; }

    /// <summary>The request's identity: what the application gets as <c>X-Request-Id</c>.</summary>
    public string RequestId { get; private set; } = string.Empty;

    /// <summary>The next request of the connection may be somebody else's, behind the same proxy.</summary>
    public void Forget()
    {
        Address = null;
        (AddressText, RequestId) = (string.Empty, string.Empty);
    }

    /// <summary>Reads what the request says and rewrites it for the application.</summary>
    /// <param name="trusted">Null: no proxy is trusted.</param>
    /// <param name="start">See <see cref="RequestStart"/>.</param>
    public void Rewrite(HttpContext context, AddressSet? trusted, string start)
    {
        Meet(context.Connection.RemoteIpAddress, trusted);
        var request = context.Request;
        var headers = request.Headers;
        headers.Remove("Forwarded");
        headers.Remove("X-Real-IP");
        if (_trusted)
        {
            Believe(request, trusted ?? AddressSet.Empty);
        }
        else
        {
            headers.Remove("X-Forwarded-Port");
            headers.Remove("X-Forwarded-Prefix");
            headers.Remove("X-Forwarded-Server");
            Address = _peer;
            AddressText = _peerText;
            IsHttps = request.IsHttps;
            headers[ForwardedFor] = _peerText;
            headers[ForwardedProto] = request.Scheme;
            headers[ForwardedHost] = headers.Host;
            headers[RequestIdHeader] = RequestId = NewRequestId();
        }

        headers["X-Request-Start"] = start;
    }

    // The same object for all requests of a connection.
    private void Meet(IPAddress? address, AddressSet? trusted)
    {
        if (ReferenceEquals(address, _peer) && _peerText.Length > 0)
            return;

        _peer = address;
        _peerText = (address is { IsIPv4MappedToIPv6: true } ? address.MapToIPv4() : address)?.ToString() ?? "unknown";
        _trusted = trusted?.Contains(address) == true;
    }

    private void Believe(HttpRequest request, AddressSet trusted)
    {
        var headers = request.Headers;
        var chain = headers[ForwardedFor];
        (Address, AddressText) = Origin(chain, trusted);
        headers[ForwardedFor] = StringValues.IsNullOrEmpty(chain) ? _peerText : $"{chain}, {_peerText}";

        var proto = headers[ForwardedProto].ToString();
        IsHttps = proto.Equals("https", StringComparison.OrdinalIgnoreCase)
            || (request.IsHttps && !proto.Equals("http", StringComparison.OrdinalIgnoreCase));
        headers[ForwardedProto] = IsHttps ? "https" : "http";
        if (!headers.ContainsKey(ForwardedHost))
            headers[ForwardedHost] = headers.Host;

        var id = headers[RequestIdHeader].ToString();
        headers[RequestIdHeader] = RequestId = IsRequestId(id) ? id : NewRequestId();
    }

    // Each proxy appends its peer, so the chain is read from the right; the first that is no trusted proxy is the client. What stands to the left
    // of it is the client's own word.
    private (IPAddress?, string) Origin(StringValues chain, AddressSet trusted)
    {
        var client = _peer;
        var text = _peerText;
        var hops = chain.ToString().Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        for (var i = hops.Length - 1; i >= 0; i--)
        {
            if (!IPAddress.TryParse(HostName.Of(hops[i]), out var hop))
                break;

            client = hop.IsIPv4MappedToIPv6 ? hop.MapToIPv4() : hop;
            text = client.ToString();
            if (!trusted.Contains(client))
                break;
        }

        return (client, text);
    }

    private static bool IsRequestId(string id)
    {
        if (id.Length is 0 or > LongestRequestId)
            return false;

        foreach (var letter in id)
        {
            if (letter is <= ' ' or >= (char)127)
                return false;
        }

        return true;
    }

    // Unique is enough, nobody is kept out by it: so not from the costly random source.
    private static string NewRequestId() => string.Create(32, 0, static (text, _) =>
    {
        Span<byte> bytes = stackalloc byte[16];
        Random.Shared.NextBytes(bytes);
        Convert.TryToHexStringLower(bytes, text, out var _);
    });
}
