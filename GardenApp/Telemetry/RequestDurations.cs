using System.Globalization;

namespace GardenApp.Telemetry;

/// <summary>Times every request by its route's pattern, so that ids in paths do not become series.</summary>
internal sealed class RequestDurations
{
    private readonly RequestDelegate _next;
    private readonly GardenMetrics _metrics;
    private readonly TimeProvider _time;

    public RequestDurations(RequestDelegate next, GardenMetrics metrics, TimeProvider time)
    {
        _next = next;
        _metrics = metrics;
        _time = time;
    }

    public async Task InvokeAsync(HttpContext context)
    {
        var started = _time.GetTimestamp();
        // Now: an exception page clears the endpoint.
        var route = (context.GetEndpoint() as RouteEndpoint)?.RoutePattern.RawText is { } pattern
            ? pattern.Length > 1 ? pattern.TrimEnd('/') : pattern
            : "unmatched";
        try
        {
            await _next(context);
        }
        finally
        {
            _metrics.Requests.WithLabels(Method(context.Request.Method), route, context.Response.StatusCode.ToString(CultureInfo.InvariantCulture))
                .Observe(_time.GetElapsedTime(started).TotalSeconds);
        }
    }

    // A client may send any word as its method.
    private static string Method(string method) =>
        HttpMethods.IsGet(method) || HttpMethods.IsPost(method) || HttpMethods.IsPut(method) || HttpMethods.IsDelete(method) || HttpMethods.IsHead(method) ? method : "other";
}
