using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace Orchestrator.Benchmarks.Edge;

/// <summary>The smallest ASP.NET Core application that people write, without logging.</summary>
internal static class PlainApplication
{
    public static WebApplication Build()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(options =>
        {
            options.AddServerHeader = false;
            options.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http1);
        });
        return builder.Build();
    }

    /// <returns>Its port.</returns>
    public static async Task<int> StartAsync(WebApplication application)
    {
        await application.StartAsync();
        return new Uri(application.Urls.First()).Port;
    }
}
