using System.Globalization;
using Orchestrator.Agent.Api.Contracts;
using Orchestrator.Backups;
using Orchestrator.Backups.Keeping;
using Orchestrator.Backups.Sets;

namespace Orchestrator.Agent.Api;

/// <summary>What the doctor says of backups: who can read them, and whether each store answers.</summary>
internal sealed class BackupChecks(BackupVault vault, BackupKeys keys, TimeProvider time)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    public async Task<IReadOnlyList<DoctorCheckResponse>> ExamineAsync(CancellationToken cancellationToken) =>
        [Keys(), .. await Task.WhenAll(vault.Options.Stores.Select(store => StoreAsync(store, cancellationToken)))];

    private DoctorCheckResponse Keys() => keys.Problem switch
    {
        { Blocking: true } problem => new("backup keys", "failed", problem.What, problem.Hint),
        { } problem => new("backup keys", "warning", problem.What, problem.Hint),
        _ => new("backup keys", "ok", string.Create(CultureInfo.InvariantCulture, $"{keys.Holders.Length} keys can read the backups; drills use {keys.Holders.First(holder => holder.IsHost).Fingerprint}"), null),
    };

    private async Task<DoctorCheckResponse> StoreAsync(IBackupStore store, CancellationToken cancellationToken)
    {
        var name = $"store {store.Name}";
        using var limit = new CancellationTokenSource(Patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            var stacks = await SetCatalogue.StacksInAsync(store, either.Token);
            return new(name, "ok", string.Create(CultureInfo.InvariantCulture, $"answers; has sets of {stacks.Length} stacks"), null);
        }
        catch (BackupStoreException failure)
        {
            return new(name, "failed", failure.Message, "see its address, its keys and its disk; what it misses meanwhile is copied to it later");
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            return new(name, "failed", string.Create(CultureInfo.InvariantCulture, $"did not answer within {Patience.TotalSeconds:0} s"), "see its address and the network; what it misses meanwhile is copied to it later");
        }
    }
}
