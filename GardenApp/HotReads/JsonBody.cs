using GardenApp.Telemetry;

namespace GardenApp.HotReads;

/// <summary>Sends JSON that is bytes already, and says in <c>X-Cache</c> where it came from. Nothing read is 404.</summary>
internal sealed class JsonBody : IResult
{
    private readonly CachedRead _read;

    internal JsonBody(CachedRead read) => _read = read;

    public async Task ExecuteAsync(HttpContext httpContext)
    {
        httpContext.RequestServices.GetRequiredService<GardenMetrics>().CacheReads.WithLabels(_read.Source).Inc();
        var response = httpContext.Response;
        response.Headers["X-Cache"] = _read.Source;
        if (_read.Json is not { } json)
        {
            response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }
        response.ContentType = "application/json; charset=utf-8";
        response.ContentLength = json.Length;
        await response.Body.WriteAsync(json, httpContext.RequestAborted);
    }
}
