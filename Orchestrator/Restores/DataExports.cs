using System.Collections.Immutable;
using Orchestrator.Backups;
using Orchestrator.Backups.Postgres.Dumps;
using Orchestrator.Backups.Sets;
using Orchestrator.Journal;

namespace Orchestrator.Restores;

/// <summary>Takes one person's rows, or an anonymised copy, out of a dump that is loaded into a throw-away server for it. Production is not asked.</summary>
public sealed class DataExports(DrillRoom room, DumpExports exports, OperationBoard board, SetLedger sets, IJournal journal, TimeProvider time)
{
    /// <summary>How long the empty server may take to be well.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    private static readonly TimeSpan CleaningBudget = TimeSpan.FromMinutes(2);

    /// <summary>In the stack's turn. Returns when all is written, or it has failed; what it came to says which.</summary>
    /// <param name="user">The person's key; null: an anonymised copy of all.</param>
    /// <param name="set">A dump; null: the newest.</param>
    /// <param name="open">Asked once for where to write, when there is something to be written.</param>
    public Task<BackupOperation> RunAsync(string stack, string service, string? user, BackupSetId? set, Func<Task<Stream>> open, CancellationToken cancellationToken) => board.RunAsync(
        stack,
        "export",
        async (progress, token) =>
        {
            var dump = await FindAsync(stack, set, token);
            var part = dump.Manifest?.Parts.FirstOrDefault(part => part.Service == service)
                ?? throw new BackupFailedException($"The dump {dump.Id} of {stack} has nothing of {service}", $"It has {string.Join(", ", dump.Manifest?.Parts.Select(part => part.Service) ?? [])}.");
            await ExportAsync(dump, part, user, open, progress, token);
            return dump.Id.Value;
        },
        cancellationToken);

    private async Task ExportAsync(BackupSetRecord dump, BackupPart part, string? user, Func<Task<Stream>> open, OperationProgress progress, CancellationToken cancellationToken)
    {
        var manifest = dump.Manifest ?? throw new InvalidOperationException("A dump that stands has a manifest.");
        var release = await journal.ReleaseOfAsync(dump.Stack, manifest, cancellationToken);
        var name = Shadow.NameOf(dump.Stack, "export", time.GetUtcNow().ToUnixTimeMilliseconds());
        var shadow = Shadow.Of(release, name, ImmutableHashSet.Create(part.Service), ImmutableSortedDictionary<string, string>.Empty, Patience);
        try
        {
            var wanted = await SpecAsync(dump.Stack, part.Service, user is not null, cancellationToken);
            await room.Shadows.PrepareAsync(shadow, cancellationToken);
            var loaded = await room.Proof.LoadAsync(shadow, part, room.Vault.Reader(dump.Stack), progress, cancellationToken);
            loaded = loaded with { Service = loaded.Service with { BasMalin = (loaded.Service.BasMalin ?? new()) with { Backup = wanted } } };
            progress.Say($"{part.Service}: writing");
            if (user is not null) await exports.PersonAsync(loaded, user, manifest.CreatedAt, open, cancellationToken);
            else await exports.AnonymousAsync(loaded, open, cancellationToken);
        }
        finally
        {
            // Its own budget: whoever waits may have gone away.
            using var budget = new CancellationTokenSource(CleaningBudget, time);
            await room.Shadows.RemoveAsync(name, budget.Token);
        }
    }

    /// <summary>As the stack's file says it now, not as it did when the dump was made.</summary>
    private async Task<Stacks.BackupSpec> SpecAsync(string stack, string service, bool person, CancellationToken cancellationToken)
    {
        var state = await journal.FindStackAsync(stack, cancellationToken);
        var now = state is { CurrentRelease: > 0 } ? await journal.FindReleaseAsync(stack, state.CurrentRelease, cancellationToken) : null;
        if (now?.Stack.Find(service)?.BasMalin?.Backup is not { } spec)
            throw new BackupFailedException($"{stack} has no service {service} with a backup now", "Say in the stack's file what is exported, and apply it.");
        if (person && spec.Export.IsEmpty)
            throw new BackupFailedException($"{stack}/{service} does not say which rows are one person's", "Say it under backup.export, e.g. export: { users: id, orders: user_id }, and apply the file.");
        if (!person && spec.Anonymise.IsEmpty)
            throw new BackupFailedException($"{stack}/{service} does not say what becomes of its tables", "Say it under backup.anonymise, e.g. anonymise: { users: { email: email }, plants: keep }, and apply the file.");
        return spec;
    }

    private async Task<BackupSetRecord> FindAsync(string stack, BackupSetId? set, CancellationToken cancellationToken)
    {
        var dumps = (await sets.StandingAsync(stack, cancellationToken)).Where(known => known.IsDump);
        return dumps.FirstOrDefault(known => set is null || known.Id == set) ?? throw new BackupFailedException(
            set is { } named ? $"{stack} has no dump {named}" : $"{stack} has no dump", $"Make one: basmalin backup run {stack} --dump. 'basmalin backup list {stack}' shows what there is.");
    }
}
