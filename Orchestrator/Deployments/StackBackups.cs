using System.Collections.Immutable;
using Orchestrator.Backups;
using Orchestrator.Backups.Keeping;
using Orchestrator.Backups.Sets;
using Orchestrator.Stacks;

namespace Orchestrator.Deployments;

/// <summary>Backs a stack up as it runs now.</summary>
public sealed class StackBackups(BackupSubjects subjects, SetMaker maker, SetVerifier verifier, SetKeeping keeping)
{
    /// <summary>Raised with the stack of which a recovery point was taken. Must not throw.</summary>
    public event Action<string>? Made;

    /// <summary>A recovery point of everything that the stack's file says is backed up. Said in the stack's turn.</summary>
    public async Task<BackupSetRecord> MakeAsync(string stack, string reason, OperationProgress progress, CancellationToken cancellationToken)
    {
        var data = await FindAsync(stack, cancellationToken);
        var made = await maker.MakeAsync(
            new()
            {
                Stack = stack,
                Release = data.Release.Number,
                Reason = reason,
                Subjects = data.Subjects,
                Away = data.Away,
                Configuration = BackupSubjects.OfStack(stack),
            },
            progress, cancellationToken);
        Made?.Invoke(stack);
        progress.Say("looking what retention no longer wants");
        await keeping.TidyAsync(stack, RulesOf(data.Release.Stack), cancellationToken);
        return made;
    }

    /// <summary>What retention would take away now, and why it would keep the rest.</summary>
    public async Task<RetentionPlan> RetentionAsync(string stack, CancellationToken cancellationToken)
    {
        var data = await FindAsync(stack, cancellationToken);
        return await keeping.KeepAsync(stack, RulesOf(data.Release.Stack), onlyShow: true, cancellationToken);
    }

    /// <summary>One set has all services of the stack, so it is kept as long as the most careful of them asks.</summary>
    public static RetentionRules RulesOf(Stack stack)
    {
        var keep = ImmutableSortedDictionary<string, int>.Empty;
        var backed = stack.Services.Select(spec => spec.BasMalin?.Backup).OfType<BackupSpec>().ToList();
        foreach (var (period, count) in backed.SelectMany(spec => spec.Keep)) keep = keep.SetItem(period, Math.Max(count, keep.GetValueOrDefault(period)));
        return RetentionRules.Of(keep, TimeZoneInfo.FindSystemTimeZoneById(backed.FirstOrDefault()?.Zone ?? "UTC"));
    }

    /// <summary>Reads everything of a set back from every store, and notes which of them have it whole.</summary>
    public Task<BackupSetRecord> VerifyAsync(BackupSetRecord set, OperationProgress progress, CancellationToken cancellationToken) => verifier.RunAsync(set, progress, cancellationToken);

    private async Task<StackData> FindAsync(string stack, CancellationToken cancellationToken) =>
        await subjects.OfAsync(stack, cancellationToken) ?? throw new BackupFailedException($"There is no stack {stack} that runs", "'basmalin status' shows the stacks.");
}
