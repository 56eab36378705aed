using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Orchestrator.Tests.Agent;
using Orchestrator.Tests.Engine;

namespace Orchestrator.Tests.Faults;

/// <summary>A mortal daemon with a data directory, a port and a stack of its own, and its users.</summary>
internal sealed class FaultStage : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    private readonly List<(DateTimeOffset From, DateTimeOffset To)> _away = [];
    private readonly HashSet<string> _stacks = [];
    private Process? _process;
    private HttpClient _api;

    private FaultStage(string directory, int port)
    {
        (Directory, Edge) = (directory, new Uri($"http://127.0.0.1:{port}/"));
        _api = RunningDaemon.OverSocket(Socket);
        NewStack();
    }

    public string Directory { get; }

    public Uri Edge { get; }

    /// <summary>The daemon's data directory.</summary>
    public string Data => Path.Combine(Directory, "data");

    /// <summary>The daemon's admin socket.</summary>
    public string Socket => Path.Combine(Directory, "admin.sock");

    public string Stack { get; private set; } = "";

    public string Host => $"{Stack}.example";

    /// <summary>They come from the first moment at which the edge listens.</summary>
    public Visitors Users { get; private set; } = null!;

    public HttpClient Api => _api;

    /// <summary>Everything that the daemon's processes wrote.</summary>
    public string Log => File.Exists(Path.Combine(Directory, "log")) ? File.ReadAllText(Path.Combine(Directory, "log")) : "";

    /// <param name="data">Where the daemon's data directory really lies; null: with the rest.</param>
    /// <param name="settings">Content of an agent.yml; null: none. Data, listeners and log are the stage's own.</param>
    public static async Task<FaultStage> OpenAsync(string? data = null, string? settings = null)
    {
        await FaultImages.EnsureAsync();
        var directory = System.IO.Directory.CreateTempSubdirectory("basmalin-fault-").FullName;
        var port = FreePort();
        if (data is not null) File.CreateSymbolicLink(Path.Combine(directory, "data"), data);
        await File.WriteAllTextAsync(Path.Combine(directory, "place.json"), JsonSerializer.Serialize(new MortalDaemon.Place(port)));
        if (settings is not null) await File.WriteAllTextAsync(Path.Combine(directory, MortalDaemon.Settings), settings);
        var stage = new FaultStage(directory, port);
        await stage.StartAsync();
        stage.Users = new(stage.Edge, () => stage.Host);
        return stage;
    }

    public void NewStack() => TakeOver(TestDaemon.NewName());

    /// <summary>The stack is this stage's from now on, and goes with it.</summary>
    public void TakeOver(string stack)
    {
        Stack = stack;
        _stacks.Add(stack);
    }

    /// <summary>Starts the daemon (again) and waits until it is ready.</summary>
    public async Task StartAsync(bool untilReady = true)
    {
        var start = new ProcessStartInfo("/bin/sh", ["-c", $"exec '{Environment.ProcessPath}' {MortalDaemon.Verb} '{Directory}' >>'{Directory}/log' 2>&1"]);
        _process = Process.Start(start) ?? throw new InvalidOperationException("The daemon cannot be started.");
        var opened = await UntilAsync("the edge listens", async () => await ListensAsync() || _process.HasExited);
        if (_away is [.., var last] && last.To == DateTimeOffset.MaxValue) _away[^1] = (last.From, opened);
        if (untilReady) await UntilAsync("the daemon is ready", async () => _process.HasExited || await ReadyAsync());
    }

    /// <summary>Makes the daemon die at a row.</summary>
    public void Arm(FatalRow? row)
    {
        File.Delete(Path.Combine(Directory, "died"));
        File.WriteAllText(Path.Combine(Directory, "fatal"), row is null ? "" : $"{row.Row}|{(row.After ? "after" : "before")}|{row.Nth}");
        File.WriteAllText(Path.Combine(Directory, "rows"), "");
    }

    /// <summary>The rows since the last <see cref="Arm"/>.</summary>
    public string[] Rows() => File.Exists(Path.Combine(Directory, "rows")) ? File.ReadAllLines(Path.Combine(Directory, "rows")) : [];

    /// <summary>Waits for the death that was ordered.</summary>
    public async Task DeadAsync()
    {
        await UntilAsync("the daemon is dead", () => Task.FromResult(_process is null or { HasExited: true }));
        Assert.That(_process?.ExitCode, Is.EqualTo(128 + 9), $"killed, not ended\n{Tail()}");
        Assert.That(File.Exists(Path.Combine(Directory, "died")), $"it died of something else\n{Tail()}");
        var died = DateTimeOffset.Parse(await File.ReadAllTextAsync(Path.Combine(Directory, "died")), CultureInfo.InvariantCulture);
        _away.Add((died, DateTimeOffset.MaxValue));
        _api.Dispose();
        _api = RunningDaemon.OverSocket(Socket);
    }

    /// <summary>SIGKILL from outside, now.</summary>
    public async Task KillAsync()
    {
        if (_process is null) return;
        await File.WriteAllTextAsync(Path.Combine(Directory, "died"), TimeProvider.System.GetUtcNow().ToString("O", CultureInfo.InvariantCulture));
        _process.Kill();
        await DeadAsync();
    }

    public IEnumerable<Visit> Lost(DateTimeOffset since, Func<Visit, bool> allowed) => Users.Lost(_away, visit => visit.Came < since || allowed(visit));

    /// <summary>Since somebody was served for the first time.</summary>
    public IEnumerable<Visit> Lost() => Lost(Users.Seen.First(visit => visit.Status == 200).Came, _ => false);

    public async Task SubmitAsync(HttpMethod method, string path, object? body)
    {
        using var content = body is string yaml ? new StringContent(yaml, Encoding.UTF8, "application/yaml") : (HttpContent)JsonContent.Create(body ?? new { });
        using var message = new HttpRequestMessage(method, $"/api/v1/{path}") { Content = method == HttpMethod.Delete ? null : content };
        try
        {
            using var answer = await _api.SendAsync(message);
            if (!answer.IsSuccessStatusCode) throw new InvalidOperationException($"{path}: {(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync()}");
        }
        catch (HttpRequestException) when (File.Exists(Path.Combine(Directory, "died")))
        {
            // It died over the request, as was asked for.
        }
    }

    /// <summary>Waits for the end of the newest deployment of the stack; null: there is none.</summary>
    public async Task<JsonNode?> EndedAsync()
    {
        JsonNode? newest = null;
        await UntilAsync("the deployment has ended", async () =>
        {
            newest = (await _api.GetFromJsonAsync<JsonArray>($"/api/v1/deployments?stack={Stack}"))?.FirstOrDefault();
            return newest is null || newest["state"]!.GetValue<string>() is not ("queued" or "running");
        });
        return newest;
    }

    public async Task<JsonNode?> StatusAsync()
    {
        using var answer = await _api.GetAsync($"/api/v1/stacks/{Stack}");
        return answer.StatusCode == HttpStatusCode.NotFound ? null : await RunningDaemon.JsonAsync(answer);
    }

    /// <summary>Waits until nothing is left but what serves, is warm, or is in the file.</summary>
    public Task SweptAsync() => UntilAsync("the sweep is over", async () =>
    {
        var status = await StatusAsync();
        if (status?["warm"] is JsonObject) return true;

        var live = status?["services"]?.AsArray().SelectMany(service => service!["containers"]!.AsArray()).Count(container => container!["live"]!.GetValue<bool>()) ?? 0;
        var scene = await SceneAsync();
        return scene.Containers.Length == live && (live > 0 || scene.Networks.IsEmpty);
    });

    /// <summary>What is there: who answers, which containers, which networks.</summary>
    public async Task<Scene> SceneAsync() => await Scene.LookAsync(Stack, () => VersionAsync(Host));

    /// <summary>Waits until what is there is as told, and says what it is when that does not come.</summary>
    public async Task<Scene> SceneBecomesAsync(Func<Scene, bool> expected)
    {
        var scene = await SceneAsync();
        var since = TimeProvider.System.GetTimestamp();
        while (!expected(scene) && TimeProvider.System.GetElapsedTime(since) < TimeSpan.FromSeconds(20))
        {
            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, CancellationToken.None);
            scene = await SceneAsync();
        }

        return scene;
    }

    public string Tail() => string.Join('\n', Log.Split('\n').TakeLast(60));

    public async ValueTask DisposeAsync()
    {
        if (Users is not null) await Users.DisposeAsync();
        if (_process is { HasExited: false })
        {
            _process.Kill();
            await _process.WaitForExitAsync();
        }

        _process?.Dispose();
        _api.Dispose();
        foreach (var stack in _stacks) await TestDaemon.RemoveStackAsync(stack);
        System.IO.Directory.Delete(Directory, recursive: true);
    }

    public async Task<DateTimeOffset> UntilAsync(string what, Func<Task<bool>> so)
    {
        var since = TimeProvider.System.GetTimestamp();
        while (!await so())
        {
            if (TimeProvider.System.GetElapsedTime(since) > Patience) throw new TimeoutException($"It did not come to pass that {what}. Rows: {string.Join(", ", Rows())}. The daemon's last lines:\n{Tail()}");
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, CancellationToken.None);
        }

        return TimeProvider.System.GetUtcNow();
    }

    /// <summary>Who answers for a host; null: nobody.</summary>
    public Task<string?> VersionAsync(string host) => Scene.VersionAsync(Edge, host);

    private async Task<bool> ReadyAsync()
    {
        try
        {
            using var answer = await _api.GetAsync("/readyz");
            return answer.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    private async Task<bool> ListensAsync()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(IPAddress.Loopback, Edge.Port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}

/// <summary>A moment at which the daemon dies.</summary>
/// <param name="Nth">Which row of that name, from 1.</param>
internal sealed record FatalRow(string Row, int Nth, bool After)
{
    public override string ToString() => $"{(After ? "after" : "before")} '{Row}'{(Nth > 1 ? $" ({Nth})" : "")}";
}
