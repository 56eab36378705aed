using System.Buffers;
using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Yarp.ReverseProxy.Forwarder;

namespace Orchestrator.Traffic;

/// <summary>
/// One request on its way through the proxy. Kestrel keeps it with the connection and uses it again for the next request, so that a request costs no
/// object of ours; it is YARP's transformer as well, because that is how YARP hands back the request it is working on.
/// </summary>
internal sealed class EdgeExchange : HttpTransformer
{
    // What is passed on byte for byte: printable ASCII without '#', which would be lost as a fragment.
    private static readonly SearchValues<char> Verbatim =
        SearchValues.Create([.. Enumerable.Range('!', '~' - '!' + 1).Select(code => (char)code).Where(letter => letter != '#')]);

    private IPAddress? _address;
    private string _addressText = string.Empty;

    public DefaultHttpContext Context { get; } = new();

    /// <summary>The published port it came in by; null: a main listener.</summary>
    public PublishedEndpoint? Listener { get; private set; }

    /// <summary>When it came in, as a timestamp.</summary>
    public long Started { get; private set; }

    /// <summary>What it asked for by the preview header; null: nothing.</summary>
    public string? PreviewToken { get; private set; }

    /// <summary>What it is counted on, and the replica it is at.</summary>
    public Lease Lease { get; set; }

    /// <summary>Once cut off, it was sent once more.</summary>
    public bool Repeated { get; set; }

    /// <summary>The WebSocket that it asks to become.</summary>
    public WebSocketSession? Session { get; private set; }

    /// <summary>The event stream that it is answered with.</summary>
    public EventStreamSession? Events { get; private set; }

    /// <summary>It was held, and let go in its turn; null: it was not held, or has its answer.</summary>
    public HoldPace? Pace { get; set; }

    /// <summary>Where <see cref="Find"/> last said that it goes; null: nowhere.</summary>
    public RouteTarget? Target { get; private set; }

    public void Begin(IFeatureCollection features, PublishedEndpoint? listener, long started)
    {
        Context.Initialize(features);
        Listener = listener;
        Started = started;
    }

    public void End()
    {
        Context.Uninitialize();
        PreviewToken = null;
        Repeated = false;
        Lease = default;
        Target = null;
    }

    /// <summary>Where it goes by this table; asked again for a newer one.</summary>
    public RouteTarget? Find(RouteTable table)
    {
        var request = Context.Request;
        return Target = PreviewToken is { } token
            ? table.FindPreview(token)
            : table.Find(Listener, request.Host.Value ?? string.Empty, request.Path.Value ?? string.Empty);
    }

    /// <summary>It asks what the service's own probes ask.</summary>
    public bool AsksHealth(RouteTarget target) =>
        target.Route?.HealthPath is { } path
        && (HttpMethods.IsGet(Context.Request.Method) || HttpMethods.IsHead(Context.Request.Method))
        && string.Equals(Context.Request.Path.Value, path, StringComparison.Ordinal);

    /// <summary>Makes room for the next of those that were held.</summary>
    public void LeavePace()
    {
        Pace?.Leave();
        Pace = null;
    }

    /// <summary>Replaces what only a proxy may say about the client, and takes what is meant for the proxy only.</summary>
    public void RewriteHeaders()
    {
        var request = Context.Request;
        var headers = request.Headers;
        headers.Remove("Forwarded");
        headers.Remove("X-Real-IP");
        headers.Remove("X-Forwarded-Port");
        headers.Remove("X-Forwarded-Prefix");
        headers.Remove("X-Forwarded-Server");
        if (headers.Remove(Preview.Header, out var token))
            PreviewToken = token.ToString();
        headers["X-Forwarded-For"] = ClientAddress();
        headers["X-Forwarded-Proto"] = request.Scheme;
        headers["X-Forwarded-Host"] = headers.Host;
        if (!headers.ContainsKey("X-Request-Id"))
            headers["X-Request-Id"] = NewRequestId();
    }

    /// <summary>Makes ready to be sent to the lease's replica.</summary>
    /// <returns>What ends the sending early: the drain's deadline.</returns>
    public CancellationToken Prepare(TimeProvider time)
    {
        Session ??= WebSocketSession.Around(Context, Lease.Upstream, time);
        return Session is null ? Lease.Upstream.HttpDeadline : Session.Aborted;
    }

    public void EndSession()
    {
        Session?.Dispose();
        Session = null;
        Events?.Dispose();
        Events = null;
    }

    public override async ValueTask TransformRequestAsync(
        HttpContext httpContext, HttpRequestMessage proxyRequest, string destinationPrefix, CancellationToken cancellationToken)
    {
        await base.TransformRequestAsync(httpContext, proxyRequest, destinationPrefix, cancellationToken);
        proxyRequest.RequestUri = VerbatimTarget(httpContext, destinationPrefix);
    }

    public override ValueTask<bool> TransformResponseAsync(HttpContext httpContext, HttpResponseMessage? proxyResponse, CancellationToken cancellationToken)
    {
        if (proxyResponse is null)
            return base.TransformResponseAsync(httpContext, proxyResponse, cancellationToken);

        Lease.Upstream.Reachable(Lease.Index);
        LeavePace();
        var copied = base.TransformResponseAsync(httpContext, proxyResponse, cancellationToken);
        return IsEventStream(httpContext.Response) ? FollowEventsAsync(copied, proxyResponse, cancellationToken) : copied;
    }

    /// <summary>What lasts as long as its reader likes.</summary>
    public static bool IsEventStream(HttpResponse response) =>
        response.ContentType?.StartsWith("text/event-stream", StringComparison.OrdinalIgnoreCase) == true;

    private async ValueTask<bool> FollowEventsAsync(ValueTask<bool> copied, HttpResponseMessage response, CancellationToken cancellationToken)
    {
        var hasBody = await copied;
        Events = new EventStreamSession(await response.Content.ReadAsStreamAsync(cancellationToken), Lease.Upstream);
        response.Content = new StreamContent(Events);
        return hasBody;
    }

    // YARP decodes a path and encodes it again, which is not always the same: "%2F" and "%252F" become one. What the client wrote is passed on as
    // it is; only a target that needs to be resolved (dot segments, absolute form) takes YARP's way.
    private static Uri? VerbatimTarget(HttpContext context, string destination)
    {
        var target = context.Features.Get<IHttpRequestFeature>()?.RawTarget;
        if (target is not ['/', ..]
            || target.AsSpan().ContainsAnyExcept(Verbatim)
            || target.Contains("/.", StringComparison.Ordinal)
            || target.Contains("%2e", StringComparison.OrdinalIgnoreCase))
            return null;

        return new Uri(destination + target, new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true });
    }

    private string ClientAddress()
    {
        // The same object for all requests of a connection.
        var address = Context.Connection.RemoteIpAddress;
        if (!ReferenceEquals(address, _address))
        {
            _address = address;
            _addressText = (address is { IsIPv4MappedToIPv6: true } ? address.MapToIPv4() : address)?.ToString() ?? "unknown";
        }

        return _addressText;
    }

    // Unique is enough, nobody is kept out by it: so not from the costly random source.
    private static string NewRequestId() => string.Create(32, 0, static (text, _) =>
    {
        Span<byte> bytes = stackalloc byte[16];
        Random.Shared.NextBytes(bytes);
        Convert.TryToHexStringLower(bytes, text, out var _);
    });
}
