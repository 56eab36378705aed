using System.Collections.Immutable;

namespace Orchestrator.Stacks.Parsing;

/// <summary><c>x-basmalin.backup.export</c>: which rows are one person's.</summary>
internal static class ExportSection
{
    public static ImmutableSortedDictionary<string, string> Read(Field field)
    {
        var tables = ImmutableSortedDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        foreach (var (table, column) in field.Members("tables and the column with the user's key, e.g. { users: id, orders: user_id }"))
        {
            if (column.NonEmpty("the column with the user's key") is { } name) tables[table] = name;
        }

        return tables.ToImmutable();
    }
}
