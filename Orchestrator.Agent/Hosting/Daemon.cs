using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.Hosting.Systemd;
using Orchestrator.Certificates;
using Orchestrator.Deployments;
using Orchestrator.Healing;
using Orchestrator.Scheduling;
using Orchestrator.Traffic;
using Orchestrator.Traffic.Handover;
using Orchestrator.Traffic.Tls;

namespace Orchestrator.Agent.Hosting;

/// <summary>The daemon: opened, started and stopped in one order.</summary>
public sealed partial class Daemon : IAsyncDisposable
{
    private static readonly TimeSpan LongestLeave = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan ShortestDrain = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan StopMargin = TimeSpan.FromSeconds(15);

    private readonly AgentOptions _options;
    private readonly DaemonLog _log;
    private readonly EngineRoom _engines;
    private readonly WebApplication _admin;
    private readonly DaemonState _state;
    private readonly ILogger<Daemon> _logger;
    private bool _stopped;

    private Daemon(AgentOptions options, DaemonLog log, EngineRoom engines, WebApplication admin)
    {
        _options = options;
        _log = log;
        _engines = engines;
        _admin = admin;
        _state = admin.Services.GetRequiredService<DaemonState>();
        _logger = log.Factory.CreateLogger<Daemon>();
    }

    /// <summary>Where the API listens on the network; null: only on the socket.</summary>
    public Uri? Admin => _admin.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()?.Addresses
        .Where(address => address.StartsWith("http://", StringComparison.Ordinal) && !address.StartsWith("http://unix:", StringComparison.Ordinal))
        .Select(address => new Uri(address))
        .FirstOrDefault();

    /// <summary>Where users' requests arrive.</summary>
    public IReadOnlyList<IPEndPoint> Edge => Services.GetRequiredService<EdgeServer>().Addresses;

    /// <summary>Where they arrive over TLS.</summary>
    public IReadOnlyList<IPEndPoint> SecureEdge => Services.GetRequiredService<EdgeServer>().SecureAddresses;

    internal IServiceProvider Services => _admin.Services;

    /// <summary>Runs until it is asked to stop: from the first moment on, as the edge serves before all of it has started.</summary>
    /// <returns>The process's exit code.</returns>
    public static async Task<int> RunAsync(AgentOptions options, bool terminal, CancellationToken cancellationToken)
    {
        using var asked = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        try
        {
            await using var daemon = await StartAsync(options, terminal, TimeProvider.System, asked.Token);
            return await daemon.WaitAsync(asked.Token);
        }
        catch (OperationCanceledException) when (asked.IsCancellationRequested)
        {
            return Cli.ExitCodes.Done;                              // before it had started: what was open already was closed in good order
        }
        catch (DaemonStartException exception)
        {
            await Console.Error.WriteLineAsync($"error: {exception.Message}");
            return Cli.ExitCodes.Failed;
        }

        void Stop(PosixSignalContext signal)
        {
            signal.Cancel = true;
            asked.Cancel();
        }
    }

    /// <summary>
    /// Data directory, journal, engine; then routes; then the edge's listeners; then unfinished deployments; then the admin listeners; then ready.
    /// </summary>
    /// <exception cref="DaemonStartException">Something that it stands on cannot be had.</exception>
    public static Task<Daemon> StartAsync(AgentOptions options, bool terminal, TimeProvider time, CancellationToken cancellationToken) =>
        StartAsync(options, terminal, time, null, cancellationToken);

    /// <param name="more">What a test adds to the daemon.</param>
    internal static async Task<Daemon> StartAsync(AgentOptions options, bool terminal, TimeProvider time, Action<IServiceCollection>? more, CancellationToken cancellationToken)
    {
        ProcessMetrics.Ensure();
        var log = DaemonLog.Open(options.Log, terminal);
        EngineRoom? engines = null;
        Daemon? daemon = null;
        try
        {
            engines = await EngineRoom.OpenAsync(options, log.Factory, time, cancellationToken);
            daemon = new Daemon(options, log, engines, AdminHost.Build(options, engines, log, new DaemonState(time.GetUtcNow()), time, more));
            await daemon.OpenAsync(cancellationToken);
            return daemon;
        }
        catch
        {
            if (daemon is not null)
            {
                await daemon.DisposeAsync();
                throw;
            }

            if (engines is not null) await engines.DisposeAsync();
            log.Dispose();
            throw;
        }
    }

    /// <summary>Waits for SIGTERM or SIGINT, then stops.</summary>
    /// <returns>0, or 1 when a part of the daemon crashed: the host alone would say 0, and systemd would not start it again.</returns>
    public async Task<int> WaitAsync(CancellationToken cancellationToken)
    {
        var asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var lifetime = Services.GetRequiredService<IHostApplicationLifetime>();
        await using (lifetime.ApplicationStopping.Register(asked.SetResult))
        await using (cancellationToken.Register(lifetime.StopApplication)) await asked.Task;
        await StopAsync();
        var crashed = _admin.Services.GetServices<IHostedService>().OfType<BackgroundService>().FirstOrDefault(service => service.ExecuteTask is { IsFaulted: true });
        if (crashed is null) return Cli.ExitCodes.Done;

        LogCrashed(crashed.ExecuteTask?.Exception, crashed.GetType().Name);
        return Cli.ExitCodes.Failed;
    }

    /// <summary>Takes no more requests, suspends deployments, lets requests under way end.</summary>
    public async Task StopAsync()
    {
        if (_stopped) return;

        _stopped = true;
        _state.Ready = false;
        LogStopping();
        var time = Services.GetRequiredService<TimeProvider>();
        var (edge, limit, started) = (Services.GetRequiredService<EdgeServer>(), _options.Limits.Stop, time.GetTimestamp());
        Services.GetService<ISystemdNotifier>()?.Notify(new ServiceState($"EXTEND_TIMEOUT_USEC={(long)(limit + StopMargin).TotalMicroseconds}"));

        // As long as connections are told, new ones are still served: nobody waits for that.
        var leave = edge.TakeLeaveAsync(limit / 6 < LongestLeave ? limit / 6 : LongestLeave);
        using (var patience = new CancellationTokenSource(limit, time)) await _admin.StopAsync(patience.Token);

        await Services.GetRequiredService<Healer>().DisposeAsync();

        // Deployments suspend themselves first: a step must not see the edge go away beneath it.
        await Services.GetRequiredService<DeploymentRuntime>().DisposeAsync();
        await Services.GetRequiredService<BackupRuntime>().DisposeAsync();
        await leave;
        var left = limit - time.GetElapsedTime(started);
        await edge.StopAsync(left > ShortestDrain ? left : ShortestDrain);
        LogStopped();
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        await _admin.DisposeAsync();
        await _engines.DisposeAsync();
        _log.Dispose();
    }

    private async Task OpenAsync(CancellationToken cancellationToken)
    {
        await _engines.EngineAnswers.WaitAsync(cancellationToken);
        await OpenEdgeAsync(cancellationToken);
        var inherited = Services.GetRequiredService<InheritedSockets>();
        if (!inherited.Has(new UnixDomainSocketEndPoint(_options.Admin.Socket)) && AdminSocket.Prepare(_options.Admin.Socket) is { } problem) throw new DaemonStartException($"{problem}. Change admin.socket.", null);

        try
        {
            await _admin.StartAsync(cancellationToken);
        }
        catch (IOException exception)
        {
            throw new DaemonStartException($"The admin listener cannot be opened: {exception.Message}. Change admin.listen or admin.socket.", exception);
        }

        foreach (var trouble in inherited.Problems) LogUnusable(trouble);
        foreach (var stray in Services.GetRequiredService<EdgeServer>().ReleaseUnclaimed()) LogStray(stray.EndPoint, stray.Name);
        _state.Ready = true;
        LogReady(Cli.Build.Version, Admin, _options.Admin.Socket);
        await Services.GetRequiredService<StartStacks>().ApplyAsync(cancellationToken);
    }

    /// <summary>Routes first, then listeners, then what is unfinished: no request finds an edge that does not know where to send it.</summary>
    private async Task OpenEdgeAsync(CancellationToken cancellationToken)
    {
        var runtime = Services.GetRequiredService<DeploymentRuntime>();
        await runtime.RestoreAsync(cancellationToken);
        Services.GetService<CertificateFiles>()?.Refresh();
        RestoreIssued();
        try
        {
            await Services.GetRequiredService<EdgeServer>().StartAsync(cancellationToken);
        }
        catch (EdgeBindException exception)
        {
            throw new DaemonStartException($"{exception.Message}. Change edge.http or edge.https, or stop what listens there.", exception);
        }

        await Services.GetRequiredService<BackupRuntime>().StartAsync(cancellationToken);
        await runtime.StartAsync(cancellationToken);
        Services.GetRequiredService<Healer>().Start();
    }

    private void RestoreIssued()
    {
        try
        {
            Services.GetService<CertificateIssuance>()?.Restore();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw new DaemonStartException($"The key of the ACME account cannot be had: {exception.Message}. Put {Path.Combine(_options.Data, "acme")} back, or remove it.", exception);
        }
    }

    [LoggerMessage(EventId = 1201, Level = LogLevel.Error, Message = "What systemd hands over cannot be used: {Problem}")]
    private partial void LogUnusable(string problem);

    [LoggerMessage(EventId = 1202, Level = LogLevel.Error, Message = "systemd listens at {Address} ('{Name}') for us, but no setting names it: who connects there gets no answer. Put it into edge.http, edge.https or admin, or run 'basmalin install' to bring basmalin.socket in line")]
    private partial void LogStray(EndPoint address, string name);

    [LoggerMessage(EventId = 1010, Level = LogLevel.Information, Message = "BasMalin {Version} is ready: admin on {Admin} and {Socket}")]
    private partial void LogReady(string version, Uri? admin, string socket);

    [LoggerMessage(EventId = 1011, Level = LogLevel.Information, Message = "Stopping: no more requests are taken, running deployments are suspended")]
    private partial void LogStopping();

    [LoggerMessage(EventId = 1012, Level = LogLevel.Information, Message = "Stopped")]
    private partial void LogStopped();

    [LoggerMessage(EventId = 1013, Level = LogLevel.Critical, Message = "{Service} crashed; the daemon ends")]
    private partial void LogCrashed(Exception? exception, string service);
}
