using System.Buffers.Text;
using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Logging;
using Orchestrator.Journal;
using Orchestrator.Journal.Sqlite;
using Orchestrator.Secrets;

namespace Orchestrator.Access;

/// <summary>
/// Bearer tokens: <c>bm_</c> and 32 random bytes in base64url. Only the SHA-256 is kept: with 256 random bits there is nothing to guess, and
/// nothing for a slow hash to protect.
/// </summary>
/// <remarks>
/// A token is looked up by its hash. Whatever the index gives away by its timing is about the hash, which an attacker cannot steer
/// towards the one of a token that he does not have.
/// </remarks>
public sealed partial class TokenStore(SqliteDatabase database, TimeProvider time, ILogger<TokenStore> logger)
{
    public const string Prefix = "bm_";

    private const int RandomBytes = 32;
    private const int MaximumLength = 200;
    private const string Columns = "name, scope, stack, created_at AS createdAt, expires_at AS expiresAt, last_used AS lastUsed";
    private static readonly TimeSpan LastUsedStep = TimeSpan.FromMinutes(1);

    /// <param name="name">Unique.</param>
    /// <returns>The token, which is shown once and never again; null when there is one of that name.</returns>
    public async Task<Secret?> CreateAsync(string name, TokenScope scope, string? stack, DateTimeOffset? expiresAt, CancellationToken cancellationToken)
    {
        var token = Prefix + Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(RandomBytes));
        var added = await database.WriteAsync(
            session => session.Execute(
                """
                INSERT INTO tokens (hash, name, scope, stack, created_at, expires_at) VALUES (@Hash, @Name, @Scope, @Stack, @At, @ExpiresAt)
                ON CONFLICT (name) DO NOTHING
                """,
                new
                {
                    Hash = Hash(token),
                    Name = name,
                    Scope = scope.ToString(),
                    Stack = stack,
                    At = Timestamp.Write(time.GetUtcNow()),
                    ExpiresAt = Timestamp.Write(expiresAt),
                }),
            cancellationToken);
        return added == 1 ? new Secret(token) : null;
    }

    /// <summary>By name, expired ones included.</summary>
    public Task<ImmutableArray<Token>> ListAsync(CancellationToken cancellationToken) => database.ReadAsync<ImmutableArray<Token>>(
        session => [.. session.Query<Row>($"SELECT {Columns} FROM tokens ORDER BY name").Select(Read)], cancellationToken);

    /// <returns>False when there is none of that name.</returns>
    public Task<bool> RevokeAsync(string name, CancellationToken cancellationToken) =>
        database.WriteAsync(session => session.Execute("DELETE FROM tokens WHERE name = @Name", new { Name = name }) == 1, cancellationToken);

    /// <returns>Null when the token is unknown, revoked or expired.</returns>
    public async Task<Token?> VerifyAsync(string presented, CancellationToken cancellationToken)
    {
        if (presented.Length > MaximumLength || !presented.StartsWith(Prefix, StringComparison.Ordinal)) return null;

        var hash = Hash(presented);
        var row = await database.ReadAsync(
            session => session.Find<Row>($"SELECT {Columns} FROM tokens WHERE hash = @Hash", new { Hash = hash }), cancellationToken);
        var now = time.GetUtcNow();
        if (row is null || Read(row) is not { } token || token.ExpiresAt <= now) return null;
        if (token.LastUsed is { } used && now - used < LastUsedStep) return token;

        return token with { LastUsed = await NoteUseAsync(hash, token, now, cancellationToken) };
    }

    // A full disk must not lock out whoever comes to make room.
    private async Task<DateTimeOffset?> NoteUseAsync(byte[] hash, Token token, DateTimeOffset now, CancellationToken cancellationToken)
    {
        try
        {
            await database.WriteAsync(
                session => session.Execute("UPDATE tokens SET last_used = @At WHERE hash = @Hash", new { Hash = hash, At = Timestamp.Write(now) }),
                cancellationToken);
            return now;
        }
        catch (JournalException failure)
        {
            LogUseNotNoted(failure, token.Name);
            return token.LastUsed;
        }
    }

    private static byte[] Hash(string token) => SHA256.HashData(Encoding.UTF8.GetBytes(token));

    private static Token Read(Row row) => new()
    {
        Name = row.Name,
        Scope = Enum.Parse<TokenScope>(row.Scope),
        Stack = row.Stack,
        CreatedAt = Timestamp.Read(row.CreatedAt),
        ExpiresAt = Timestamp.ReadOptional(row.ExpiresAt),
        LastUsed = Timestamp.ReadOptional(row.LastUsed),
    };

    [LoggerMessage(EventId = 8900, Level = LogLevel.Warning, Message = "The use of token {Token} could not be noted")]
    private partial void LogUseNotNoted(JournalException failure, string token);

    private sealed record Row(string Name, string Scope, string? Stack, string CreatedAt, string? ExpiresAt, string? LastUsed);
}
