using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Headers;
using Microsoft.Net.Http.Headers;

namespace Orchestrator.Traffic.Files;

/// <summary>What a request gets of a file, by its conditions and its range, in the order of RFC 9110, section 13.2.2.</summary>
internal readonly struct FileConditions
{
    /// <param name="ranged">It may ask for a part: only a GET may (RFC 9110, section 14.2).</param>
    public FileConditions(RequestHeaders request, bool ranged, EntityTagHeaderValue tag, DateTimeOffset modified, long length)
    {
        (Status, From, Length) = (StatusCodes.Status200OK, 0, length);
        if (Fails(request, tag, modified))
            Status = StatusCodes.Status412PreconditionFailed;
        else if (IsKnown(request, tag, modified))
            Status = StatusCodes.Status304NotModified;
        else if (ranged && RangeOf(request, tag, modified) is { } range)
            (Status, From, Length) = Part(range, length);
    }

    public int Status { get; }

    public long From { get; }

    public long Length { get; }

    private static bool Fails(RequestHeaders request, EntityTagHeaderValue tag, DateTimeOffset modified) =>
        request.IfMatch is { Count: > 0 } wanted
            ? !wanted.Any(one => one.Equals(EntityTagHeaderValue.Any) || one.Compare(tag, useStrongComparison: true))
            : request.IfUnmodifiedSince < modified;

    private static bool IsKnown(RequestHeaders request, EntityTagHeaderValue tag, DateTimeOffset modified) =>
        request.IfNoneMatch is { Count: > 0 } known
            ? known.Any(one => one.Equals(EntityTagHeaderValue.Any) || one.Compare(tag, useStrongComparison: false))
            : request.IfModifiedSince >= modified;

    // Several ranges at once are answered with the whole, as the RFC allows.
    private static RangeItemHeaderValue? RangeOf(RequestHeaders request, EntityTagHeaderValue tag, DateTimeOffset modified)
    {
        if (request.Range is not { Ranges: { Count: 1 } ranges } || !request.Range.Unit.Equals("bytes", StringComparison.OrdinalIgnoreCase))
            return null;

        var holds = request.IfRange switch
        {
            null => true,
            { EntityTag: { } wanted } => wanted.Compare(tag, useStrongComparison: true),
            { LastModified: { } date } => date == modified,
            _ => false,
        };
        return holds ? ranges.First() : null;
    }

    private static (int Status, long From, long Length) Part(RangeItemHeaderValue range, long length)
    {
        var from = range.From ?? Math.Max(0, length - (range.To ?? 0));
        var to = range.From is null ? length - 1 : Math.Min(range.To ?? long.MaxValue, length - 1);
        return from >= length || from > to
            ? (StatusCodes.Status416RangeNotSatisfiable, 0, 0)
            : (StatusCodes.Status206PartialContent, from, to - from + 1);
    }
}
