using System.Collections.Immutable;
using System.Text.RegularExpressions;
using Orchestrator.Journal;
using Orchestrator.Journal.Sqlite;

namespace Orchestrator.Secrets;

/// <summary>
/// Secrets of each stack, encrypted, in versions: setting one again makes a new version and leaves the old one to the releases that were made
/// with it. A value opens only for the stack, name and version that it was sealed for.
/// </summary>
public sealed partial class SecretStore(SqliteDatabase database, KeyRing keys, TimeProvider time)
{
    /// <summary>Names that begin so are the daemon's own and are not shown among a stack's secrets.</summary>
    public const string Reserved = "basmalin.";

    /// <summary>The largest value, in bytes of UTF-8.</summary>
    public const int MaximumBytes = 512 * 1024;

    private const string Webhook = Reserved + "webhook";

    /// <summary>True when anything was ever encrypted: see <see cref="KeyRing.Open"/>.</summary>
    public static Task<bool> AnyAsync(SqliteDatabase database, CancellationToken cancellationToken) =>
        database.ReadAsync(session => session.Scalar<long>("SELECT EXISTS (SELECT 1 FROM secrets)") != 0, cancellationToken);

    /// <summary>1 to 100 letters, digits, '.', '-' and '_', beginning with a letter or digit.</summary>
    public static bool IsName(string name) => NamePattern().IsMatch(name);

    /// <returns>The version that it got.</returns>
    /// <exception cref="ArgumentException">The name is none, is reserved, or the value is too large.</exception>
    public Task<SecretVersion> SetAsync(string stack, string name, Secret value, CancellationToken cancellationToken)
    {
        if (!IsName(name) || name.StartsWith(Reserved, StringComparison.Ordinal))
            throw new ArgumentException($"'{name}' cannot be the name of a secret", nameof(name));

        return AddAsync(stack, name, value, cancellationToken);
    }

    /// <summary>Every version that is kept of every secret that was not removed, by name, newest first; no values.</summary>
    public Task<ImmutableArray<SecretVersion>> ListAsync(string stack, CancellationToken cancellationToken) => database.ReadAsync<ImmutableArray<SecretVersion>>(
        session =>
        [
            .. session.Query<VersionRow>(
                    "SELECT name, version, created_at AS createdAt FROM secrets WHERE stack = @Stack AND removed = 0 ORDER BY name, version DESC", new { Stack = stack })
                .Where(row => !row.Name.StartsWith(Reserved, StringComparison.Ordinal))
                .Select(Read),
        ],
        cancellationToken);

    /// <summary>Name → newest version: what a release that is written down now refers to.</summary>
    public async Task<ImmutableSortedDictionary<string, int>> CurrentAsync(string stack, CancellationToken cancellationToken) =>
        (await ListAsync(stack, cancellationToken)).GroupBy(version => version.Name)
        .ToImmutableSortedDictionary(group => group.Key, group => group.Max(version => version.Version), StringComparer.Ordinal);

    /// <param name="version">Null: the newest. A version by number is given even after the secret was removed, as long as it is kept.</param>
    /// <returns>Null when there is none.</returns>
    /// <exception cref="JournalException">It does not open: it was changed, or another key sealed it.</exception>
    public Task<Secret?> FindAsync(string stack, string name, int? version, CancellationToken cancellationToken) => database.ReadAsync(
        session =>
        {
            var row = session.Find<SealedRow>(
                """
                SELECT version, sealed FROM secrets WHERE stack = @Stack AND name = @Name AND (version = @Version OR @Version IS NULL AND removed = 0)
                ORDER BY version DESC LIMIT 1
                """,
                new { Stack = stack, Name = name, Version = version });
            return row is null ? null : Open(stack, name, row);
        },
        cancellationToken);

    /// <summary>It is not given to new releases any more. Versions that a release refers to stay until <see cref="PruneAsync"/> is told otherwise.</summary>
    /// <returns>False when there is none.</returns>
    public Task<bool> RemoveAsync(string stack, string name, CancellationToken cancellationToken) => database.WriteAsync(
        session => session.Execute("UPDATE secrets SET removed = 1 WHERE stack = @Stack AND name = @Name AND removed = 0", new { Stack = stack, Name = name }) > 0,
        cancellationToken);

    /// <summary>Deletes the versions that are neither the newest of their name nor in use.</summary>
    /// <param name="inUse">Name and version, of all releases that are kept.</param>
    /// <returns>How many.</returns>
    public Task<int> PruneAsync(string stack, IReadOnlySet<(string Name, int Version)> inUse, CancellationToken cancellationToken) => database.WriteAsync(
        session =>
        {
            var unused = session.Query<VersionRow>(
                    """
                    SELECT name, version, created_at AS createdAt FROM secrets AS s WHERE stack = @Stack
                        AND (removed = 1 OR version < (SELECT MAX(version) FROM secrets WHERE stack = s.stack AND name = s.name))
                    """,
                    new { Stack = stack })
                .Where(row => !row.Name.StartsWith(Reserved, StringComparison.Ordinal) && !inUse.Contains((row.Name, checked((int)row.Version))));
            return unused.Sum(row => session.Execute(
                "DELETE FROM secrets WHERE stack = @Stack AND name = @Name AND version = @Version", new { Stack = stack, row.Name, row.Version }));
        },
        cancellationToken);

    /// <summary>
    /// Sets the secret that webhooks of the stack are signed with. The one before it stays valid until the next change, so that a sender can be changed over.
    /// </summary>
    public async Task SetWebhookAsync(string stack, Secret value, CancellationToken cancellationToken)
    {
        var added = await AddAsync(stack, Webhook, value, cancellationToken);
        await database.WriteAsync(
            session => session.Execute(
                "DELETE FROM secrets WHERE stack = @Stack AND name = @Name AND version < @Oldest", new { Stack = stack, Name = Webhook, Oldest = added.Version - 1 }),
            cancellationToken);
    }

    /// <summary>The secrets that a webhook may be signed with: none, one, or two while one is changed for another; newest first.</summary>
    public Task<ImmutableArray<Secret>> WebhookAsync(string stack, CancellationToken cancellationToken) => database.ReadAsync<ImmutableArray<Secret>>(
        session =>
        [
            .. session.Query<SealedRow>(
                    "SELECT version, sealed FROM secrets WHERE stack = @Stack AND name = @Name AND removed = 0 ORDER BY version DESC LIMIT 2",
                    new { Stack = stack, Name = Webhook })
                .Select(row => Open(stack, Webhook, row)),
        ],
        cancellationToken);

    /// <summary>Ends the validity of all but the newest webhook secret.</summary>
    public Task RetireWebhookAsync(string stack, CancellationToken cancellationToken) => database.WriteAsync(
        session => session.Execute(
            "DELETE FROM secrets WHERE stack = @Stack AND name = @Name AND version < (SELECT MAX(version) FROM secrets WHERE stack = @Stack AND name = @Name)",
            new { Stack = stack, Name = Webhook }),
        cancellationToken);

    /// <summary>Everything that is kept of a stack, the daemon's own secrets included, opened: for a backup that is encrypted by other means.</summary>
    /// <exception cref="JournalException">One does not open.</exception>
    public Task<ImmutableArray<KeptSecret>> ExportAsync(string stack, CancellationToken cancellationToken) => database.ReadAsync<ImmutableArray<KeptSecret>>(
        session =>
        [
            .. session.Query<KeptRow>(
                    "SELECT name, version, sealed, removed, created_at AS createdAt FROM secrets WHERE stack = @Stack ORDER BY name, version", new { Stack = stack })
                .Select(row => new KeptSecret(
                    row.Name, checked((int)row.Version), row.Removed != 0, Timestamp.Read(row.CreatedAt), Open(stack, row.Name, new SealedRow(row.Version, row.Sealed)))),
        ],
        cancellationToken);

    /// <summary>Takes over what another place kept, under the same versions, so that its releases find theirs; sealed with this place's key.</summary>
    public Task ImportAsync(string stack, ImmutableArray<KeptSecret> kept, CancellationToken cancellationToken) => database.WriteAsync(
        session =>
        {
            foreach (var secret in kept)
            {
                session.Execute(
                    "INSERT INTO secret_names (stack, name, last) VALUES (@Stack, @Name, @Version) ON CONFLICT (stack, name) DO UPDATE SET last = max(last, @Version)",
                    new { Stack = stack, secret.Name, secret.Version });
                session.Execute(
                    "INSERT OR REPLACE INTO secrets (stack, name, version, sealed, created_at, removed) VALUES (@Stack, @Name, @Version, @Sealed, @At, @Removed)",
                    new
                    {
                        Stack = stack,
                        secret.Name,
                        secret.Version,
                        Sealed = keys.Seal(secret.Value.Reveal(), Context(stack, secret.Name, secret.Version)),
                        At = Timestamp.Write(secret.CreatedAt),
                        Removed = secret.Removed ? 1 : 0,
                    });
            }
        },
        cancellationToken);

    private Task<SecretVersion> AddAsync(string stack, string name, Secret value, CancellationToken cancellationToken)
    {
        var text = value.Reveal();
        if (System.Text.Encoding.UTF8.GetByteCount(text) > MaximumBytes) throw new ArgumentException($"a secret has at most {MaximumBytes} bytes", nameof(value));

        return database.WriteAsync(session =>
        {
            var version = session.Scalar<long>(
                "INSERT INTO secret_names (stack, name, last) VALUES (@Stack, @Name, 1) ON CONFLICT (stack, name) DO UPDATE SET last = last + 1 RETURNING last",
                new { Stack = stack, Name = name });
            var at = time.GetUtcNow();
            session.Execute(
                "INSERT INTO secrets (stack, name, version, sealed, created_at) VALUES (@Stack, @Name, @Version, @Sealed, @At)",
                new { Stack = stack, Name = name, Version = version, Sealed = keys.Seal(text, Context(stack, name, version)), At = Timestamp.Write(at) });
            return new SecretVersion(name, checked((int)version), at);
        }, cancellationToken);
    }

    private Secret Open(string stack, string name, SealedRow row) => keys.Unseal(row.Sealed, Context(stack, name, row.Version)) is { } value
        ? new Secret(value)
        : throw new JournalException($"Secret {name} (version {row.Version}) of stack {stack} does not open: it was changed, or sealed with another key.", null);

    // None of the parts can hold a line break, so that no two contexts read alike.
    private static string Context(string stack, string name, long version) => $"{stack}\n{name}\n{version}";

    private static SecretVersion Read(VersionRow row) => new(row.Name, checked((int)row.Version), Timestamp.Read(row.CreatedAt));

    [GeneratedRegex(@"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}\z")]
    private static partial Regex NamePattern();

    private sealed record VersionRow(string Name, long Version, string CreatedAt);

    private sealed record KeptRow(string Name, long Version, byte[] Sealed, long Removed, string CreatedAt);

    private sealed record SealedRow(long Version, byte[] Sealed);
}
