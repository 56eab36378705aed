using System.Collections.Immutable;
using System.Diagnostics;
using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Orchestrator.Backups.Encryption;
using Orchestrator.Backups.Sets;
using Orchestrator.Backups.Stores;
using Orchestrator.Deployments;
using Orchestrator.Docker;
using Orchestrator.Healing;
using Orchestrator.Journal;
using Orchestrator.Journal.Sqlite;
using Orchestrator.Planning;
using Orchestrator.Resilience;
using Orchestrator.Restores;
using Orchestrator.Scheduling;
using Orchestrator.Secrets;
using Orchestrator.Stacks;
using Orchestrator.Traffic;
using Prometheus;

namespace Orchestrator.Tests.Engine;

/// <summary>The whole library on a real engine, a real journal and real sockets, without the process around it. Everything it made is gone when it is disposed.</summary>
internal sealed class TestDaemon : IAsyncDisposable
{
    private readonly string _directory;
    private readonly HashSet<string> _stacks = [];
    private readonly VaultOptions _vault;
    private readonly TestSurroundings _around;
    private ServiceProvider _services;

    private TestDaemon(string directory, VaultOptions vault, TestSurroundings around, ServiceProvider services) => (_directory, _vault, _around, _services) = (directory, vault, around, services);

    public BackupDesk Backups => _services.GetRequiredService<BackupDesk>();

    public RestoreDesk Restores => _services.GetRequiredService<RestoreDesk>();

    public SetLedger Sets => _services.GetRequiredService<SetLedger>();

    public DrillLedger Drills => _services.GetRequiredService<DrillLedger>();

    public BackupAlerts Alerts => _services.GetRequiredService<BackupAlerts>();

    /// <summary>What there is of the stack goes with this daemon.</summary>
    public void Owns(string stack) => _stacks.Add(stack);

    public T Get<T>() where T : notnull => _services.GetRequiredService<T>();

    public DeploymentService Deployments => _services.GetRequiredService<DeploymentService>();

    public IJournal Journal => _services.GetRequiredService<IJournal>();

    public StackTraffic Traffic => _services.GetRequiredService<StackTraffic>();

    public IContainerEngine Engine => _services.GetRequiredService<IContainerEngine>();

    public Uri Edge => new($"http://127.0.0.1:{_services.GetRequiredService<EdgeServer>().Addresses[0].Port}");

    public string Directory => _directory;

    /// <summary>A stack name that no other test has.</summary>
    public static string NewName() => $"t{Guid.NewGuid().ToString("N")[..8]}";

    /// <param name="time">Its clock; null: the system's.</param>
    /// <param name="healing">Null: differences are only reported, so that what a test takes away stays away.</param>
    /// <param name="around">Null: the engine of this host, and a journal that nobody listens to.</param>
    public static async Task<TestDaemon> StartAsync(
        DeploymentOptions? options = null, TimeProvider? time = null, VaultOptions? vault = null, HealingOptions? healing = null, TestSurroundings? around = null)
    {
        var directory = System.IO.Directory.CreateTempSubdirectory("basmalin-test-").FullName;
        var daemon = new TestDaemon(directory, vault ?? new(), around ?? new(), await BuildAsync(directory, 0, options, vault ?? new(), around ?? new(), time, healing));
        await daemon.OpenAsync();
        return daemon;
    }

    /// <summary>With a store in a directory of its own, and a key that only this test knows.</summary>
    /// <param name="given">Null: a new one.</param>
    public static Task<TestDaemon> WithBackupsAsync(string store, AgeIdentity? given = null)
    {
        var key = given ?? AgeIdentity.Generate();
        return StartAsync(null, null, new()
        {
            Stores = [new DirectoryStore("local", store, TimeProvider.System)],
            Recipients = [key.Recipient],
            Identities = () => [key],
            Program = "test",
        });
    }

    /// <summary>Waits for a backup, drill or restore, and says how it went.</summary>
    public async Task<BackupOperation> FinishAsync(BackupOperation begun)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(4));
        var last = begun;
        await foreach (var now in Backups.Board.WatchAsync(begun.Id, limit.Token))
        {
            if (now.What != last.What) TestContext.Out.WriteLine($"{now.Kind} {now.Stack}: {now.What}");
            last = now;
        }

        if (last.Problem is { } problem) TestContext.Out.WriteLine($"{last.Kind} {last.Stack}: {problem} ({last.Hint})");
        return last;
    }

    /// <summary>As the daemon's restart: everything in memory is lost, the journal and the containers stay.</summary>
    public async Task RestartAsync(DeploymentOptions? options = null)
    {
        var port = Edge.Port;
        await CloseAsync();
        _services = await BuildAsync(_directory, port, options, _vault, _around);
        await OpenAsync();
    }

    public async Task<Deployment> ApplyAsync(string yaml, ImmutableDictionary<string, string>? environment = null) => await EndAsync(await SubmitAsync(Request(yaml, environment)));

    public Task<Deployment> DeployAsync(string stack, string service, string image) =>
        EndsAsync(new() { Stack = stack, Kind = DeploymentKind.Deploy, Images = ImmutableSortedDictionary<string, string>.Empty.Add(service, image) });

    public Task<Deployment> RollbackAsync(string stack, int? to = null) => EndsAsync(new() { Stack = stack, Kind = DeploymentKind.Rollback, ToRelease = to });

    public async Task<Deployment> EndsAsync(DeploymentRequest request) => await EndAsync(await SubmitAsync(request));

    public async Task<DeploymentId> SubmitAsync(DeploymentRequest request)
    {
        _stacks.Add(request.Stack);
        return (await Deployments.SubmitAsync(request, null, CancellationToken.None)).Deployment.Id;
    }

    /// <summary>Waits for the end and says the whole story when it takes too long.</summary>
    public async Task<Deployment> EndAsync(DeploymentId id)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(3));
        await foreach (var happened in Deployments.WatchAsync(id, limit.Token))
        {
            if (happened.Message is { } message) TestContext.Out.WriteLine($"{id} {happened.Step}: {message}");
            if (happened.Deployment.Ended) return happened.Deployment;
        }

        throw new InvalidOperationException($"There is no deployment {id}.");
    }

    /// <summary>Waits until the deployment is in a step.</summary>
    public async Task ReachesAsync(DeploymentId id, StepKind step)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        await foreach (var happened in Deployments.WatchAsync(id, limit.Token))
        {
            if (happened.Deployment.Ended || happened.Deployment.Steps.Any(row => row.Name >= step)) return;
        }
    }

    public DeploymentRequest Request(string yaml, ImmutableDictionary<string, string>? environment = null)
    {
        var result = ComposeReader.Read(new() { FileName = "compose.yml", Content = yaml, Directory = _directory, Environment = environment ?? ImmutableDictionary<string, string>.Empty });
        if (result.Stack is not { } stack) throw new InvalidOperationException(string.Join('\n', result.Findings));
        _stacks.Add(stack.Name);
        return new() { Stack = stack.Name, Kind = DeploymentKind.Apply, File = stack };
    }

    public async Task<ImmutableArray<ObservedContainer>> ContainersAsync(string stack) => await Engine.ListAsync(stack, CancellationToken.None);

    public async Task<StackState> StateAsync(string stack) => await Journal.FindStackAsync(stack, CancellationToken.None) ?? throw new InvalidOperationException($"There is no stack {stack}.");

    /// <summary>Writes into the journal behind its back, as a bad disk would.</summary>
    public Task DamageAsync(string sql, object parameters) =>
        _services.GetRequiredService<SqliteDatabase>().WriteAsync(session => session.Execute(sql, parameters), CancellationToken.None);

    public Task<RepairReport> RepairAsync() => _services.GetRequiredService<JournalRepair>().RunAsync(rehearse: false, CancellationToken.None);

    public Task SweepAsync(string stack) => _services.GetRequiredService<Sweeper>().SweepAsync(stack, CancellationToken.None);

    public Task CleanAsync(string stack) => _services.GetRequiredService<ReleaseCleanup>().RunAsync(stack, CancellationToken.None);

    /// <summary>What the routes' keeper does every ten seconds for colours that are not live.</summary>
    public async Task ComparedAsync(string stack) =>
        await _services.GetRequiredService<SideColours>().CompareAsync(stack, await ContainersAsync(stack), CancellationToken.None);

    public Task SetSecretAsync(string stack, string name, string value) => _services.GetRequiredService<SecretStore>().SetAsync(stack, name, new(value), CancellationToken.None);

    /// <summary>A request through the edge.</summary>
    public async Task<(HttpStatusCode Status, string Version, string Body)> GetAsync(string host, string path)
    {
        using var client = new HttpClient();
        using var message = new HttpRequestMessage(HttpMethod.Get, new Uri(Edge, path)) { Headers = { Host = host } };
        using var answer = await client.SendAsync(message);
        return (answer.StatusCode, answer.Headers.TryGetValues("X-Garden-Version", out var versions) ? versions.First() : "", await answer.Content.ReadAsStringAsync());
    }

    public async ValueTask DisposeAsync()
    {
        await CloseAsync();
        foreach (var stack in _stacks) await RemoveStackAsync(stack);
        System.IO.Directory.Delete(_directory, recursive: true);
    }

    public static async Task<string> DockerAsync(string arguments)
    {
        var start = new ProcessStartInfo("docker", arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Process.Start(start) ?? throw new InvalidOperationException("docker cannot be started.");
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return output;
    }

    /// <summary>Takes everything of a stack off the engine: containers, networks, volumes.</summary>
    public static async Task RemoveStackAsync(string stack)
    {
        foreach (var (list, remove) in new[] { ("ps -aq", "rm -fv"), ("network ls -q", "network rm"), ("volume ls -q", "volume rm -f") })
        {
            var found = (await DockerAsync($"{list} --filter label=basmalin.stack={stack}")).Split('\n', StringSplitOptions.RemoveEmptyEntries);
            if (found.Length > 0) await DockerAsync($"{remove} {string.Join(' ', found)}");
        }
    }

    private static async Task<ServiceProvider> BuildAsync(string directory, int port, DeploymentOptions? options, VaultOptions vault, TestSurroundings around, TimeProvider? clock = null, HealingOptions? healing = null)
    {
        var time = clock ?? TimeProvider.System;
        var database = await SqliteDatabase.OpenAsync(Path.Combine(directory, "journal.db"), time, CancellationToken.None);
        return new ServiceCollection()
            .AddLogging(logging => logging.AddProvider(new TestLog()).SetMinimumLevel(LogLevel.Information))
            .AddSingleton(time)
            .AddSingleton(database)
            .AddSingleton(around.Journal(new SqliteJournal(database, time)))
            .AddSingleton(around.Pipelines)
            .AddSingleton<IMetricFactory>(Metrics.WithCustomRegistry(Metrics.NewCustomRegistry()))
            .AddSingleton(provider => new Pipelines(
                provider.GetRequiredService<PipelineOptions>(), EngineFaults.Classify, time, provider.GetRequiredService<IMetricFactory>(), provider.GetRequiredService<ILogger<Pipelines>>()))
            .AddSingleton(around.Engine)
            .AddSingleton<IContainerEngine, DockerEngine>()
            .AddSingleton(KeyRing.Open(Path.Combine(directory, "key"), await SecretStore.AnyAsync(database, CancellationToken.None)))
            .AddSingleton<SecretStore>()
            .AddSingleton(provider => new SecretFiles(directory, provider.GetRequiredService<KeyRing>()))
            .AddSingleton<TrafficRouter>()
            .AddSingleton(new EdgeMetrics(Metrics.NewCustomRegistry()))
            .AddSingleton(new EdgeOptions { Http = [new(IPAddress.Loopback, port)] })
            .AddSingleton<EdgeServer>()
            .AddSingleton(options ?? new DeploymentOptions { DiskFloorRatio = 0, DiskFloorBytes = 1 << 20 })
            .AddDeployments(directory)
            .AddBackups(directory, vault)
            .AddHealing(healing ?? new() { Mode = HealingMode.Report })
            .BuildServiceProvider(new ServiceProviderOptions { ValidateOnBuild = true });
    }

    private async Task OpenAsync()
    {
        var runtime = _services.GetRequiredService<DeploymentRuntime>();
        await runtime.RestoreAsync(CancellationToken.None);
        await _services.GetRequiredService<EdgeServer>().StartAsync(CancellationToken.None);
        await _services.GetRequiredService<BackupRuntime>().StartAsync(CancellationToken.None);
        await runtime.StartAsync(CancellationToken.None);
        _services.GetRequiredService<Healer>().Start();
    }

    private async Task CloseAsync()
    {
        await _services.GetRequiredService<Healer>().DisposeAsync();
        await _services.GetRequiredService<DeploymentRuntime>().DisposeAsync();
        await _services.GetRequiredService<BackupRuntime>().DisposeAsync();
        await _services.GetRequiredService<EdgeServer>().StopAsync(TimeSpan.FromSeconds(5));
        await _services.DisposeAsync();
    }

    /// <summary>The daemon's log among the test's output.</summary>
    private sealed class TestLog : ILoggerProvider, ILogger
    {
        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            TestContext.Progress.WriteLine($"{logLevel} {eventId.Id}: {formatter(state, exception)} {exception}");

        public void Dispose()
        {
        }
    }
}
