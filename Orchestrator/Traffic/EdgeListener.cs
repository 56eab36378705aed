using System.Globalization;
using System.Net;
using System.Text;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;
using Orchestrator.Traffic.Requests;

namespace Orchestrator.Traffic;

/// <summary>One listening address with a server of its own, so that it opens and closes without the others noticing.</summary>
internal sealed class EdgeListener : IDisposable
{
    private readonly KestrelServer _server;

    private EdgeListener(KestrelServer server, IPEndPoint address)
    {
        _server = server;
        Address = address;
    }

    /// <summary>Where it listens, with the port that it was given.</summary>
    public IPEndPoint Address { get; }

    /// <exception cref="EdgeBindException">The address is taken, or not one of this host's.</exception>
    public static async Task<EdgeListener> OpenAsync(
        PublishedEndpoint endpoint, EdgeApplication application, EdgeListenerOptions settings, IConnectionListenerFactory transport,
        ILoggerFactory loggers, CancellationToken cancellationToken)
    {
        var server = new KestrelServer(Options.Create(OptionsFor(endpoint, settings)), transport, loggers);
        try
        {
            await server.StartAsync(application, cancellationToken);
            return new EdgeListener(server, BoundAddress(server));
        }
        catch (Exception exception)
        {
            server.Dispose();
            if (exception is IOException or System.Net.Sockets.SocketException)
                throw new EdgeBindException(endpoint, Why(exception), exception);
            throw;
        }
    }

    /// <summary>Stops accepting at once, lets the requests of its connections end, and closes them when <paramref name="cancellationToken"/> says so.</summary>
    public Task CloseAsync(CancellationToken cancellationToken) => _server.StopAsync(cancellationToken);

    public void Dispose() => _server.Dispose();

    private static KestrelServerOptions OptionsFor(PublishedEndpoint endpoint, EdgeListenerOptions settings)
    {
        var options = new KestrelServerOptions
        {
            AddServerHeader = false,

            // Header values are bytes to a proxy: Latin-1 gives back what came.
            RequestHeaderEncodingSelector = static name => name == HeaderNames.ContentLength ? Framing.Digits : Encoding.Latin1,
            ResponseHeaderEncodingSelector = static _ => Encoding.Latin1,
        };

        settings.Limits.Apply(options.Limits);
        if (endpoint.Address is null)
            options.ListenAnyIP(endpoint.Port, Configure);
        else
            options.Listen(IPAddress.Parse(endpoint.Address), endpoint.Port, Configure);
        return options;

        void Configure(ListenOptions listen)
        {
            listen.Protocols = HttpProtocols.Http1;
            listen.Use(next => connection => settings.Farewell.CountAsync(next, connection, plain: settings.Tls is null && endpoint.Port != 0));
            settings.Tls?.Use(listen);
        }
    }

    private static IPEndPoint BoundAddress(KestrelServer server)
    {
        var text = server.Features.Get<IServerAddressesFeature>()?.Addresses.FirstOrDefault()
            ?? throw new InvalidOperationException("The server listens nowhere.");
        return IPEndPoint.Parse(text[(text.LastIndexOf('/') + 1)..]);
    }

    private static string Why(Exception exception) => exception switch
    {
        { InnerException: AddressInUseException } or AddressInUseException => "another process has this port",
        _ => string.Create(CultureInfo.InvariantCulture, $"{exception.GetBaseException().Message}"),
    };
}
