using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using Orchestrator.Certificates;
using Orchestrator.Tests.Traffic.Tls;

namespace Orchestrator.Tests.Certificates;

/// <summary>A real authority: Let's Encrypt's own for tests, with a name server that finds every name on loopback. A third of all nonces is refused.</summary>
internal sealed class Pebble : IAsyncDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("basmalin-pebble-").FullName;
    private readonly List<Process> _processes = [];
    private readonly TestCa _ca = new();
    private readonly int _port = FreePort();
    private readonly int _management = FreePort();
    private readonly int _names = FreePort();
    private readonly int _nameManagement = FreePort();

    public const string AccountName = "garden-account";

    public static readonly byte[] AccountKey = RandomNumberGenerator.GetBytes(32);

    public AcmeSettings Settings => new()
    {
        Directory = new Uri($"https://127.0.0.1:{_port}/dir"),
        Email = "ops@garden.example",
        TermsAgreed = true,
        Roots = [_ca.Root],
    };

    /// <summary>Settings that name this authority, for a daemon's file.</summary>
    public string RootFile => Path.Combine(_directory, "root.pem");

    /// <param name="http">Where validations over HTTP go.</param>
    /// <param name="tls">Where validations by handshake go.</param>
    public static async Task<Pebble> StartAsync(int http, int tls, bool externalAccount = false)
    {
        var pebble = new Pebble();
        try
        {
            await pebble.LaunchAsync(http, tls, externalAccount);
            return pebble;
        }
        catch
        {
            await pebble.DisposeAsync();
            throw;
        }
    }

    /// <summary>What a browser would have to trust.</summary>
    public async Task<X509ChainPolicy> TrustAsync()
    {
        using var client = Client();
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck, DisableCertificateDownloads = true };
        policy.CustomTrustStore.ImportFromPem(await client.GetStringAsync(new Uri($"https://127.0.0.1:{_management}/roots/0")));
        return policy;
    }

    /// <summary>Lets a name lead elsewhere.</summary>
    public async Task PointAsync(string host, string address)
    {
        using var client = new HttpClient();
        using var cleared = await client.PostAsJsonAsync(new Uri($"http://127.0.0.1:{_nameManagement}/clear-a"), new { host = $"{host}." });
        cleared.EnsureSuccessStatusCode();
        using var added = await client.PostAsJsonAsync(new Uri($"http://127.0.0.1:{_nameManagement}/add-a"), new { host = $"{host}.", addresses = new[] { address } });
        added.EnsureSuccessStatusCode();
    }

    /// <summary>Is not there any more; its files are.</summary>
    public async Task StopAsync()
    {
        foreach (var process in _processes)
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync();
            process.Dispose();
        }

        _processes.Clear();
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        Directory.Delete(_directory, recursive: true);
    }

    private async Task LaunchAsync(int http, int tls, bool externalAccount)
    {
        _ca.Write(_directory, "pebble", "127.0.0.1");
        File.WriteAllText(RootFile, _ca.Root.ExportCertificatePem());
        var pebble = new JsonObject
        {
            ["listenAddress"] = $"127.0.0.1:{_port}",
            ["managementListenAddress"] = $"127.0.0.1:{_management}",
            ["certificate"] = Path.Combine(_directory, "pebble.crt"),
            ["privateKey"] = Path.Combine(_directory, "pebble.key"),
            ["httpPort"] = http,
            ["tlsPort"] = tls,
            ["ocspResponderURL"] = "",
            ["externalAccountBindingRequired"] = externalAccount,
            ["externalAccountMACKeys"] = new JsonObject { [AccountName] = System.Buffers.Text.Base64Url.EncodeToString(AccountKey) },
        };
        var config = Path.Combine(_directory, "config.json");
        File.WriteAllText(config, new JsonObject { ["pebble"] = pebble }.ToJsonString());

        Launch("pebble-challtestsrv", "-defaultIPv4", "127.0.0.1", "-defaultIPv6", "", "-dns01", $"127.0.0.1:{_names}", "-http01", "", "-https01", "", "-tlsalpn01", "",
            "-management", $"127.0.0.1:{_nameManagement}");
        Launch("pebble", "-config", config, "-dnsserver", $"127.0.0.1:{_names}", "-strict");
        using var client = Client();
        await UntilAsync(() => client.GetStringAsync(Settings.Directory));
        using var names = new TcpClient();
        await UntilAsync(async () =>
        {
            await names.ConnectAsync(IPAddress.Loopback, _nameManagement);
            return true;
        });
    }

    private void Launch(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["PEBBLE_VA_NOSLEEP"] = "1";
        start.Environment["PEBBLE_WFE_NONCEREJECT"] = "33";
        start.Environment["PEBBLE_AUTHZREUSE"] = "0";
        var process = Process.Start(start) ?? throw new InvalidOperationException($"{program} did not start.");
        process.OutputDataReceived += (_, line) => Trace.WriteLine(line.Data);
        process.ErrorDataReceived += (_, line) => Trace.WriteLine(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        _processes.Add(process);
    }

    /// <summary>Until it answers; it has just been started.</summary>
    private static async Task UntilAsync<T>(Func<Task<T>> ask)
    {
        var since = TimeProvider.System.GetTimestamp();
        while (true)
        {
            try
            {
                await ask();
                return;
            }
            catch (Exception exception) when (exception is HttpRequestException or SocketException && TimeProvider.System.GetElapsedTime(since) < TimeSpan.FromSeconds(30))
            {
                await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, CancellationToken.None);
            }
        }
    }

    private HttpClient Client() => new(new SocketsHttpHandler { SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = _ca.Trust() } });

    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
