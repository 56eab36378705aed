using System.Globalization;
using Serilog;
using Serilog.Events;
using Serilog.Formatting.Compact;

namespace GardenApp.Hosting;

/// <summary>Serilog on the console behind <see cref="Microsoft.Extensions.Logging.ILogger"/>: text for people, or compact JSON for collectors.</summary>
internal static class GardenLogging
{
    internal static void AddGardenLogging(this IServiceCollection services, GardenSettings settings) => services.AddSerilog(logging =>
    {
        logging.MinimumLevel.Is(settings.LogLevel).MinimumLevel.Override("Microsoft", LogEventLevel.Warning)
            // Already told as a 503 with a hint, and in health; a stack trace for each request would bury the rest.
            .MinimumLevel.Override("Microsoft.AspNetCore.Diagnostics.ExceptionHandlerMiddleware", LogEventLevel.Error);
        if (settings.LogJson) logging.WriteTo.Console(new CompactJsonFormatter());
        else logging.WriteTo.Console(outputTemplate: "{Timestamp:HH:mm:ss.fff} {Level:u3} {Message:lj}{NewLine}{Exception}", formatProvider: CultureInfo.InvariantCulture);
    });
}
