using Npgsql;
using Orchestrator.Backups.Postgres;

namespace Orchestrator.Tests.Backups.Postgres;

/// <summary>What the hash of a table sees, asked of a real server.</summary>
[NonParallelizable]     // one server for all
public sealed class TableFingerprintsTests
{
    private const string Types =
        """
        CREATE TYPE shade AS ENUM ('light', 'deep'); CREATE TYPE growth AS (days int, note text); CREATE DOMAIN tint AS shade; CREATE DOMAIN height AS int CHECK (VALUE > 0);
        CREATE DOMAIN short_name AS varchar(9); CREATE DOMAIN heights AS int[];
        CREATE COLLATION anyway (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
        """;

    private Cluster _cluster = null!;

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        _cluster = await Cluster.StartAsync();
        await _cluster.ExecuteAsync(Types);
    }

    [OneTimeTearDown]
    public async Task StopAsync()
    {
        if (_cluster is not null) await _cluster.DisposeAsync();
    }

    [Test]
    public async Task A_changed_value_changes_the_fingerprint_and_the_order_of_rows_does_not()
    {
        await _cluster.ExecuteAsync("CREATE TABLE print (a int, b text); INSERT INTO print SELECT g, 'b' FROM generate_series(1, 100) g");
        var before = await PrintAsync("print");
        await _cluster.ExecuteAsync("CREATE TABLE print2 AS SELECT * FROM print ORDER BY a DESC; DROP TABLE print; ALTER TABLE print2 RENAME TO print");
        var reordered = await PrintAsync("print");
        await _cluster.ExecuteAsync("UPDATE print SET b = 'c' WHERE a = 50");
        var changed = await PrintAsync("print");

        Assert.That((reordered == before, changed == before), Is.EqualTo((true, false)));
    }

    [TestCaseSource(nameof(Values))]
    public async Task A_value_of_any_type_that_is_changed_lost_or_exchanged_between_rows_changes_the_fingerprint(string type, string one, string other)
    {
        // All in one transaction, that is never committed: a connection and a table for each change would take most of the time.
        await using var connection = await OpenAsync();
        await TableFingerprints.PrepareAsync(connection, CancellationToken.None);
        await RunAsync(
            $$"""
              BEGIN; SET LOCAL search_path = public;
              CREATE TABLE typed (id int NOT NULL, a {{type}}, last {{type}} NOT NULL);
              INSERT INTO typed VALUES (1, {{one}}, {{one}}), (2, {{other}}, {{other}}), (3, NULL, {{one}})
              """);
        var before = await ChangedAsync("SELECT 1");
        var after = new Dictionary<string, string>
        {
            ["changed"] = await ChangedAsync($"UPDATE typed SET a = {other} WHERE id = 1"),
            ["changed, of a column without NULL"] = await ChangedAsync($"UPDATE typed SET last = {other} WHERE id = 1"),
            ["lost"] = await ChangedAsync("UPDATE typed SET a = NULL WHERE id = 2"),
            ["won"] = await ChangedAsync($"UPDATE typed SET a = {one} WHERE id = 3"),
            ["exchanged"] = await ChangedAsync($"UPDATE typed SET a = CASE id WHEN 1 THEN {other}::{type} ELSE {one}::{type} END WHERE id < 3"),
            ["exchanged, of a column without NULL"] = await ChangedAsync($"UPDATE typed SET last = CASE id WHEN 1 THEN {other}::{type} ELSE {one}::{type} END WHERE id < 3"),
            ["NULL exchanged"] = await ChangedAsync($"UPDATE typed SET a = CASE id WHEN 3 THEN {one}::{type} END WHERE id IN (1, 3)"),
        };

        var prints = string.Join("; ", after.Select(pair => $"{pair.Key}: {pair.Value}").Prepend($"before: {before}"));
        Assert.That(after.Values.Append(before), Is.Unique, prints);
        Assert.That(await ChangedAsync("UPDATE typed SET a = a, last = last"), Is.EqualTo(before), "written anew, and the same");

        async Task<string> ChangedAsync(string sql)
        {
            await RunAsync($"SAVEPOINT unchanged; {sql}; SET LOCAL search_path = ''");
            var print = await TableFingerprints.OfAsync(connection, new("garden", "public", "typed", "public.typed"), RowHash.Columns, CancellationToken.None);
            await RunAsync("ROLLBACK TO SAVEPOINT unchanged");
            return print ?? throw new InvalidOperationException("The table cannot be read.");
        }

        Task RunAsync(string sql) => TableFingerprints.ExecuteAsync(connection, sql, CancellationToken.None);
    }

    [Test]
    public async Task A_row_of_more_columns_than_are_hashed_in_one_chain_is_hashed_to_the_last()
    {
        var columns = string.Join(", ", Enumerable.Range(1, 300).Select(number => $"\"c {number}\" int DEFAULT {number}"));
        await _cluster.ExecuteAsync($"CREATE TABLE wide ({columns}); INSERT INTO wide DEFAULT VALUES; INSERT INTO wide DEFAULT VALUES; UPDATE wide SET \"c 1\" = 0, \"c 300\" = 0 WHERE ctid = '(0,1)'");
        var before = await PrintAsync("wide");
        await _cluster.ExecuteAsync("UPDATE wide SET \"c 300\" = 300 - \"c 300\"");
        var exchanged = await PrintAsync("wide");
        await _cluster.ExecuteAsync("UPDATE wide SET \"c 300\" = 300 - \"c 300\"");

        Assert.That((exchanged == before, await PrintAsync("wide") == before), Is.EqualTo((false, true)));
        await _cluster.ExecuteAsync("DROP TABLE wide");
    }

    [Test]
    public async Task A_table_whose_rows_lie_mostly_outside_of_it_is_hashed_by_several_processes()
    {
        await _cluster.ExecuteAsync(
            """
            CREATE TABLE attic (id int, bytes bytea); ALTER TABLE attic ALTER bytes SET STORAGE EXTERNAL;
            INSERT INTO attic SELECT g, repeat('x', 2100)::bytea FROM generate_series(1, 8000) g; ANALYZE attic
            """);
        await using var connection = await OpenAsync();
        var before = await PlanAsync();
        await TableFingerprints.PrepareAsync(connection, CancellationToken.None);
        var after = await PlanAsync();

        Assert.That((before, after), Is.EqualTo(("Aggregate", "Finalize Aggregate")), "of a scan by one, and of partial sums");
        await _cluster.ExecuteAsync("DROP TABLE attic");

        async Task<string> PlanAsync()
        {
            await using var command = new NpgsqlCommand("EXPLAIN (COSTS OFF) SELECT count(*), coalesce(sum(hash_array_extended(ARRAY[t.bytes], 0)), 0)::text FROM ONLY public.attic t", connection);
            return (string)(await command.ExecuteScalarAsync())!;
        }
    }

    /// <summary>Of each a value and another.</summary>
    private static IEnumerable<TestCaseData> Values()
    {
        (string Type, string One, string Other)[] types =
        [
            ("bool", "true", "false"), ("int2", "1", "2"), ("int4", "1", "-1"), ("int8", "1", "4294967297"), ("float4", "1.5", "1.25"), ("float8", "0.1", "0.2"),
            ("numeric", "5", "-5"), ("numeric", "0", "'NaN'"), ("float8", "0", "'-0'"), ("float4", "0", "'NaN'"), ("numeric(8,2)", "1.5", "1.25"), ("money", "1.5", "2.5"), ("text", "''", "'ž'"), ("varchar(9)", "'a'", "'b'"), ("char(9)", "'a'", "'b'"), ("name", "'a'", "'b'"),
            ("text COLLATE anyway", "'a'", "'A'"), ("bytea", "''", "'\\x00'"), ("date", "'2026-11-27'", "'infinity'"), ("timestamptz", "'2026-11-27 00:00+01'", "'2026-11-27 00:00+00'"),
            ("timestamp", "'2026-11-27'", "'2026-11-28'"), ("time", "'10:00'", "'11:00'"), ("timetz", "'10:00+00'", "'10:00+01'"), ("interval", "'1 mon'", "'30 days'"), ("int8", "1", "4294967296"), ("int8", "0", "-1"), ("uuid", "'00000000-0000-0000-0000-000000000001'", "'00000000-0000-0000-0000-000000000002'"),
            ("json", "'{\"a\": 1}'", "'{\"a\":1}'"), ("jsonb", "'{\"a\": 1}'", "'{\"a\": -1}'"), ("jsonb", "'{}'", "'[]'"), ("jsonb", "'[[1],2]'", "'[[1,2]]'"), ("xml", "'<a/>'", "'<b/>'"), ("point", "'(1,2)'", "'(2,1)'"), ("bit(3)", "B'101'", "B'100'"), ("tsvector", "'a'", "'b'"),
            ("inet", "'10.0.0.1'", "'10.0.0.2'"), ("cidr", "'10.0.0.0/8'", "'10.0.0.0/16'"), ("macaddr", "'08:00:2b:01:02:03'", "'08:00:2b:01:02:04'"), ("pg_lsn", "'0/1'", "'1/0'"), ("oid", "1", "2"), ("\"char\"", "'a'", "'b'"), ("regclass", "'pg_class'", "'pg_type'"),
            ("text[]", "'{a,NULL}'", "'{a,b}'"), ("text[]", "'{}'", "'{NULL}'"), ("int[]", "'{{1,2},{3,4}}'", "'{1,2,3,4}'"), ("numrange", "'[1,2]'", "'[-1,2]'"), ("json[]", "ARRAY['1']::json[]", "ARRAY['2']::json[]"), ("int4range", "'[1,2)'", "'empty'"), ("datemultirange", "'{}'", "'{[2026-01-01,2026-02-01)}'"),
            ("shade", "'light'", "'deep'"), ("growth", "'(1,a)'", "'(1,)'"), ("height", "1", "2"), ("tint", "'light'", "'deep'"), ("short_name", "'a'", "'b'"), ("heights", "'{1}'", "'{2}'"),
        ];
        return types.Select(type => new TestCaseData(type.Type, type.One, type.Other).SetArgDisplayNames(type.Type, type.One, type.Other));
    }

    private async Task<NpgsqlConnection> OpenAsync() => await (await _cluster.Logins.OfAsync(_cluster.Subject, CancellationToken.None)).OpenAsync("garden", CancellationToken.None);

    /// <summary>Of one table: all of them are hashed by the tests of whole sets.</summary>
    private async Task<string> PrintAsync(string table)
    {
        await using var connection = await OpenAsync();
        await TableFingerprints.PrepareAsync(connection, CancellationToken.None);
        await TableFingerprints.ExecuteAsync(connection, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", CancellationToken.None);
        return await TableFingerprints.OfAsync(connection, new("garden", "public", table, $"public.{table}"), RowHash.Columns, CancellationToken.None) ?? throw new InvalidOperationException($"{table} cannot be read.");
    }
}
