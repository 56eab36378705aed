using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Orchestrator.Backups;
using Orchestrator.Backups.Configuration;
using Orchestrator.Backups.Postgres;
using Orchestrator.Backups.Postgres.Dumps;
using Orchestrator.Backups.Redis;
using Orchestrator.Backups.Schedules;
using Orchestrator.Backups.Sets;
using Orchestrator.Backups.Volumes;
using Orchestrator.Deployments;
using Orchestrator.Docker;
using Orchestrator.Restores;
using Orchestrator.Secrets;

namespace Orchestrator.Scheduling;

/// <summary>Where the pieces of backups, drills and restores are put together.</summary>
public static class BackupServices
{
    /// <summary>
    /// Adds them with all that they stand on. Expects to find what <c>AddDeployments</c> adds and expects,
    /// <see cref="TimeProvider"/> and logging.
    /// </summary>
    /// <param name="dataDirectory">The daemon's own directory.</param>
    /// <param name="vault">Where backups go, and who can read them.</param>
    /// <param name="settingsFile">The daemon's settings, for the sets; null: it has none.</param>
    public static IServiceCollection AddBackups(this IServiceCollection services, string dataDirectory, VaultOptions vault, string? settingsFile = null) => services
        .AddSingleton(vault)
        .AddSingleton<BackupVault>()
        .AddSources(dataDirectory, settingsFile)
        .AddSingleton<StackTurns>()
        .AddSingleton<OperationBoard>()
        .AddSingleton<BackupAlerts>()
        .AddSingleton<BackupSources>()
        .AddSingleton<SetLedger>()
        .AddSingleton<SetMaker>()
        .AddSingleton<SetVerifier>()
        .AddSingleton<SetKeeping>()
        .AddSingleton<RecoveryCards>()
        .AddSingleton<StreamLedger>()
        .AddSingleton<StoreUpkeep>()
        .AddSingleton<ScheduleLedger>()
        .AddSingleton<DrillLedger>()
        .AddSingleton<RestoreLedger>()
        .AddSingleton<ShadowRuns>()
        .AddSingleton<RestoredData>()
        .AddSingleton<DataProof>()
        .AddSingleton<ApplicationProof>()
        .AddSingleton<DrillRoom>()
        .AddSingleton<DrillRunner>()
        .AddSingleton<RestoreSwap>()
        .AddSingleton<RestoreRunner>()
        .AddSingleton<RestorePreviews>()
        .AddSingleton<StackRecovery>()
        .AddSingleton<RestoreDesk>()
        .AddSingleton<BackupDesk>()
        .AddSingleton<DataExports>()
        .AddSingleton<BackupCalendar>()
        .AddSingleton<BackupWarnings>()
        .AddSingleton(provider => new StreamOptions(new() { Directory = Path.Combine(dataDirectory, "wal") }, new() { Directory = Path.Combine(dataDirectory, "redis-streams") }, provider.GetRequiredService<TimeProvider>()))
        .AddSingleton<StreamReceivers>()
        .AddSingleton<ContinuousStreams>()
        .AddSingleton<StreamWatch>()
        .AddSingleton<KeyWatch>()
        .AddSingleton<StoreWatch>()
        .AddSingleton<DiskWatch>()
        .AddSingleton<ForecastWatch>()
        .AddSingleton<BackupRuntime>();

    private static IServiceCollection AddSources(this IServiceCollection services, string dataDirectory, string? settingsFile) => services
        .AddSingleton(provider => new ImageTool(provider.GetRequiredService<IContainerEngine>(), Path.Combine(dataDirectory, "backup-work"), provider.GetRequiredService<ILogger<ImageTool>>()))
        .AddSingleton(provider => new PostgresLogins(
            provider.GetRequiredService<IContainerEngine>(),
            (stack, name, cancellationToken) => provider.GetRequiredService<SecretStore>().FindAsync(stack, name, null, cancellationToken)))
        .AddSingleton<PostgresSettling>()
        .AddSingleton<IBackupSource, PostgresSource>()
        .AddSingleton<IBackupSource, PostgresDumpSource>()
        .AddSingleton<DumpLoading>()
        .AddSingleton<DumpExports>()
        .AddSingleton<IBackupSource, RedisSource>()
        .AddSingleton(new VolumeSourceOptions(Path.Combine(dataDirectory, "backup-indexes")))
        .AddSingleton<IBackupSource, VolumeSource>()
        .AddSingleton(new ConfigurationSourceOptions(Path.Combine(dataDirectory, "backup-work"), settingsFile) { CertificateDirectory = Path.Combine(dataDirectory, "acme") })
        .AddSingleton<IBackupSource, ConfigurationSource>()
        .AddSingleton<PostgresProofs>();
}
