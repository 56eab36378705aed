using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Orchestrator.Backups.Stores;
using Orchestrator.Tests.Architecture;

namespace Orchestrator.Tests.Backups.Stores;

/// <summary>An S3 server that others wrote, in a process of its own, with the bucket <c>backups</c>.</summary>
internal sealed class ForeignS3Server : IAsyncDisposable
{
    public const string Bucket = "backups";

    /// <summary>Both of them.</summary>
    public const string Key = "S3RVER";

    private readonly Process _process;

    private ForeignS3Server(Process process, string root, Uri endpoint) => (_process, Root, Endpoint) = (process, root, endpoint);

    public Uri Endpoint { get; }

    /// <summary>Where it keeps what it is given.</summary>
    public string Root { get; }

    /// <summary>Returns when it answers.</summary>
    public static async Task<ForeignS3Server> StartAsync()
    {
        var program = Path.Combine(Environment.GetEnvironmentVariable("BASMALIN_WORK") ?? Repository.PathOf(".work"), "s3rver", "node_modules", ".bin", "s3rver");
        Assert.That(File.Exists(program), Is.True, $"{program} is not there; ./test.sh installs it");
        var root = Directory.CreateTempSubdirectory("basmalin-s3rver-").FullName;
        var port = FreePort();
        var process = Process.Start(new ProcessStartInfo(program, ["-d", root, "-a", "127.0.0.1", "-p", $"{port}", "-s", "--configure-bucket", Bucket])) ?? throw new InvalidOperationException("s3rver did not start");
        var server = new ForeignS3Server(process, root, new Uri($"http://127.0.0.1:{port}"));
        using var store = server.Store();
        await store.FindAsync("up", CancellationToken.None);       // repeated until it answers
        return server;
    }

    public S3Store Store() =>
        new("s3rver", new S3Options { Endpoint = Endpoint, Bucket = Bucket, AccessKey = Key, SecretKey = Key, Retries = 8 }, TimeProvider.System);

    public async ValueTask DisposeAsync()
    {
        _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        _process.Dispose();
        Directory.Delete(Root, recursive: true);
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
