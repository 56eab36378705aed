using System.Collections.Immutable;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Orchestrator.Deployments.Steps;
using Orchestrator.Docker;
using Orchestrator.Health;
using Orchestrator.Journal;
using Orchestrator.Journal.Sqlite;

namespace Orchestrator.Deployments;

/// <summary>Where the pieces of a deployment are put together; the order of the steps is here.</summary>
public static class DeploymentServices
{
    /// <summary>
    /// Adds <see cref="DeploymentService"/> and <see cref="DeploymentRuntime"/> with all that they stand on. Expects to find
    /// <see cref="IContainerEngine"/>, <see cref="IJournal"/>, <c>SecretStore</c>, <c>SecretFiles</c>, <c>TrafficRouter</c>, <c>EdgeServer</c>, <see cref="DeploymentOptions"/>,
    /// <see cref="TimeProvider"/> and logging.
    /// </summary>
    /// <param name="dataDirectory">The daemon's own directory.</param>
    /// <param name="agent">The daemon's own name; null: its containers are not told apart from those of others.</param>
    public static IServiceCollection AddDeployments(this IServiceCollection services, string dataDirectory, string? agent = null) => services
        .AddSingleton(new AgentIdentity(agent))
        .AddSingleton<GrantedFiles>()
        .AddSingleton<BackupSubjects>()
        .AddSingleton<StackBackups>()
        .AddSingleton<StackContainers>()
        .AddSingleton<VolumeRoots>()
        .AddSingleton<StackTraffic>()
        .AddSingleton<SideColours>()
        .AddSingleton<ProbeFactory>()
        .AddSingleton<Gates>()
        .AddSingleton<DependencyWait>()
        .AddSingleton<InPlaceServices>()
        .AddSingleton<MakePlan>()
        .AddSingleton<Preflight>()
        .AddSingleton<PullImages>()
        .AddSingleton<Protect>()
        .AddSingleton<Foundation>()
        .AddSingleton<Migrate>()
        .AddSingleton<StartCandidate>()
        .AddSingleton<PassGate>()
        .AddSingleton<SmokeTest>()
        .AddSingleton<CanaryWalk>()
        .AddSingleton<ShiftTraffic>()
        .AddSingleton<Dependants>()
        .AddSingleton<DrainOld>()
        .AddSingleton<Bake>()
        .AddSingleton<Commit>()
        .AddSingleton<PatientUndo>()
        .AddSingleton(provider => new DeploymentRunner(
            StepsInOrder(provider), provider.GetRequiredService<IJournal>(), provider.GetRequiredService<DeploymentEvents>(), provider.GetRequiredService<PatientUndo>(),
            provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<ILogger<DeploymentRunner>>()))
        .AddSingleton<DeploymentEvents>()
        .AddSingleton<DeploymentResume>()
        .AddSingleton<DeploymentQueue>()
        .AddSingleton<Sweeper>()
        .AddSingleton<ReleaseCleanup>()
        .AddSingleton<Housekeeping>()
        .AddSingleton<StackRoutesKeeper>()
        .AddSingleton<JournalReconstruction>()
        .AddSingleton<RouteRestoration>()
        .AddSingleton(provider => new JournalBackups(Path.Combine(dataDirectory, JournalOpening.BackupsName), provider.GetRequiredService<TimeProvider>()))
        .AddSingleton<JournalRepair>()
        .AddSingleton<LiveProbes>()
        .AddSingleton<NetworkWatch>()
        .AddSingleton<RouteReconciler>()
        .AddSingleton<LiveWatch>()
        .AddSingleton<DriftBoard>()
        .AddSingleton<StackStatusReader>()
        .AddSingleton<DeploymentService>()
        .AddSingleton<DeploymentRuntime>();

    private static ImmutableArray<IDeploymentStep> StepsInOrder(IServiceProvider provider) =>
    [
        provider.GetRequiredService<MakePlan>(),
        provider.GetRequiredService<Preflight>(),
        provider.GetRequiredService<PullImages>(),
        provider.GetRequiredService<Protect>(),
        provider.GetRequiredService<Foundation>(),
        provider.GetRequiredService<Migrate>(),
        provider.GetRequiredService<StartCandidate>(),
        provider.GetRequiredService<PassGate>(),
        provider.GetRequiredService<SmokeTest>(),
        provider.GetRequiredService<ShiftTraffic>(),
        provider.GetRequiredService<Dependants>(),
        provider.GetRequiredService<DrainOld>(),
        provider.GetRequiredService<Bake>(),
        provider.GetRequiredService<Commit>(),
    ];
}
