using System.Collections.Immutable;
using Orchestrator.Backups;
using Orchestrator.Backups.Sets;
using Orchestrator.Docker;

namespace Orchestrator.Restores;

/// <summary>What a drill and a restore both work with.</summary>
public sealed class DrillRoom(BackupVault vault, RestoredData data, ShadowRuns shadows, DataProof proof, ApplicationProof application, IContainerEngine engine)
{
    public BackupVault Vault => vault;

    public RestoredData Data => data;

    public ShadowRuns Shadows => shadows;

    public DataProof Proof => proof;

    public ApplicationProof Application => application;

    public IContainerEngine Engine => engine;

    /// <summary>Key → where the volume lies on this host.</summary>
    public async Task<ImmutableSortedDictionary<string, string>> DirectoriesAsync(ImmutableSortedDictionary<string, string> volumes, CancellationToken cancellationToken)
    {
        var found = ImmutableSortedDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        foreach (var (key, name) in volumes)
            found[key] = await engine.FindVolumeDirectoryAsync(name, cancellationToken) ?? throw new BackupFailedException($"The volume {name} is gone", "Did somebody else remove it?");
        return found.ToImmutable();
    }
}
