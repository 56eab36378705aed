namespace GardenApp.Hosting;

/// <summary>The outermost middleware: counts the request while it runs and signs the answer with version and instance.</summary>
internal sealed class EveryRequest
{
    private static readonly string Instance = Environment.MachineName;

    private readonly RequestDelegate _next;
    private readonly GardenSettings _settings;
    private readonly RequestsInFlight _inFlight;

    public EveryRequest(RequestDelegate next, GardenSettings settings, RequestsInFlight inFlight)
    {
        _next = next;
        _settings = settings;
        _inFlight = inFlight;
    }

    public async Task InvokeAsync(HttpContext context)
    {
        // When the answer starts, because the exception page clears headers that were set before.
        context.Response.OnStarting(static state =>
        {
            var (headers, version) = ((IHeaderDictionary, string))state;
            headers["X-Garden-Version"] = version;
            headers["X-Garden-Instance"] = Instance;
            return Task.CompletedTask;
        }, (context.Response.Headers, _settings.Version));

        if (ProbePaths.Contains(context.Request.Path))
        {
            await _next(context);
            return;
        }

        _inFlight.Entered();
        try
        {
            await _next(context);
        }
        finally
        {
            _inFlight.Left();
        }
    }
}
