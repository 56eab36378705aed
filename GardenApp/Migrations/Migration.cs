using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace GardenApp.Migrations;

/// <summary>
/// One numbered step of the schema, embedded in the assembly as <c>NNN_name.sql</c>. Steps only add: while a deployment runs, the
/// version before works on the same tables.
/// </summary>
internal sealed record Migration(int Number, string Name, string Sql, string Sha256)
{
    private const string Folder = "GardenApp.Migrations.";

    internal static readonly ImmutableArray<Migration> All = Load();

    private static ImmutableArray<Migration> Load()
    {
        var assembly = typeof(Migration).Assembly;
        return
        [
            .. assembly.GetManifestResourceNames().Where(name => name.StartsWith(Folder, StringComparison.Ordinal)).Order(StringComparer.Ordinal).Select(resource =>
            {
                using var reader = new StreamReader(assembly.GetManifestResourceStream(resource) ?? throw new InvalidOperationException($"{resource} is not embedded"));
                var sql = reader.ReadToEnd().ReplaceLineEndings("\n");
                var name = resource[Folder.Length..^".sql".Length];
                return new Migration(int.Parse(name.Split('_')[0], CultureInfo.InvariantCulture), name, sql, Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(sql))));
            }),
        ];
    }
}
