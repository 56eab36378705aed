using System.Collections.Immutable;
using Orchestrator.Agent.Api.Contracts;
using Orchestrator.Agent.Auth;
using Orchestrator.Backups;
using Orchestrator.Backups.Encryption;
using Orchestrator.Backups.Sets;
using Orchestrator.Restores;

namespace Orchestrator.Agent.Api;

/// <summary>Begins the recovery of stacks from the stores.</summary>
internal sealed class RecoverEndpoint(StackRecovery recovery, OperationBoard board)
{
    private const int LongestKey = 16 * 1024;

    public async Task<IResult> BeginAsync(HttpContext context, RecoverRequest request, AuditTrail audit, CancellationToken cancellationToken)
    {
        if (request.Identity.Length > LongestKey || KeysIn(request.Identity) is not { IsEmpty: false } keys)
            return Problems.Invalid("identity holds no private key of age", "it is the content of the key file that was kept elsewhere; a line of it begins with AGE-SECRET-KEY-1");

        try
        {
            var origin = Caller.Of(context).Name;
            ImmutableArray<string> stacks = request.Stack is { } only ? [only] : await recovery.StacksAsync(request.From, cancellationToken);
            if (stacks.IsEmpty) return Problems.CannotRestore("The stores have sets of no stack", "Are the stores of agent.yml those that the backups went to?");

            await audit.WriteAsync(context, $"recover: {string.Join(", ", stacks)}", request.Stack, cancellationToken);
            var begun = stacks.Select(stack => board.Start(stack, "recover", (progress, token) => recovery.RunAsync(new(stack, keys, origin) { From = request.From, To = request.To ?? "latest" }, progress, token))).Select(BackupResponses.From).ToArray();
            return TypedResults.Accepted((string?)null, begun);
        }
        catch (Exception failure) when (failure is BackupFailedException or BackupStoreException)
        {
            return Problems.CannotRestore(failure.Message, (failure as BackupFailedException)?.Hint ?? "Can the store be reached from here?");
        }
    }

    private static ImmutableArray<AgeIdentity> KeysIn(string text)
    {
        var keys = ImmutableArray.CreateBuilder<AgeIdentity>();
        foreach (var line in text.Split('\n'))
        {
            if (AgeIdentity.TryParse(line.Trim(), out var key)) keys.Add(key);
        }

        return keys.ToImmutable();
    }
}
