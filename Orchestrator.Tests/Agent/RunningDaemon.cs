using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Orchestrator.Agent.Hosting;

namespace Orchestrator.Tests.Agent;

/// <summary>The real daemon in this process, on a real engine, with a data directory and ports of its own.</summary>
internal sealed class RunningDaemon : IAsyncDisposable
{
    private readonly Dictionary<string, string> _tokens = [];
    private Daemon? _daemon;

    private RunningDaemon(string directory, AgentOptions options, Daemon daemon)
    {
        Directory = directory;
        Options = options;
        _daemon = daemon;
        Socket = OverSocket(options.Admin.Socket);
    }

    public string Directory { get; }

    public AgentOptions Options { get; }

    public Daemon Daemon => _daemon ?? throw new InvalidOperationException("The daemon did not start again.");

    public IServiceProvider Services => Daemon.Services;

    /// <summary>As root, over the admin socket.</summary>
    public HttpClient Socket { get; private set; }

    public Uri Admin => Daemon.Admin!;

    public Uri Edge => new($"http://{Daemon.Edge[0]}/");

    /// <param name="time">Its clock; null: the system's.</param>
    public static async Task<RunningDaemon> StartAsync(Func<AgentOptions, AgentOptions>? change = null, Action<IServiceCollection>? more = null, TimeProvider? time = null)
    {
        var directory = System.IO.Directory.CreateTempSubdirectory("basmalin-agent-").FullName;
        var options = new AgentOptions
        {
            Data = Path.Combine(directory, "data"),
            Edge = new EdgeOptions { Http = [new ListenAddress("127.0.0.1", 0)] },
            Admin = new AdminOptions { Listen = new ListenAddress("127.0.0.1", 0), Socket = Path.Combine(directory, "admin.sock") },
            Preflight = new PreflightOptions { DiskFloor = new DiskFloor(0, 1 << 20) },
            Log = new LogOptions { Level = LogLevel.Error },
        };
        options = change?.Invoke(options) ?? options;
        return new RunningDaemon(directory, options, await Daemon.StartAsync(options, terminal: false, time ?? TimeProvider.System, more, CancellationToken.None));
    }

    public async Task RestartAsync()
    {
        Socket.Dispose();

        // Nobody's from here on: what a failed start says must not be hidden by an end that comes twice.
        var before = Daemon;
        _daemon = null;
        await before.DisposeAsync();
        _daemon = await Orchestrator.Agent.Hosting.Daemon.StartAsync(Options, terminal: false, TimeProvider.System, null, CancellationToken.None);
        Socket = OverSocket(Options.Admin.Socket);
    }

    public HttpClient Anonymous(bool followRedirects = false) => new(new SocketsHttpHandler { AllowAutoRedirect = followRedirects, UseCookies = false }) { BaseAddress = Admin };

    /// <summary>Over the network, with a token of this scope, good for one stack or for all.</summary>
    public async Task<HttpClient> WithTokenAsync(string scope, string? stack = null)
    {
        var client = Anonymous();
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", await TokenAsync(scope, stack));
        return client;
    }

    public async Task<string> TokenAsync(string scope, string? stack = null)
    {
        var name = $"{scope}-{stack ?? "all"}";
        if (_tokens.TryGetValue(name, out var known)) return known;

        using var answer = await Socket.PostAsJsonAsync("/api/v1/tokens", new { name, scope, stack });
        answer.EnsureSuccessStatusCode();
        return _tokens[name] = (await JsonAsync(answer))["token"]!.GetValue<string>();
    }

    /// <summary>A line of the command line, over the socket.</summary>
    public Task<CliResult> RunAsync(params string[] arguments) => CliResult.OfAsync(["--socket", Options.Admin.Socket, .. arguments]);

    /// <summary>The same, and it must succeed.</summary>
    public async Task<CliResult> SucceedAsync(params string[] arguments)
    {
        var result = await RunAsync(arguments);
        Assert.That(result.ExitCode, Is.Zero, result.Error);
        return result;
    }

    /// <summary>Applies a Compose file, which must succeed.</summary>
    public async Task ApplyAsync(string compose)
    {
        var file = Path.Combine(Directory, "compose.yml");
        await File.WriteAllTextAsync(file, compose);
        await SucceedAsync("apply", file);
    }

    public static async Task<JsonNode> JsonAsync(HttpResponseMessage answer) =>
        JsonNode.Parse(await answer.Content.ReadAsStringAsync()) ?? throw new InvalidOperationException("The answer is null.");

    public async ValueTask DisposeAsync()
    {
        Socket.Dispose();
        if (_daemon is not null) await _daemon.DisposeAsync();
        System.IO.Directory.Delete(Directory, recursive: true);
    }

    /// <summary>A client of the admin socket.</summary>
    public static HttpClient OverSocket(string path) => new(new SocketsHttpHandler
    {
        ConnectCallback = async (_, cancellationToken) =>
        {
            var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        },
    })
    {
        BaseAddress = new Uri("http://localhost/"),
    };
}
