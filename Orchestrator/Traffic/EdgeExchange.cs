using System.Buffers;
using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Orchestrator.Traffic.Previews;
using Orchestrator.Traffic.Requests;
using Yarp.ReverseProxy.Forwarder;

namespace Orchestrator.Traffic;

/// <summary>
/// One request on its way through the proxy. Kestrel keeps it with the connection and uses it again for the next request, so that a request costs no
/// object of ours; it is YARP's transformer as well, because that is how YARP hands back the request it is working on.
/// </summary>
internal sealed class EdgeExchange(OpenStreams streams) : HttpTransformer
{
    // What is passed on byte for byte: printable ASCII without '#', which would be lost as a fragment.
    private static readonly SearchValues<char> Verbatim =
        SearchValues.Create([.. Enumerable.Range('!', '~' - '!' + 1).Select(code => (char)code).Where(letter => letter != '#')]);

    public DefaultHttpContext Context { get; } = new();

    /// <summary>The published port it came in by; null: a main listener.</summary>
    public PublishedEndpoint? Listener { get; private set; }

    /// <summary>When it came in, as a timestamp.</summary>
    public long Started { get; private set; }

    /// <summary>What it asked for by the preview header; null: nothing.</summary>
    public string? PreviewToken { get; private set; }

    /// <summary>The colour that it asks for by its header; null: none.</summary>
    public string? Colour { get; private set; }

    /// <summary>The key that it shows by its header; null: none.</summary>
    public string? Key { get; private set; }

    /// <summary>It chose its colour, or tried to: no user's request, so it is counted nowhere.</summary>
    public bool IsChosen { get; set; }

    /// <summary>The stack whose colours it may choose of; null: it has not been looked at, or may not.</summary>
    public string? AdmittedTo { get; set; }

    /// <summary>Why it does not get the colour that it chose; null: it does, or chose none.</summary>
    public Denial? Denied { get; set; }

    /// <summary>A cookie for a browser that has shown a preview's key; null: none.</summary>
    public string? NewPass { get; set; }

    /// <summary>Who sent it.</summary>
    public ClientSide Client { get; } = new();

    /// <summary>What it was answered, where that is not the response's status: 499; 0: the response says it.</summary>
    public int Status { get; set; }

    /// <summary>Its answer is compressed on the way; null: it is not.</summary>
    public CompressedBody? Compressed { get; private set; }

    /// <summary>The largest body that it may have, in bytes; null: any.</summary>
    public long? BodyLimit { get; set; }

    /// <summary>When it was first held, as a timestamp; null: not yet.</summary>
    public long? HeldSince { get; set; }

    /// <summary>What ends the wait for the first byte of the answer; null: nothing of its own.</summary>
    public PhaseTimer? Timer { get; private set; }

    /// <summary>What the access log wants to know; null: there is none.</summary>
    public AccessTrace? Trace { get; set; }

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

    /// <summary>What it drew where a candidate gets a share of the requests; null: nothing yet.</summary>
    public uint? Draw { get; set; }

    /// <summary>A cookie that its client is given with the answer; null: none.</summary>
    public string? NewCookie { get; set; }

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
        Status = 0;
        Client.Forget();
        Draw = null;
        NewCookie = null;
        HeldSince = null;
        if (IsChosen || Key is not null || Colour is not null)
            ForgetChoice();
    }

    /// <summary>Where it goes by this table; asked again for a newer one.</summary>
    public RouteTarget? Find(RouteTable table)
    {
        var request = Context.Request;
        var target = PreviewToken is { } token
            ? table.FindPreview(token)
            : table.Find(Listener, request.Host.Value ?? string.Empty, request.Path.Value ?? string.Empty);
        if (target is { Choice.OwnHost: true } || Colour is not null)
            return Target = ChosenOf(target);
        return Target = target is { Canary: { } canary } ? canary.Choose(this, target) : target;
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

    /// <summary>Leaves its slot to the next of those that were held; it has shown nothing of how the application keeps up.</summary>
    public void GiveBackPace()
    {
        Pace?.GiveBack();
        Pace = null;
    }

    /// <summary>What was to be answered is not: what takes its place is compressed anew, or not at all.</summary>
    public void Uncompress()
    {
        Compressed?.TakeOut(Context);
        Compressed = null;
    }

    /// <summary>Takes what is meant for the proxy only.</summary>
    public void TakePreview()
    {
        var headers = Context.Request.Headers;
        if (headers.Remove(Preview.Header, out var token))
            PreviewToken = token.ToString();
        if (headers.Remove(ColourChoice.Header, out var colour))
            Colour = colour.ToString();
        if (headers.Remove(ColourChoice.KeyHeader, out var key))
            Key = key.ToString();
    }

    private RouteTarget? ChosenOf(RouteTarget? target)
    {
        IsChosen = true;
        Denied = null;
        if (target is null || PreviewToken is not null)
            return target;
        if (target.Choice is { } choice)
            return choice.Choose(this, target);

        Denied = Denial.NotHere;
        return null;
    }

    private void ForgetChoice()
    {
        Colour = null;
        Key = null;
        IsChosen = false;
        AdmittedTo = null;
        Denied = null;
        NewPass = null;
    }

    /// <summary>Makes ready to be sent to the lease's replica.</summary>
    /// <returns>What ends the sending early: the drain's deadline, or a time-out of the route.</returns>
    public CancellationToken Prepare(TimeProvider time)
    {
        var deadline = PrepareSession(time);
        if (Target?.Rules?.Policy.Timeouts?.Headers is not { } limit)
            return deadline;

        Timer?.Dispose();
        Timer = new PhaseTimer(limit, time, deadline);
        Timer.Follow(Context);
        return Timer.Expired;
    }

    private CancellationToken PrepareSession(TimeProvider time)
    {
        Session ??= WebSocketSession.Around(Context, Lease.Upstream, time);
        if (Session is null)
            return Lease.HttpDeadline;

        Session.Open = Target?.Series.WebSockets;
        Session.Streams = streams;
        Session.Replica = Lease.Index;
        Session.EndsAt(Lease.HttpDeadline);
        return Session.Aborted;
    }

    public void EndSession()
    {
        Session?.Dispose();
        Session = null;
        Events?.Dispose();
        Events = null;
        Timer?.Dispose();
        Timer = null;
        Compressed?.Abandon();
        Compressed = null;
    }

    public override async ValueTask TransformRequestAsync(
        HttpContext httpContext, HttpRequestMessage proxyRequest, string destinationPrefix, CancellationToken cancellationToken)
    {
        await base.TransformRequestAsync(httpContext, proxyRequest, destinationPrefix, cancellationToken);
        proxyRequest.RequestUri = Target?.Rules?.Prefix is { } prefix
            ? StrippedTarget(httpContext, destinationPrefix, prefix, proxyRequest)
            : VerbatimTarget(httpContext, destinationPrefix, "");
        LimitStreamedBody(httpContext);
    }

    // Of what looks like gRPC, YARP takes the limit away: such streams may well be endless. Where one was asked for, it holds for them, too.
    private void LimitStreamedBody(HttpContext context)
    {
        if (BodyLimit is { } limit && context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false, MaxRequestBodySize: null } feature)
            feature.MaxRequestBodySize = limit;
    }

    public override ValueTask<bool> TransformResponseAsync(HttpContext httpContext, HttpResponseMessage? proxyResponse, CancellationToken cancellationToken)
    {
        if (proxyResponse is null)
            return base.TransformResponseAsync(httpContext, proxyResponse, cancellationToken);

        Timer?.Stop();
        Trace?.Answered();
        Lease.Upstream.Reachable(Lease.Index);
        LeavePace();
        var copied = base.TransformResponseAsync(httpContext, proxyResponse, cancellationToken);

        // Done by now: it only copies headers.
        HopByHop.Remove(httpContext.Response.Headers, proxyResponse.Headers);
        if (Target?.Rules is { } rules)
            ApplyRules(rules, httpContext);
        Target?.Sticky?.Remember(this);
        if (NewCookie is not null)
            httpContext.Response.Headers.Append("Set-Cookie", NewCookie);
        if (IsChosen)
            SayColour(httpContext.Response.Headers);
        return IsEventStream(httpContext.Response) ? FollowEventsAsync(copied, proxyResponse, cancellationToken) : copied;
    }

    private void SayColour(IHeaderDictionary headers)
    {
        var identity = Lease.Upstream.Identity;
        headers[ColourChoice.Header] = identity.Colour;
        headers[ColourChoice.ReleaseHeader] = identity.Release.ToString(CultureInfo.InvariantCulture);
        if (NewPass is not null)
            headers.Append("Set-Cookie", NewPass);
    }

    private void ApplyRules(RouteRules rules, HttpContext context)
    {
        rules.Policy.Headers?.Apply(context.Response, Client.IsHttps);
        if (rules.Policy.Compress is { } rule)
            Compressed = CompressedBody.Before(context, rule);
    }

    /// <summary>What lasts as long as its reader likes.</summary>
    public static bool IsEventStream(HttpResponse response) =>
        response.ContentType?.StartsWith("text/event-stream", StringComparison.OrdinalIgnoreCase) == true;

    private async ValueTask<bool> FollowEventsAsync(ValueTask<bool> copied, HttpResponseMessage response, CancellationToken cancellationToken)
    {
        var hasBody = await copied;
        Events = new EventStreamSession(await response.Content.ReadAsStreamAsync(cancellationToken), Lease.Upstream, Lease.Index, streams);
        response.Content = new StreamContent(Events);

        // Its reader is told that it is open, however long the first event takes.
        if (hasBody)
            await Context.Response.Body.FlushAsync(cancellationToken);
        return hasBody;
    }

    private static Uri StrippedTarget(HttpContext context, string destination, string prefix, HttpRequestMessage message)
    {
        message.Headers.Remove("X-Forwarded-Prefix");
        message.Headers.TryAddWithoutValidation("X-Forwarded-Prefix", prefix);
        if (VerbatimTarget(context, destination, prefix) is { } verbatim)
            return verbatim;

        var request = context.Request;
        var rest = request.Path.Value is { } path && path.Length > prefix.Length ? path[prefix.Length..] : "/";
        return RequestUtilities.MakeDestinationAddress(destination, rest, request.QueryString);
    }

    // YARP decodes a path and encodes it again, which is not always the same: "%2F" and "%252F" become one. What the client wrote is passed on as
    // it is; only a target that needs to be resolved (dot segments, absolute form) takes YARP's way.
    private static Uri? VerbatimTarget(HttpContext context, string destination, string prefix)
    {
        var target = context.Features.Get<IHttpRequestFeature>()?.RawTarget;
        if (target is not ['/', ..]
            || target.AsSpan().ContainsAnyExcept(Verbatim)
            || target.Contains("/.", StringComparison.Ordinal)
            || target.Contains("%2e", StringComparison.OrdinalIgnoreCase)
            || !target.StartsWith(prefix, StringComparison.Ordinal))
            return null;

        var rest = prefix.Length == 0 ? target : target[prefix.Length..];
        if (rest is not ['/', ..])
            rest = rest is [] or ['?', ..] ? "/" + rest : null;
        return rest is null ? null : new Uri(destination + rest, new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true });
    }
}
