using System.Collections.Immutable;
using System.Text.Json;
using Orchestrator.Backups;
using Orchestrator.Backups.Postgres.Dumps;

namespace Orchestrator.Tests.Backups.Postgres;

/// <summary>The second format, on real servers: a dump under load, loaded elsewhere, and what is taken out of it.</summary>
[NonParallelizable]     // one pair of servers for all
public sealed class PostgresDumpTests
{
    private const string Tables =
        """"
        CREATE TYPE mood AS ENUM ('sad', 'glad');
        CREATE TABLE users (id int PRIMARY KEY, name text, email text UNIQUE, phone text, born date, mood mood);
        INSERT INTO users SELECT g, 'Ana ' || g, 'ana' || g || '@garden.example', '040 ' || g, date '1980-05-05' + g, CASE g % 2 WHEN 0 THEN 'sad' ELSE 'glad' END::mood FROM generate_series(1, 500) g;
        CREATE TABLE plants (id int PRIMARY KEY, owner int REFERENCES users, label text);
        INSERT INTO plants SELECT g, 1 + g % 500, 'plant ' || g FROM generate_series(1, 2000) g;
        CREATE SCHEMA "Odd"; CREATE TABLE "Odd"."Log ""x""" (who int, what text); INSERT INTO "Odd"."Log ""x""" VALUES (7, 'secret of 7');
        CREATE TABLE sessions (token text); INSERT INTO sessions VALUES ('t0ken-of-somebody');
        CREATE ROLE reader LOGIN PASSWORD 'x'; GRANT SELECT ON users TO reader; ALTER TABLE plants OWNER TO reader;
        """";

    private static readonly ImmutableSortedDictionary<string, string> Keep = ImmutableSortedDictionary<string, string>.Empty.Add("*", "keep");

    private Cluster _cluster = null!;
    private BackupSubject _empty = null!;
    private TestStore _store = null!;
    private BackupPart _part = null!;

    private PostgresDumpSource Source => new(_cluster.Logins, _cluster.Tool);

    private DumpLoading Loading => new(_cluster.Logins, _cluster.Tool);

    private DumpExports Exports => new(_cluster.Logins, _cluster.Tool);

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        _cluster = await Cluster.StartAsync();
        await _cluster.ExecuteAsync(Tables);
        await _cluster.ExecuteAsync(Writers.Table);
        await _cluster.ExecuteAsync("CREATE DATABASE \"it's odd\"");
        await _cluster.ExecuteAsync("CREATE TABLE other AS SELECT 'kept' AS what", "it's odd");
        _store = _cluster.Store("dump");
        await using var writers = new Writers(_cluster.Subject, 2);
        await writers.UntilAsync(100);
        _part = await Source.BackupAsync(_cluster.Subject, _store.Writer, CancellationToken.None);
        _empty = await _cluster.SubjectAsync(await _cluster.RunAsync("empty", []));
        await _cluster.ReadyAsync(_empty);
        await Loading.LoadAsync(_part, _empty, _store.Reader, _ => { }, CancellationToken.None);
    }

    [OneTimeTearDown]
    public async Task StopAsync()
    {
        if (_cluster is not null) await _cluster.DisposeAsync();
    }

    [Test]
    public async Task A_dump_made_under_load_equals_in_another_server_what_was_there_to_the_last_row()
    {
        var found = await Loading.FingerprintsAsync(_empty, CancellationToken.None);

        Assert.That(_part.Fingerprints.Keys, Is.SupersetOf(new[] { "table garden.public.users", "table garden.public.counted", "table it's odd.public.other" }));
        Assert.That(found.Where(print => !OfOthers(print.Key)), Is.EqualTo(_part.Fingerprints));
        Assert.That(await Cluster.AskAsync<string>(_empty, "SELECT tableowner::text FROM pg_tables WHERE tablename = 'plants'"), Is.EqualTo("reader"));

        await Cluster.ExecuteAsync(_empty, "UPDATE users SET phone = '041' WHERE id = 250");
        var changed = await Loading.FingerprintsAsync(_empty, CancellationToken.None);
        await Cluster.ExecuteAsync(_empty, "UPDATE users SET phone = '040 250' WHERE id = 250");
        Assert.That(changed.Where(print => !OfOthers(print.Key) && _part.Fingerprints[print.Key] != print.Value).Select(print => print.Key), Is.EqualTo(new[] { "table garden.public.users" }));
    }

    [Test]
    public async Task A_dump_that_is_cut_or_changed_in_the_store_is_no_dump()
    {
        var stored = _part.Objects.Single(item => item.Key.EndsWith("/garden.dump.zst.age", StringComparison.Ordinal));
        var path = Path.Combine(_cluster.PathOf("dump"), stored.Key);
        var whole = await File.ReadAllBytesAsync(path);
        await File.WriteAllBytesAsync(path, whole[..^100]);
        var cut = await Assert.ThrowsAsync<BackupFailedException>(() => Loading.LoadAsync(_part, _empty, _store.Reader, _ => { }, CancellationToken.None));
        await File.WriteAllBytesAsync(path, whole);
        await Loading.LoadAsync(_part, _empty, _store.Reader, _ => { }, CancellationToken.None);

        Assert.That(cut!.Message, Does.Contain("garden.dump"));
        Assert.That((await Loading.FingerprintsAsync(_empty, CancellationToken.None)).Where(print => !OfOthers(print.Key)), Is.EqualTo(_part.Fingerprints), "loaded over what was half there");
    }

    [Test]
    public async Task One_persons_rows_are_exported_and_nobody_elses()
    {
        using var output = new MemoryStream();
        var subject = With(new() { Kind = "postgres", Export = Map(("users", "id"), ("plants", "owner"), ("Odd.Log \"x\"", "who")) });
        await Exports.PersonAsync(subject, "7", DateTimeOffset.UnixEpoch, () => Task.FromResult<System.IO.Stream>(output), CancellationToken.None);
        using var json = JsonDocument.Parse(output.ToArray());
        var tables = json.RootElement.GetProperty("tables");

        Assert.That(tables.GetProperty("public.users").EnumerateArray().Select(row => row.GetProperty("email").GetString()), Is.EqualTo(new[] { "ana7@garden.example" }));
        Assert.That(tables.GetProperty("public.plants").EnumerateArray().Select(row => row.GetProperty("id").GetInt32()), Is.EquivalentTo(new[] { 6, 506, 1006, 1506 }));
        Assert.That(tables.GetProperty("Odd.Log \"x\"").EnumerateArray().Single().GetProperty("what").GetString(), Is.EqualTo("secret of 7"));

        var wrong = await Assert.ThrowsAsync<BackupFailedException>(() => Exports.PersonAsync(
            With(new() { Kind = "postgres", Export = Map(("users", "nickname")) }), "7", DateTimeOffset.UnixEpoch, () => throw new InvalidOperationException("nothing is to be written"), CancellationToken.None));
        Assert.That(wrong!.Message, Does.Contain("users.nickname"));
    }

    [Test]
    public async Task A_copy_in_which_nobody_is_recognised_has_every_table_that_somebody_decided_about_and_no_name()
    {
        var masks = ImmutableSortedDictionary<string, ImmutableSortedDictionary<string, string>>.Empty
            .Add("users", Map(("name", "name"), ("email", "email"), ("phone", "null"), ("born", "year")))
            .Add("plants", Keep).Add("counted", Keep).Add("Odd.Log \"x\"", Map(("what", "empty"))).Add("sessions", Map(("*", "drop")));
        // A copy, so that the other tests find theirs as it was.
        await Cluster.ExecuteAsync(_empty, "CREATE DATABASE masked TEMPLATE garden", "postgres");
        var undecided = await Assert.ThrowsAsync<BackupFailedException>(() => Exports.AnonymousAsync(
            With(new() { Kind = "postgres", Anonymise = masks.Remove("sessions") }, "masked"), () => throw new InvalidOperationException("nothing is to be written"), CancellationToken.None));
        var referred = await Assert.ThrowsAsync<BackupFailedException>(() => Exports.AnonymousAsync(
            With(new() { Kind = "postgres", Anonymise = masks.SetItem("users", Map(("*", "drop"))) }, "masked"), () => throw new InvalidOperationException("nothing is to be written"), CancellationToken.None));

        var path = _cluster.PathOf("anonymous.dump");
        await using (var file = File.Create(path))
            await Exports.AnonymousAsync(With(new() { Kind = "postgres", Anonymise = masks }, "masked"), () => Task.FromResult<System.IO.Stream>(file), CancellationToken.None);
        var text = System.Text.Encoding.Latin1.GetString(await File.ReadAllBytesAsync(path));
        await using (var file = File.OpenRead(path))
        {
            var login = await _cluster.Logins.OfAsync(_empty, CancellationToken.None);
            await Cluster.ExecuteAsync(_empty, "CREATE DATABASE copy");
            await _cluster.Tool.FeedAsync(
                _empty, login, ["pg_restore", .. login.Arguments, "-d", "copy", "--exit-on-error"], (input, token) => file.CopyToAsync(input, token), CancellationToken.None);
        }

        Assert.Multiple(async () =>
        {
            Assert.That(undecided!.Message, Does.Contain("public.sessions"));
            Assert.That(referred!.Message, Does.Contain("foreign key"));
            Assert.That(text, Does.Not.Contain("@garden.example").And.Not.Contain("Ana ").And.Not.Contain("secret of 7").And.Not.Contain("t0ken").And.Not.Contain("040 "));
            Assert.That(await Cluster.AskAsync<long>(_empty, "SELECT count(DISTINCT email) FROM users WHERE email LIKE '%@example.invalid' AND phone IS NULL AND extract(month FROM born) = 1", "copy"), Is.EqualTo(500));
            Assert.That(await Cluster.AskAsync<long>(_empty, "SELECT count(*) FROM plants JOIN users ON owner = users.id", "copy"), Is.EqualTo(2000));
            Assert.That(await Cluster.AskAsync<long>(_empty, "SELECT count(*) FROM sessions", "copy"), Is.Zero);
        });
    }

    [Test]
    public async Task A_program_that_ends_before_it_has_read_everything_is_a_failure_with_its_words()
    {
        var login = await _cluster.Logins.OfAsync(_empty, CancellationToken.None);
        var failure = await Assert.ThrowsAsync<BackupFailedException>(() => _cluster.Tool.FeedAsync(
            _empty, login, ["sh", "-c", "head -c 10 >/dev/null; echo had enough >&2; exit 3"], async (input, token) =>
            {
                for (var block = 0; block < 64; block++) await input.WriteAsync(new byte[64 * 1024], token);
            }, CancellationToken.None));

        Assert.That(failure!.Message, Does.Contain("ended with 3: had enough"));
        Assert.That(Directory.EnumerateFileSystemEntries(_cluster.PathOf("tool")), Is.Empty);
    }

    private BackupSubject With(Orchestrator.Stacks.BackupSpec spec, string database = "garden") => _empty with
    {
        Service = _empty.Service with { BasMalin = new() { Backup = spec }, Container = new() { Environment = _empty.Service.Container.Environment.SetItem("POSTGRES_DB", database) } },
    };

    /// <summary>Databases that another test made.</summary>
    private static bool OfOthers(string table) => table.StartsWith("table masked.", StringComparison.Ordinal) || table.StartsWith("table copy.", StringComparison.Ordinal);

    private static ImmutableSortedDictionary<string, string> Map(params (string Key, string Value)[] pairs) => pairs.ToImmutableSortedDictionary(pair => pair.Key, pair => pair.Value);
}
