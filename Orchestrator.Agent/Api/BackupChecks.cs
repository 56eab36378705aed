using System.Globalization;
using Orchestrator.Agent.Api.Contracts;
using Orchestrator.Backups;
using Orchestrator.Backups.Keeping;
using Orchestrator.Backups.Sets;
using Orchestrator.Deployments;
using Orchestrator.Docker;
using Orchestrator.Journal;

namespace Orchestrator.Agent.Api;

/// <summary>What the doctor says of backups: who can read them, whether each store answers, and what each service lacks for being copied.</summary>
internal sealed class BackupChecks(BackupVault vault, BackupKeys keys, BackupSources sources, BackupSubjects subjects, IJournal journal, TimeProvider time)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    public async Task<IReadOnlyList<DoctorCheckResponse>> ExamineAsync(CancellationToken cancellationToken) =>
        [Keys(), .. await Task.WhenAll(vault.Options.Stores.Select(store => StoreAsync(store, cancellationToken))), .. await ServicesAsync(cancellationToken)];

    private async Task<IEnumerable<DoctorCheckResponse>> ServicesAsync(CancellationToken cancellationToken)
    {
        var found = new List<DoctorCheckResponse>();
        try
        {
            foreach (var state in await journal.ListStacksAsync(cancellationToken))
            {
                if (await subjects.OfAsync(state.Stack, cancellationToken) is not { } data) continue;
                foreach (var subject in data.Subjects) found.AddRange(await ServiceAsync(subject, cancellationToken));
                found.AddRange(data.Away.Select(service => new DoctorCheckResponse($"backup of {state.Stack}/{service}", "failed", "it does not run, so it cannot be backed up", $"see: basmalin status {state.Stack}")));
            }
        }
        catch (Exception failure) when (failure is EngineException or JournalException)
        {
            found.Add(new("backups", "failed", $"what is backed up cannot be looked at: {failure.Message}", "see what else the doctor says"));
        }

        return found;
    }

    private async Task<IEnumerable<DoctorCheckResponse>> ServiceAsync(BackupSubject subject, CancellationToken cancellationToken)
    {
        var name = $"backup of {subject.Stack}/{subject.Service.Name}";
        using var limit = new CancellationTokenSource(Patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            var findings = await sources.Of(subject.Backup.Kind).CheckAsync(subject, either.Token);
            return findings.Select(finding => new DoctorCheckResponse(name, finding.Blocking ? "failed" : "warning", finding.What, finding.Hint)).DefaultIfEmpty(new(name, "ok", $"{subject.Backup.Kind}: nothing is missing", null));
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            return [new(name, "failed", string.Create(CultureInfo.InvariantCulture, $"did not answer within {Patience.TotalSeconds:0} s"), $"see: basmalin status {subject.Stack}")];
        }
    }

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
