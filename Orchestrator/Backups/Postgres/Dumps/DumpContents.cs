using System.Collections.Immutable;
using Orchestrator.Backups.Pipeline;

namespace Orchestrator.Backups.Postgres.Dumps;

/// <summary>Which object of a dump holds what: roles in one, each database in one of its own.</summary>
internal static class DumpContents
{
    private const string Database = "database ";

    /// <summary>Of the roles, as <c>pg_dumpall --globals-only</c> writes them.</summary>
    public const string Globals = "globals.sql";

    /// <summary>The name of the fact that says which object holds a database.</summary>
    public static string FactOf(string database) => Database + database;

    /// <summary>A name that any store takes; databases may be called anything.</summary>
    /// <param name="index">Its place among the databases.</param>
    public static string NameOf(string database, int index) =>
        database.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '_' or '-') ? $"{database}.dump" : string.Create(System.Globalization.CultureInfo.InvariantCulture, $"database-{index}.dump");

    /// <exception cref="BackupFailedException">The part has none: it was written by something else.</exception>
    public static BackupObject Find(BackupPart part, string name) =>
        part.Objects.FirstOrDefault(item => BackupWriter.NameIn(item.Key) == $"{part.Service}/{name}")
        ?? throw new BackupFailedException($"the dump of {part.Service} has no {name}", "It was not written by this program, or was changed.");

    /// <summary>Database → the object that holds it.</summary>
    public static ImmutableSortedDictionary<string, BackupObject> Databases(BackupPart part) => part.Facts
        .Where(fact => fact.Key.StartsWith(Database, StringComparison.Ordinal))
        .ToImmutableSortedDictionary(fact => fact.Key[Database.Length..], fact => Find(part, fact.Value), StringComparer.Ordinal);
}
