using Microsoft.AspNetCore.Http.Features;

namespace Orchestrator.Traffic.Requests;

/// <summary>What the access log wants to know of a request while it is under way. Lives as long as its connection.</summary>
internal sealed class AccessTrace(TimeProvider time)
{
    private long _sent;
    private long _answered;

    /// <summary>The replica that it was sent to last; null: none.</summary>
    public ReplicaAddress? Replica { get; private set; }

    public UpstreamIdentity? Upstream { get; private set; }

    public CountedBody? Body { get; private set; }

    public TimeSpan? UpstreamTime => _answered == 0 ? null : time.GetElapsedTime(_sent, _answered);

    public void Begin(IFeatureCollection features)
    {
        (_sent, _answered, Replica, Upstream) = (0, 0, null, null);
        Body = features.Get<IHttpResponseBodyFeature>() is { } inner ? new CountedBody(inner) : null;
        if (Body is not null)
            features.Set<IHttpResponseBodyFeature>(Body);
    }

    public void Sent(in Lease lease)
    {
        _sent = time.GetTimestamp();
        _answered = 0;
        Replica = lease.Replica;
        Upstream = lease.Upstream.Identity;
    }

    public void Answered() => _answered = time.GetTimestamp();
}
