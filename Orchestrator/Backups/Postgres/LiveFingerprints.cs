using System.Collections.Immutable;

namespace Orchestrator.Backups.Postgres;

/// <summary>Fingerprints of a running cluster, one view per database. It locks nothing; so while others write, databases may differ by a moment.</summary>
internal static class LiveFingerprints
{
    public static async Task<ImmutableSortedDictionary<string, string>> OfAsync(PostgresLogin login, RowHash hash, CancellationToken cancellationToken)
    {
        IReadOnlyList<string> databases;
        await using (var first = await login.OpenAsync("postgres", cancellationToken)) databases = await ServerFacts.DatabasesAsync(first, cancellationToken);
        var found = ImmutableSortedDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        foreach (var database in databases)
        {
            await using var connection = await login.OpenAsync(database, cancellationToken);
            await TableFingerprints.PrepareAsync(connection, cancellationToken);
            await TableFingerprints.ExecuteAsync(connection, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", cancellationToken);
            foreach (var table in await TableFingerprints.ListAsync(connection, database, cancellationToken))
            {
                if (await TableFingerprints.OfAsync(connection, table, hash, cancellationToken) is { } print) found[table.Key] = print;
            }
        }

        return found.ToImmutable();
    }
}
