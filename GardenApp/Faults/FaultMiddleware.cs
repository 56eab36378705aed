using GardenApp.Hosting;

namespace GardenApp.Faults;

/// <summary>Makes requests slow or wrong, as asked. Probes are left alone: <c>/api/health</c> has its own say.</summary>
internal sealed class FaultMiddleware
{
    private readonly RequestDelegate _next;
    private readonly FaultSettings _settings;
    private readonly FaultClock _clock;
    private readonly TimeProvider _time;

    public FaultMiddleware(RequestDelegate next, FaultSettings settings, FaultClock clock, TimeProvider time)
    {
        _next = next;
        _settings = settings;
        _clock = clock;
        _time = time;
    }

    public async Task InvokeAsync(HttpContext context)
    {
        if (ProbePaths.Contains(context.Request.Path))
        {
            await _next(context);
            return;
        }

        _clock.RequestSeen();
        if (_settings.Latency > TimeSpan.Zero) await Task.Delay(_settings.Latency, _time, context.RequestAborted);
        if (Reason(context.Request.Path) is { } reason)
            await TypedResults.Problem(reason, statusCode: StatusCodes.Status500InternalServerError, title: "A fault on purpose").ExecuteAsync(context);
        else
            await _next(context);
    }

    private string? Reason(PathString path) => this switch
    {
        _ when _clock.HasFailed => "GARDEN_FAULT_FAIL_AFTER_SECONDS has passed.",
        _ when _settings.BrokenPath is { } broken && path.StartsWithSegments(broken) => $"GARDEN_FAULT_BROKEN_PATH is {broken}.",
        _ when _clock.NextRequestFails() => "GARDEN_FAULT_ERROR_RATIO chose this request.",
        _ => null,
    };
}
