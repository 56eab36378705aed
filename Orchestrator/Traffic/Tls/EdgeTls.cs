using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Orchestrator.Traffic.Tls;

/// <summary>What makes a listener speak TLS 1.2 and 1.3: HTTP/2 where the client offers it, and the certificate of the name that it asks for.</summary>
public sealed class EdgeTls : IDisposable
{
    // A record of two bytes: alert, fatal, unrecognized_name (RFC 8446, 6.2). It goes out before anything of the handshake has been answered.
    private static readonly byte[] UnrecognizedName = [21, 3, 3, 0, 2, 2, 112];

    private readonly ServiceProvider _services;
    private readonly CertificateMetrics _metrics;

    public EdgeTls(CertificateStore certificates, CertificateMetrics metrics, ILoggerFactory loggers)
    {
        Certificates = certificates;
        _metrics = metrics;

        // Kestrel takes what it needs for TLS from a container; this one has nothing else in it.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore();
        builder.Services.AddSingleton(loggers);
        _services = builder.Services.BuildServiceProvider();
    }

    public CertificateStore Certificates { get; }

    /// <summary>What authorities that validate a host are shown.</summary>
    public AcmeChallenges Challenges { get; } = new();

    public void Dispose() => _services.Dispose();

    internal void Use(ListenOptions listen)
    {
        listen.Protocols = HttpProtocols.Http1AndHttp2;
        listen.KestrelServerOptions.ApplicationServices = _services;
        AlpnValidation.Look(listen, Challenges);
        listen.UseHttps(new TlsHandshakeCallbackOptions { OnConnection = Choose });
        AlpnValidation.End(listen);
    }

    private ValueTask<SslServerAuthenticationOptions> Choose(TlsHandshakeCallbackContext context)
    {
        if (AlpnValidation.HandshakeOf(context.Connection) is { } validation) return ValueTask.FromResult(validation);

        // Who comes without a name came by the address.
        var name = context.ClientHelloInfo.ServerName;
        if (string.IsNullOrEmpty(name)) name = AddressText(context.Connection.LocalEndPoint);
        return Certificates.Find(name) is { } certificate ? ValueTask.FromResult(certificate.Handshake) : RefuseAsync(context);
    }

    private async ValueTask<SslServerAuthenticationOptions> RefuseAsync(TlsHandshakeCallbackContext context)
    {
        _metrics.CountUnknown();
        await context.Connection.Transport.Output.WriteAsync(UnrecognizedName, context.CancellationToken);
        throw new AuthenticationException("The name has no certificate.");
    }

    private static string AddressText(EndPoint? local) =>
        local is IPEndPoint { Address: var address } ? (address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address).ToString() : "";
}
