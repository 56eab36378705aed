using System.Collections.Immutable;

namespace Orchestrator.Stacks.Parsing;

/// <summary><c>x-basmalin.backup.anonymise</c>: what becomes of each table in a copy in which nobody is to be recognised.</summary>
internal static class AnonymiseSection
{
    public static ImmutableSortedDictionary<string, ImmutableSortedDictionary<string, string>> Read(Field field)
    {
        var tables = ImmutableSortedDictionary.CreateBuilder<string, ImmutableSortedDictionary<string, string>>(StringComparer.Ordinal);
        foreach (var (table, what) in field.Members("tables and what becomes of them, e.g. { users: { email: email }, plants: keep, sessions: drop }"))
        {
            var columns = ImmutableSortedDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
            if (what.IsScalar)
            {
                if (what.OneOf("what becomes of the table, or its columns", Masking.Keep, Masking.Drop) is { } whole) columns[Masking.Table] = whole;
            }
            else
            {
                foreach (var (column, function) in what.Members("keep, drop, or columns and what becomes of them, e.g. { email: email, phone: null }"))
                {
                    // Bare null is nothing in YAML, and here it is what was meant.
                    if (function.IsNull) columns[column] = "null";
                    else if (function.OneOf("what becomes of the column", [.. Masking.Functions]) is { } mask) columns[column] = mask;
                }
            }

            if (columns.Count > 0) tables[table] = columns.ToImmutable();
        }

        return tables.ToImmutable();
    }
}
