using System.Collections.Immutable;
using Orchestrator.Backups;
using Orchestrator.Backups.Keeping;
using Orchestrator.Backups.Sets;
using Orchestrator.Stacks;

namespace Orchestrator.Deployments;

/// <summary>Backs a stack up as it runs now.</summary>
public sealed class StackBackups(BackupSubjects subjects, SetMaker maker, SetVerifier verifier, SetKeeping keeping, RecoveryCards cards, StreamLedger streams)
{
    /// <summary>Raised with the stack of which a recovery point was taken. Must not throw.</summary>
    public event Action<string>? Made;

    /// <summary>A recovery point of everything that the stack's file says is backed up. Said in the stack's turn.</summary>
    public async Task<BackupSetRecord> MakeAsync(string stack, string reason, OperationProgress progress, CancellationToken cancellationToken)
    {
        var data = await FindAsync(stack, cancellationToken);
        var made = await MakeAsync(Request(data, reason) with { Subjects = data.Subjects, Away = data.Away, Configuration = BackupSubjects.OfStack(stack) }, data, progress, cancellationToken);
        Made?.Invoke(stack);
        // Only now: a receiver that still asked for it would have it asked for again.
        await streams.MeetAsync(made, cancellationToken);
        return made;
    }

    /// <summary>A logical dump of every PostgreSQL of the stack that is backed up: a set of its own. Said in the stack's turn.</summary>
    public async Task<BackupSetRecord> DumpAsync(string stack, string reason, OperationProgress progress, CancellationToken cancellationToken)
    {
        var data = await FindAsync(stack, cancellationToken);
        bool IsDatabase(string service) => data.Release.Stack.Find(service)?.BasMalin?.Backup?.Kind == "postgres";
        var request = Request(data, reason) with { Dump = true, Subjects = data.Subjects.RemoveAll(subject => !IsDatabase(subject.Service.Name)), Away = data.Away.RemoveAll(service => !IsDatabase(service)) };
        if (request.Subjects.IsEmpty && request.Away.IsEmpty)
            throw new BackupFailedException($"{stack} has no PostgreSQL that is backed up, so there is nothing to dump", "Give its service an x-basmalin.backup of the kind postgres.");
        return await MakeAsync(request, data, progress, cancellationToken);
    }

    private static SetRequest Request(StackData data, string reason) => new() { Stack = data.Release.Stack.Name, Release = data.Release.Number, Reason = reason, Subjects = [] };

    private async Task<BackupSetRecord> MakeAsync(SetRequest request, StackData data, OperationProgress progress, CancellationToken cancellationToken)
    {
        var made = await maker.MakeAsync(request, progress, cancellationToken);
        if (made is { Manifest: { } manifest, IsDump: false }) await cards.PutAsync(manifest, cancellationToken);
        progress.Say("looking what retention no longer wants");
        await keeping.TidyAsync(request.Stack, RulesOf(data.Release.Stack), cancellationToken);
        return made;
    }

    /// <summary>What retention would take away now, and why it would keep the rest.</summary>
    public async Task<RetentionPlan> RetentionAsync(string stack, CancellationToken cancellationToken)
    {
        var data = await FindAsync(stack, cancellationToken);
        return await keeping.KeepAsync(stack, RulesOf(data.Release.Stack), onlyShow: true, cancellationToken);
    }

    /// <summary>Takes away now what retention no longer wants, as is done after each set. Said in the stack's turn.</summary>
    /// <exception cref="BackupFailedException">A store did not answer in whole, so nothing was removed.</exception>
    public async Task<RetentionPlan> PruneAsync(string stack, OperationProgress progress, CancellationToken cancellationToken)
    {
        var data = await FindAsync(stack, cancellationToken);
        progress.Say("looking what retention no longer wants");
        var plan = await keeping.KeepAsync(stack, RulesOf(data.Release.Stack), onlyShow: false, cancellationToken);
        return plan.Blocked is { } why ? throw new BackupFailedException($"Nothing was removed: {why}", "See that every store answers: basmalin doctor.") : plan;
    }

    /// <summary>One set has all services of the stack, so it is kept as long as the most careful of them asks.</summary>
    public static RetentionRules RulesOf(Stack stack)
    {
        var keep = ImmutableSortedDictionary<string, int>.Empty;
        var backed = stack.Services.Select(spec => spec.BasMalin?.Backup).OfType<BackupSpec>().ToList();
        foreach (var (period, count) in backed.SelectMany(spec => spec.Keep)) keep = keep.SetItem(period, Math.Max(count, keep.GetValueOrDefault(period)));
        var within = backed.Select(spec => spec.KeepWithin).DefaultIfEmpty().Max();
        return RetentionRules.Of(keep, within, TimeZoneInfo.FindSystemTimeZoneById(backed.FirstOrDefault()?.Zone ?? "UTC"));
    }

    /// <summary>Reads everything of a set back from every store, and notes which of them have it whole.</summary>
    public Task<BackupSetRecord> VerifyAsync(BackupSetRecord set, OperationProgress progress, CancellationToken cancellationToken) => verifier.RunAsync(set, progress, cancellationToken);

    private async Task<StackData> FindAsync(string stack, CancellationToken cancellationToken) =>
        await subjects.OfAsync(stack, cancellationToken) ?? throw new BackupFailedException($"There is no stack {stack} that runs", "'basmalin status' shows the stacks.");
}
