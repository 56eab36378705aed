using Microsoft.AspNetCore.Http.Features;

namespace Orchestrator.Traffic.Requests;

/// <summary>Counts what passes.</summary>
internal sealed class CountedBody(IHttpResponseBodyFeature inner) : ResponseBody(inner)
{
    public long Bytes { get; private set; }

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        Bytes += buffer.Length;
        return Inner.Stream.WriteAsync(buffer, cancellationToken);
    }
}
