using System.Text;
using Microsoft.AspNetCore.Http.HttpResults;
using Orchestrator.Access;
using Orchestrator.Agent.Api.Contracts;
using Orchestrator.Agent.Auth;
using Orchestrator.Agent.Hosting.Settings;
using Orchestrator.Secrets;

namespace Orchestrator.Agent.Api;

/// <summary><c>/tokens</c>, secrets and <c>/audit</c>: for administrators.</summary>
internal static class AccessApi
{
    private const int LongestName = 80;
    private const int MostListed = 1000;

    /// <summary>Seconds.</summary>
    private const long LongestLife = 100L * 365 * 24 * 60 * 60;

    public static void MapAccess(this RouteGroupBuilder api)
    {
        var tokens = api.MapGroup("/tokens").WithTags("Access").RequireScopeEverywhere(TokenScope.Admin);
        tokens.MapGet("/", ListTokensAsync).WithName("ListTokens").WithSummary("The access tokens, without the tokens themselves.");
        tokens.MapPost("/", CreateTokenAsync)
            .WithName("CreateToken")
            .WithSummary("Makes a token; only this answer has it.")
            .Produces<CreatedTokenResponse>(StatusCodes.Status201Created)
            .Problems(400, 409);
        tokens.MapDelete("/{name}", RevokeTokenAsync).WithName("RevokeToken").WithSummary("Makes a token worthless, at once.").Problems(404);

        var secrets = api.MapGroup("/stacks/{stack}/secrets").WithTags("Secrets").RequireScope(TokenScope.Admin);
        secrets.MapGet("/", ListSecretsAsync).WithName("ListSecrets").WithSummary("The stored secrets of a stack in all kept versions, without their values.");
        secrets.MapPut("/{name}", SetSecretAsync).WithName("SetSecret").WithSummary("Stores a secret as a new version, encrypted; the next deployment uses it.").Problems(400);
        secrets.MapDelete("/{name}", RemoveSecretAsync).WithName("RemoveSecret").WithSummary("Gives a secret to no new release.").Problems(404);

        api.MapGet("/audit", AuditAsync).WithTags("Access").RequireScopeEverywhere(TokenScope.Admin).WithName("ListAudit").WithSummary("Who has changed what, newest first.");
    }

    private static async Task<Ok<TokenResponse[]>> ListTokensAsync(TokenStore tokens, CancellationToken cancellationToken) =>
        TypedResults.Ok((await tokens.ListAsync(cancellationToken)).Select(From).ToArray());

    private static async Task<IResult> CreateTokenAsync(
        CreateTokenRequest request,
        HttpContext context,
        TokenStore tokens,
        AuditTrail audit,
        TimeProvider time,
        CancellationToken cancellationToken)
    {
        if (request.Name.Trim() is not { Length: > 0 and <= LongestName } name || name.Any(char.IsControl)) return Problems.Invalid($"name must have 1 to {LongestName} printable characters");
        if (!SettingValues.Word<TokenScope>(request.Scope ?? nameof(TokenScope.Admin), out var scope)) return Problems.Invalid("scope must be read, deploy or admin");
        if (request.ExpiresIn is < 1 or > LongestLife) return Problems.Invalid("expiresIn must be from one second to a hundred years");

        DateTimeOffset? expires = request.ExpiresIn is { } seconds ? time.GetUtcNow().AddSeconds(seconds) : null;
        if (await tokens.CreateAsync(name, scope, request.Stack, expires, cancellationToken) is not { } token) return Problems.TokenExists(name);

        await audit.WriteAsync(context, $"token.create: {name}, scope {Words.Of(scope)}", request.Stack, cancellationToken);
        return TypedResults.Created(
            $"/api/v1/tokens/{Uri.EscapeDataString(name)}",
            new CreatedTokenResponse(name, Words.Of(scope), request.Stack, expires, token.Reveal()));
    }

    private static async Task<Results<NoContent, ProblemResult>> RevokeTokenAsync(string name, HttpContext context, TokenStore tokens, AuditTrail audit, CancellationToken cancellationToken)
    {
        if (!await tokens.RevokeAsync(name, cancellationToken)) return Api.Problems.NoSuch("token", name);

        await audit.WriteAsync(context, $"token.revoke: {name}", null, cancellationToken);
        return TypedResults.NoContent();
    }

    private static async Task<Ok<SecretResponse[]>> ListSecretsAsync(string stack, SecretStore secrets, CancellationToken cancellationToken) =>
        TypedResults.Ok((await secrets.ListAsync(stack, cancellationToken)).Select(From).ToArray());

    private static async Task<Results<Ok<SecretResponse>, ProblemResult>> SetSecretAsync(
        string stack,
        string name,
        SetSecretRequest request,
        HttpContext context,
        SecretStore secrets,
        AuditTrail audit,
        CancellationToken cancellationToken)
    {
        if (!SecretStore.IsName(name) || name.StartsWith(SecretStore.Reserved, StringComparison.Ordinal)) return Api.Problems.Invalid($"'{name}' cannot be the name of a secret");
        if (request.Value.Length == 0 || Encoding.UTF8.GetByteCount(request.Value) > SecretStore.MaximumBytes) return Api.Problems.Invalid("value must have 1 byte to 512 KiB");

        var stored = await secrets.SetAsync(stack, name, new Secret(request.Value), cancellationToken);
        await audit.WriteAsync(context, $"secret.set: {name}, version {stored.Version}", stack, cancellationToken);
        return TypedResults.Ok(From(stored));
    }

    private static async Task<Results<NoContent, ProblemResult>> RemoveSecretAsync(
        string stack,
        string name,
        HttpContext context,
        SecretStore secrets,
        AuditTrail audit,
        CancellationToken cancellationToken)
    {
        if (!await secrets.RemoveAsync(stack, name, cancellationToken)) return Api.Problems.NoSuch("secret", name);

        await audit.WriteAsync(context, $"secret.remove: {name}", stack, cancellationToken);
        return TypedResults.NoContent();
    }

    private static async Task<Ok<AuditEntryResponse[]>> AuditAsync(AuditLog audit, CancellationToken cancellationToken, string? stack = null, int limit = 100)
    {
        var entries = await audit.ListAsync(stack, Math.Clamp(limit, 1, MostListed), cancellationToken);
        return TypedResults.Ok(entries.Select(entry => new AuditEntryResponse(entry.Number, entry.At, entry.Who, entry.What, entry.Stack, entry.Outcome)).ToArray());
    }

    private static TokenResponse From(Token token) => new(token.Name, Words.Of(token.Scope), token.Stack, token.CreatedAt, token.ExpiresAt, token.LastUsed);

    private static SecretResponse From(SecretVersion version) => new(version.Name, version.Version, version.CreatedAt);
}
