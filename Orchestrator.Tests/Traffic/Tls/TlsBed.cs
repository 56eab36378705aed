using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using Microsoft.Extensions.Logging.Abstractions;
using Orchestrator.Traffic;
using Orchestrator.Traffic.Tls;
using Prometheus;

namespace Orchestrator.Tests.Traffic.Tls;

/// <summary>An edge with a listener for HTTP and one for HTTPS, a directory of certificates, and an authority that its clients trust.</summary>
internal sealed class TlsBed : IAsyncDisposable
{
    private TlsBed(EdgeBed bed, EdgeTls tls, CertificateFiles files, CollectorRegistry registry, string directory)
    {
        Bed = bed;
        Tls = tls;
        Files = files;
        Registry = registry;
        Directory = directory;
    }

    public EdgeBed Bed { get; }

    public EdgeTls Tls { get; }

    public CertificateFiles Files { get; }

    public CollectorRegistry Registry { get; }

    public string Directory { get; }

    public TestCa Ca { get; } = new();

    public LogLines<CertificateFiles> Log { get; private init; } = new();

    public IPEndPoint Secure => Bed.Edge.SecureAddresses[0];

    public static Task<TlsBed> StartAsync() => StartAsync(publicPort: null);

    public static async Task<TlsBed> StartAsync(int? publicPort)
    {
        var registry = Metrics.NewCustomRegistry();
        var metrics = new CertificateMetrics(registry);
        var tls = new EdgeTls(new CertificateStore(metrics), metrics, NullLoggerFactory.Instance);
        var directory = System.IO.Directory.CreateTempSubdirectory("basmalin-tls-").FullName;
        var log = new LogLines<CertificateFiles>();
        var bed = await EdgeBed.StartAsync(new EdgeOptions { Https = [new IPEndPoint(IPAddress.Loopback, 0)], Tls = tls, PublicHttpsPort = publicPort });
        return new TlsBed(bed, tls, new CertificateFiles(directory, tls.Certificates, TimeProvider.System, log), registry, directory) { Log = log };
    }

    /// <summary>A client that finds every host here.</summary>
    public HttpClient Client(string host, Version? version = null) => new(new SocketsHttpHandler
    {
        SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = Ca.Trust() },
        ConnectCallback = async (_, cancellationToken) =>
        {
            var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            await socket.ConnectAsync(Secure, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        },
        AllowAutoRedirect = false,
    })
    {
        BaseAddress = new Uri($"https://{host}:{Secure.Port}/"),
        DefaultRequestVersion = version ?? HttpVersion.Version11,
        DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
    };

    /// <summary>A handshake and no more.</summary>
    public async Task<SslStream> ShakeAsync(string host, SslProtocols protocols = SslProtocols.None)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(Secure);
        var stream = new SslStream(new NetworkStream(socket, ownsSocket: true));
        try
        {
            await stream.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = host, EnabledSslProtocols = protocols, CertificateChainPolicy = Ca.Trust() });
            return stream;
        }
        catch
        {
            await stream.DisposeAsync();
            throw;
        }
    }

    public async Task<string> MetricsTextAsync()
    {
        using var text = new MemoryStream();
        await Registry.CollectAndExportAsTextAsync(text);
        return System.Text.Encoding.UTF8.GetString(text.ToArray());
    }

    public async ValueTask DisposeAsync()
    {
        await Bed.DisposeAsync();
        Tls.Dispose();
        System.IO.Directory.Delete(Directory, recursive: true);
    }
}
