using Orchestrator.Docker;
using Orchestrator.Journal;
using Orchestrator.Journal.Sqlite;
using Orchestrator.Resilience;
using Orchestrator.Secrets;
using Prometheus;

namespace Orchestrator.Agent.Hosting;

/// <summary>What has to be opened before anything can be served, in this order: data directory, journal, key ring, engine.</summary>
internal sealed partial class EngineRoom : IAsyncDisposable
{
    private static readonly TimeSpan EnginePatience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan EnginePause = TimeSpan.FromSeconds(1);
    private readonly DataDirectoryLock _lock;
    private readonly CancellationTokenSource _givenUp = new();

    private EngineRoom(DataDirectoryLock held, SqliteDatabase database, KeyRing keys, Pipelines pipelines, DockerEngine engine)
    {
        _lock = held;
        Database = database;
        Keys = keys;
        Pipelines = pipelines;
        Engine = engine;
    }

    public SqliteDatabase Database { get; }

    /// <summary>The daemon's own name.</summary>
    public required string Agent { get; init; }

    public KeyRing Keys { get; }

    public Pipelines Pipelines { get; }

    public DockerEngine Engine { get; }

    /// <summary>Done when the engine has answered; fails with <see cref="DaemonStartException"/> when it does not. What needs no engine goes on meanwhile.</summary>
    public Task EngineAnswers { get; private set; } = Task.CompletedTask;

    /// <exception cref="DaemonStartException">One of them cannot be had.</exception>
    public static async Task<EngineRoom> OpenAsync(AgentOptions options, ILoggerFactory loggers, TimeProvider time, CancellationToken cancellationToken)
    {
        var held = Acquire(options.Data);
        SqliteDatabase? database = null;
        try
        {
            database = await JournalOpening.OpenAsync(options.Data, time, cancellationToken);
            var agent = AgentName.Of(options.Data);
            var keys = KeyRing.Open(Path.Combine(options.Data, "secrets.key"), await SecretStore.AnyAsync(database, cancellationToken));
            var pipelines = new Pipelines(new PipelineOptions(), EngineFaults.Classify, time, Metrics.DefaultFactory, loggers.CreateLogger<Pipelines>());
            var engine = new DockerEngine(new DockerEngineOptions { Endpoint = options.Docker.Endpoint, Agent = agent }, pipelines, time, loggers.CreateLogger<DockerEngine>());
            var room = new EngineRoom(held, database, keys, pipelines, engine) { Agent = agent };
            room.EngineAnswers = Task.Run(() => WaitForAsync(engine, options.Docker.Endpoint, loggers.CreateLogger<EngineRoom>(), time, room._givenUp.Token), CancellationToken.None);
            return room;
        }
        catch (Exception exception)
        {
            database?.Dispose();
            held.Dispose();
            if (exception is JournalException) throw new DaemonStartException(exception.Message, exception);
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _givenUp.CancelAsync();
        await EngineAnswers.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _givenUp.Dispose();
        await Engine.DisposeAsync();
        Database.Dispose();
        _lock.Dispose();
    }

    private static DataDirectoryLock Acquire(string directory)
    {
        try
        {
            return DataDirectoryLock.TryAcquire(directory, out var problem) ?? throw new DaemonStartException(problem, null);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new DaemonStartException($"The data directory {directory} cannot be used: {exception.Message}", exception);
        }
    }

    /// <summary>At boot the engine may come up after the daemon; without it there are no addresses, and so no routes.</summary>
    private static async Task WaitForAsync(DockerEngine engine, Uri endpoint, ILogger logger, TimeProvider time, CancellationToken cancellationToken)
    {
        var since = time.GetTimestamp();
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                var info = await engine.InfoAsync(cancellationToken);
                LogEngine(logger, info.Version, info.ApiVersion, endpoint);
                return;
            }
            catch (EngineException exception) when (exception.Fault is EngineFault.Unreachable or EngineFault.TimedOut)
            {
                if (time.GetElapsedTime(since) >= EnginePatience)
                    throw new DaemonStartException($"No engine answers at {endpoint}: {exception.Message}. Is Docker running, and is docker.endpoint right?", exception);
                if (attempt == 1) LogWaiting(logger, endpoint, exception.Message);
            }

            await Task.Delay(EnginePause, time, cancellationToken);
        }
    }

    [LoggerMessage(EventId = 1001, Level = LogLevel.Information, Message = "Docker {Version} (API {ApiVersion}) at {Endpoint}")]
    private static partial void LogEngine(ILogger logger, string version, string apiVersion, Uri endpoint);

    [LoggerMessage(EventId = 1002, Level = LogLevel.Warning, Message = "Waiting for an engine at {Endpoint}: {Reason}")]
    private static partial void LogWaiting(ILogger logger, Uri endpoint, string reason);
}
