using System.Net;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Abstractions;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Yarp.ReverseProxy.Forwarder;

namespace Orchestrator.Benchmarks.Edge;

/// <summary>
/// YARP's forwarder with nothing around it: one destination, no routes, no metrics, no X-Forwarded headers, no tracing. Once in a small ASP.NET Core
/// application, as its documentation shows, and once on Kestrel's server alone, below which nothing that forwards with YARP can be.
/// </summary>
internal static class BareForwarder
{
    private static readonly ForwarderRequestConfig Config = new() { ActivityTimeout = TimeSpan.FromHours(1), Version = HttpVersion.Version11 };

    /// <returns>Its port.</returns>
    public static async Task<int> StartInApplicationAsync(string destination)
    {
        var (forwarder, client) = Create();
        var application = PlainApplication.Build();
        application.Run(async context => await forwarder.SendAsync(context, destination, client, Config, HttpTransformer.Default));
        return await PlainApplication.StartAsync(application);
    }

    /// <returns>Its ports; 0: none.</returns>
    public static async Task<(int Plain, int Tls)> StartOnKestrelAsync(string destination, BenchCertificate? certificate)
    {
        var (forwarder, client) = Create();
        var options = new KestrelServerOptions { AddServerHeader = false };
        options.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http1);
        if (certificate is not null)
        {
            var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
            builder.WebHost.UseKestrelCore();
            builder.Services.AddLogging();
            options.ApplicationServices = builder.Services.BuildServiceProvider();
            var pair = X509Certificate2.CreateFromPemFile(certificate.Chain, certificate.Key);
            options.Listen(IPAddress.Loopback, 0, listen => listen.UseHttps(pair));
        }

        var transport = new SocketTransportFactory(Options.Create(new SocketTransportOptions()), NullLoggerFactory.Instance);
        var server = new KestrelServer(Options.Create(options), transport, NullLoggerFactory.Instance);
        await server.StartAsync(new Application(forwarder, client, destination), CancellationToken.None);
        var addresses = server.Features.GetRequiredFeature<IServerAddressesFeature>().Addresses.Select(address => new Uri(address)).ToLookup(address => address.Scheme, address => address.Port);
        return (addresses[Uri.UriSchemeHttp].First(), addresses[Uri.UriSchemeHttps].FirstOrDefault());
    }

    private static (IHttpForwarder Forwarder, HttpMessageInvoker Client) Create()
    {
        var forwarder = new ServiceCollection().AddLogging().AddHttpForwarder().BuildServiceProvider().GetRequiredService<IHttpForwarder>();
        return (forwarder, new HttpMessageInvoker(new SocketsHttpHandler
        {
            UseProxy = false,
            UseCookies = false,
            AllowAutoRedirect = false,
            AutomaticDecompression = DecompressionMethods.None,
            ActivityHeadersPropagator = null,
        }));
    }

    private sealed class Application(IHttpForwarder forwarder, HttpMessageInvoker client, string destination) : IHttpApplication<DefaultHttpContext>
    {
        // One context per connection, used again for each of its requests, as ASP.NET Core's own host does.
        public DefaultHttpContext CreateContext(IFeatureCollection contextFeatures)
        {
            if (contextFeatures is not IHostContextContainer<DefaultHttpContext> container)
                return new DefaultHttpContext(contextFeatures);

            container.HostContext ??= new DefaultHttpContext();
            container.HostContext.Initialize(contextFeatures);
            return container.HostContext;
        }

        public async Task ProcessRequestAsync(DefaultHttpContext context) => await forwarder.SendAsync(context, destination, client, Config, HttpTransformer.Default);

        public void DisposeContext(DefaultHttpContext context, Exception? exception) => context.Uninitialize();
    }
}
