using Microsoft.AspNetCore.Http.HttpResults;
using Orchestrator.Access;
using Orchestrator.Agent.Api.Contracts;
using Orchestrator.Agent.Auth;
using Orchestrator.Backups;
using Orchestrator.Backups.Encryption;
using Orchestrator.Backups.Keeping;

namespace Orchestrator.Agent.Api;

/// <summary><c>/backup-keys</c>: who can read what is backed up from now on. Private keys never come here.</summary>
internal static class BackupKeysApi
{
    private const string Unlabelled = "recovery";

    public static void MapBackupKeys(this RouteGroupBuilder api)
    {
        var keys = api.MapGroup("/backup-keys").WithTags("Backups");
        keys.MapGet("/", (BackupKeys found) => TypedResults.Ok(All(found)))
            .RequireScopeEverywhere(TokenScope.Read)
            .WithName("ListBackupKeys")
            .WithSummary("The public keys that backups are encrypted to, and what is wrong with them.");
        keys.MapPost("/", AddAsync)
            .RequireScopeEverywhere(TokenScope.Admin)
            .WithName("AddBackupKey")
            .WithSummary("Encrypts what is backed up from now on to one more public key.")
            .Produces<BackupKeyResponse>(StatusCodes.Status201Created)
            .Problems(400, 409);
        keys.MapPost("/host", MakeHostKeyAsync)
            .RequireScopeEverywhere(TokenScope.Admin)
            .WithName("MakeHostKey")
            .WithSummary("Makes a key of the host's own, for drills and restores, where it has none or has lost it.")
            .Produces<BackupKeyResponse>(StatusCodes.Status201Created)
            .Problems(409);
        keys.MapDelete("/{key}", RemoveAsync)
            .RequireScopeEverywhere(TokenScope.Admin)
            .WithName("RemoveBackupKey")
            .WithSummary("Does not encrypt to this key any more. Sets that exist can be read with it as before.")
            .Problems(409);
    }

    public static BackupKeysResponse All(BackupKeys keys) => new()
    {
        Keys = [.. keys.Holders.Select(From)],
        Problem = keys.Problem?.What,
        Hint = keys.Problem?.Hint,
    };

    private static async Task<IResult> AddAsync(AddBackupKeyRequest request, HttpContext context, BackupKeys keys, AuditTrail audit, CancellationToken cancellationToken)
    {
        if (!AgeRecipient.TryParse(request.Recipient.Trim(), out var recipient)) return Api.Problems.Invalid($"recipient must be {AgeRecipient.Expected}");
        try
        {
            var added = keys.Add(recipient, request.Label ?? Unlabelled);
            await audit.WriteAsync(context, $"backup key added: {added.Fingerprint}, {added.Label}", null, cancellationToken);
            return TypedResults.Created($"/api/v1/backup-keys/{added.Fingerprint}", From(added));
        }
        catch (BackupFailedException refused)
        {
            return Api.Problems.KeyRefused(refused.Message, refused.Hint);
        }
    }

    private static async Task<IResult> MakeHostKeyAsync(HttpContext context, BackupKeys keys, AuditTrail audit, CancellationToken cancellationToken)
    {
        try
        {
            keys.MakeHostKey(onPurpose: true);
            var made = keys.Holders.First(holder => holder.IsHost);
            await audit.WriteAsync(context, $"backup key of the host made: {made.Fingerprint}", null, cancellationToken);
            return TypedResults.Created($"/api/v1/backup-keys/{made.Fingerprint}", From(made));
        }
        catch (BackupFailedException refused)
        {
            return Api.Problems.KeyRefused(refused.Message, refused.Hint);
        }
    }

    private static async Task<Results<NoContent, ProblemResult>> RemoveAsync(string key, HttpContext context, BackupKeys keys, AuditTrail audit, CancellationToken cancellationToken)
    {
        try
        {
            var gone = keys.Remove(key);
            await audit.WriteAsync(context, $"backup key removed: {gone.Fingerprint}, {gone.Label}", null, cancellationToken);
            return TypedResults.NoContent();
        }
        catch (BackupFailedException refused)
        {
            return Api.Problems.KeyRefused(refused.Message, refused.Hint);
        }
    }

    private static BackupKeyResponse From(KeyHolder holder) => new(holder.Recipient.Value, holder.Fingerprint, holder.Label, holder.AddedAt, holder.IsHost);
}
