using Orchestrator.Agent.Api.Contracts;
using Orchestrator.Agent.Auth;
using Orchestrator.Backups;
using Orchestrator.Backups.Schedules;
using Orchestrator.Backups.Sets;
using Orchestrator.Restores;
using Orchestrator.Scheduling;

namespace Orchestrator.Agent.Api;

/// <summary>What there is to say of a stack's backups, for whoever may ask.</summary>
internal sealed class BackupBooks(BackupDesk desk, SetLedger sets, ScheduleLedger schedules, DrillLedger drills, RestoreLedger restores, BackupCalendar calendar)
{
    private const int Few = 20;

    public BackupDesk Desk => desk;

    /// <returns>Null: nothing is known of such a stack.</returns>
    public async Task<BackupsResponse?> OfAsync(string stack, int limit, CancellationToken cancellationToken)
    {
        var found = await sets.ListAsync(stack, limit, cancellationToken);
        if (found.IsEmpty && !await IsStackAsync(stack, cancellationToken)) return null;

        return new()
        {
            Stack = stack,
            Sets = [.. found.Select(BackupResponses.From)],
            Next = await calendar.NextAsync(stack, cancellationToken),
            Runs = [.. (await schedules.ListAsync(stack, Few, cancellationToken)).Select(BackupResponses.From)],
            Drills = [.. (await drills.ListAsync(stack, Few, cancellationToken)).Select(BackupResponses.From)],
            Restores = [.. (await restores.ListAsync(stack, Few, cancellationToken)).Select(BackupResponses.From)],
            Operations = [.. desk.Board.List().Where(operation => operation.Stack == stack).Take(Few).Select(BackupResponses.From)],
        };
    }

    public Task<bool> IsStackAsync(string stack, CancellationToken cancellationToken) => calendar.KnowsAsync(stack, cancellationToken);

    /// <param name="id">STACK.SET.</param>
    /// <returns>Null also when it is of a stack that is none of the caller's business.</returns>
    public async Task<BackupSetRecord?> FindAsync(string id, Caller caller, CancellationToken cancellationToken)
    {
        var dot = id.LastIndexOf('.');
        if (dot <= 0 || !caller.MayTouch(id[..dot])) return null;
        return await sets.FindAsync(id[..dot], new BackupSetId(id[(dot + 1)..]), cancellationToken);
    }
}
