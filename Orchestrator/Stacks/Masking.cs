using System.Collections.Immutable;

namespace Orchestrator.Stacks;

/// <summary>What may become of a table or a column in a copy in which nobody is to be recognised (<c>backup.anonymise</c>).</summary>
public static class Masking
{
    /// <summary>In the place of a column: the whole table.</summary>
    public const string Table = "*";

    public const string Keep = "keep";

    /// <summary>Its structure is kept, without rows.</summary>
    public const string Drop = "drop";

    /// <summary>Of columns. <c>hash</c>, <c>name</c> and <c>email</c> give equal values equal answers within one copy, and others in the next.</summary>
    public static ImmutableArray<string> Functions { get; } = ["null", "empty", "zero", "hash", "name", "email", "year"];

    /// <param name="function">One of <see cref="Functions"/>.</param>
    /// <param name="column">Quoted.</param>
    /// <param name="salt">Of letters and digits.</param>
    public static string Sql(string function, string column, string salt) => function switch
    {
        "null" => "NULL",
        "empty" => "''",
        "zero" => "0",
        "hash" => $"md5('{salt}' || {column}::text)",
        "name" => $"'Person ' || substr(md5('{salt}' || {column}::text), 1, 8)",
        "email" => $"substr(md5('{salt}' || {column}::text), 1, 12) || '@example.invalid'",
        "year" => $"date_trunc('year', {column})",
        _ => throw new ArgumentOutOfRangeException(nameof(function), function, "It is none of Masking.Functions."),
    };
}
