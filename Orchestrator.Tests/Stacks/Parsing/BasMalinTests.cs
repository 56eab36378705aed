using System.Collections.Immutable;
using Orchestrator.Stacks;

namespace Orchestrator.Tests.Stacks.Parsing;

/// <summary><c>x-basmalin</c>: defaults, short forms, and every mistake.</summary>
internal sealed class BasMalinTests
{
    private const string Published = "ports: [ \"3000:3000\" ]\n";

    [Test]
    public void Left_out_keys_have_the_defaults_of_the_model()
    {
        var spec = Compose.App($"{Published}x-basmalin: {{ route: }}").BasMalin!;

        Assert.That(spec with { Route = null }, Is.EqualTo(new BasMalinSpec()));
        Assert.That(spec.Route! with { Hosts = [] }, Is.EqualTo(new RouteSpec { Port = 3000 }));
    }

    [TestCase("http: /h", GateKind.Http)]
    [TestCase("tcp: 5432", GateKind.Tcp)]
    [TestCase("exec: pg_isready -U 'a b'", GateKind.Exec)]
    [TestCase("exec: [ pg_isready, -U, a b ]", GateKind.Exec)]
    [TestCase("docker: true", GateKind.Docker)]
    [TestCase("running: true", GateKind.Running)]
    public void A_gate_has_one_kind_and_the_defaults_for_the_rest(string kind, GateKind expected)
    {
        var gate = Compose.App($"{Published}x-basmalin: {{ route: , gate: {{ {kind} }} }}").BasMalin!.Gate!;

        Assert.That(gate.Kind, Is.EqualTo(expected));
        Assert.That((gate.Interval, gate.Timeout, gate.Successes, gate.StartPeriod, gate.Stable, gate.Deadline), Is.EqualTo((
            TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(5), 3, TimeSpan.Zero, TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(60))));
        if (expected == GateKind.Exec) Assert.That(gate.Exec, Is.EqualTo(new[] { "pg_isready", "-U", "a b" }));
        if (expected == GateKind.Tcp) Assert.That(gate.Port, Is.EqualTo(5432));
        if (expected == GateKind.Http) Assert.That((gate.Http, gate.Expect.Single()), Is.EqualTo(("/h", new StatusRange(200, 299))));
    }

    [TestCase("204", "204")]
    [TestCase("200-399", "200-399")]
    [TestCase("[200, \"300-302\", 404]", "200|300-302|404")]
    public void Expected_statuses_are_a_number_a_range_or_a_list(string expect, string expected) =>
        Assert.That(string.Join('|', Compose.App($"{Published}x-basmalin: {{ route: , gate: {{ http: /, expect: {expect} }} }}").BasMalin!.Gate!.Expect), Is.EqualTo(expected));

    [Test]
    public void A_gate_reads_all_of_its_limits()
    {
        var gate = Compose.App($"{Published}x-basmalin: {{ route: , gate: {{ http: \"/h?x=1\", host: Garden.example, port: 81, interval: 2s, timeout: 1s, successes: 2, start_period: 3s, stable: 0, deadline: 90s }} }}").BasMalin!.Gate!;

        Assert.That(gate with { Expect = [] }, Is.EqualTo(new GateSpec
        {
            Kind = GateKind.Http,
            Http = "/h?x=1",
            Host = "Garden.example",
            Port = 81,
            Interval = TimeSpan.FromSeconds(2),
            Timeout = TimeSpan.FromSeconds(1),
            Successes = 2,
            StartPeriod = TimeSpan.FromSeconds(3),
            Stable = TimeSpan.Zero,
            Deadline = TimeSpan.FromSeconds(90),
            Expect = [],
            Exec = gate.Exec,
        }));
    }

    [Test]
    public void Smoke_requests_have_defaults_and_three_methods()
    {
        var smoke = Compose.App($"{Published}x-basmalin: {{ route: , smoke: [ {{ get: /a }}, {{ head: /b, expect: 204 }}, {{ post: /c, within: 1s, contains: ok }} ] }}").BasMalin!.Smoke;

        Assert.That(smoke.Select(one => $"{one.Method} {one.Path} {one.Expect.Single()} {one.Within.TotalMilliseconds} {one.Contains}"),
            Is.EqualTo(new[] { "GET /a 200-299 5000 ", "HEAD /b 204 5000 ", "POST /c 200-299 1000 ok" }));
    }

    [Test]
    public void A_migration_is_a_list_or_a_text()
    {
        Assert.That(Compose.App("x-basmalin: { migrate: dotnet app.dll 'go up', migrate_timeout: 2m }").BasMalin!.Migrate, Is.EqualTo(new[] { "dotnet", "app.dll", "go up" }));
        Assert.That(Compose.App("x-basmalin: { migrate: [ a, b c ], migrate_timeout: 2m }").BasMalin!.MigrateTimeout, Is.EqualTo(TimeSpan.FromMinutes(2)));
    }

    [Test]
    public void A_host_may_stand_alone_and_is_lower_cased()
    {
        var route = Compose.App("x-basmalin: { route: { hosts: Garden.EXAMPLE, path: /api/, port: 80 } }").BasMalin!.Route!;

        Assert.That(route.Hosts, Is.EqualTo(new[] { "garden.example" }));
        Assert.That(route.Path, Is.EqualTo("/api"));
    }

    [Test]
    public void A_route_says_where_certificates_come_from_and_what_is_redirected()
    {
        var route = Compose.App("x-basmalin: { route: { hosts: garden.example, port: 80, tls: auto, https: allow, redirect_hosts: [ WWW.garden.example, garden.test ] } }").BasMalin!.Route!;

        Assert.That((route.Tls, route.Https), Is.EqualTo((TlsMode.Auto, HttpsMode.Allow)));
        Assert.That(route.RedirectHosts, Is.EqualTo(new[] { "www.garden.example", "garden.test" }));
    }

    [TestCase("https://a.example", "leave the scheme out: a route answers on every listener of the edge")]
    [TestCase("a.example/x", "the path goes into route.path")]
    [TestCase("a.example:80", "leave the port out: the edge decides where it listens; an IPv6 address is not a host name")]
    [TestCase("a.*.example", "a wildcard stands for exactly one label, the first: *.garden.example")]
    [TestCase("*.*.example", "a wildcard stands for exactly one label, the first: *.garden.example")]
    [TestCase("*x.example", "a wildcard stands for exactly one label, the first: *.garden.example")]
    [TestCase("-a.example", "labels of letters, digits, '_' and '-', separated by dots")]
    [TestCase("a..example", "labels of letters, digits, '_' and '-', separated by dots")]
    [TestCase("a.example.", "labels of letters, digits, '_' and '-', separated by dots")]
    [TestCase("gärten.example", "write an international name in its ASCII form (xn--…)")]
    public void What_is_not_a_host_is_refused_with_the_reason(string host, string hint) =>
        Assert.That(Compose.Errors(Compose.ReadApp($"x-basmalin: {{ route: {{ hosts: [ \"{host}\" ], port: 80 }} }}")), Is.EqualTo(new[]
        {
            $"4:37 services.app.x-basmalin.route.hosts[0]: expected a host: garden.example, *.garden.example, or * for any, found '{host}' ({hint})",
        }));

    [Test]
    public void A_backup_reads_all_of_its_keys()
    {
        var backup = Compose.App(
            $"{Published}x-basmalin: {{ backup: {{ kind: postgres, every: \"0 1 * * *\", zone: Europe/Ljubljana, wal: true, synchronous: true, synchronous_patience: 5s, dump: \"0 2 * * 0\", " +
            "user: keeper, password_secret: keeper-password, keep: { daily: 7, yearly: 1, within: 336h }, drill: daily, before_deploy: true } }").BasMalin!.Backup!;

        Assert.That(backup with { Keep = ImmutableSortedDictionary<string, int>.Empty }, Is.EqualTo(new BackupSpec
        {
            Kind = "postgres",
            Every = "0 1 * * *",
            Zone = "Europe/Ljubljana",
            Wal = true,
            Synchronous = true,
            SynchronousPatience = TimeSpan.FromSeconds(5),
            Dump = "0 2 * * 0",
            User = "keeper",
            PasswordSecret = "keeper-password",
            KeepWithin = TimeSpan.FromDays(14),
            Drill = "daily",
            BeforeDeploy = true,
        }));
        Assert.That(backup.Keep, Is.EqualTo(new Dictionary<string, int> { ["daily"] = 7, ["yearly"] = 1 }));
    }

    [Test]
    public void What_may_be_exported_is_read_by_table_and_column()
    {
        var backup = Compose.App($"{Published}x-basmalin: {{ backup: {{ kind: postgres, export: {{ users: id, shop.orders: user_id }}, anonymise: {{ users: {{ email: email, phone: null }}, plants: keep, sessions: drop }} }} }}").BasMalin!.Backup!;

        Assert.That(backup.Export, Is.EqualTo(new Dictionary<string, string> { ["users"] = "id", ["shop.orders"] = "user_id" }));
        Assert.That(backup.Anonymise.SelectMany(table => table.Value.Select(column => $"{table.Key} {column.Key} {column.Value}")), Is.EqualTo(new[] { "plants * keep", "sessions * drop", "users email email", "users phone null" }));
    }

    [TestCase("rout: {}", "4:19 services.app.x-basmalin.rout: unknown key 'rout' (did you mean 'route'?)")]
    [TestCase("x-y: {}", "4:19 services.app.x-basmalin.x-y: unknown key 'x-y' (known keys: route, gate, probe, smoke, migrate, migrate_timeout, shift, drain, bake, warm, stateful, backup, recycle)")]
    [TestCase("gate: { htpp: /, running: true }", "4:27 services.app.x-basmalin.gate.htpp: unknown key 'htpp' (did you mean 'http'?)")]
    [TestCase("gate: { http: /, tcp: 1, port: 1 }", "4:25 services.app.x-basmalin.gate: expected exactly one kind of probe, found http, tcp (e.g. { http: /health, expect: 200 })")]
    [TestCase("gate: { interval: 1s }", "4:25 services.app.x-basmalin.gate: expected one of http, tcp, exec, docker, running (e.g. { http: /health, expect: 200 })")]
    [TestCase("gate: { http: health, port: 1 }", "4:33 services.app.x-basmalin.gate.http: expected a path that starts with '/', e.g. /health, found 'health'")]
    [TestCase("gate: { http: \"http://x/\", port: 1 }", "4:33 services.app.x-basmalin.gate.http: expected a path that starts with '/', e.g. /health, found 'http://x/' (only the path: each replica is asked itself; 'host' sets the Host header)")]
    [TestCase("gate: { tcp: 1, expect: 200 }", "4:43 services.app.x-basmalin.gate.expect: this goes with http only, not with tcp")]
    [TestCase("gate: { docker: false }", "4:35 services.app.x-basmalin.gate.docker: expected true; leave the key out to choose another kind of probe")]
    [TestCase("gate: { http: /, port: 1, expect: 99 }", "4:53 services.app.x-basmalin.gate.expect: expected a status, a range or a list of them: 200, 200-299, [200, 204], found '99' (statuses run from 100 to 599)")]
    [TestCase("gate: { http: /, port: 1, expect: [] }", "4:53 services.app.x-basmalin.gate.expect: expected a status, a range or a list of them: 200, 200-299, [200, 204], found a list")]
    [TestCase("gate: { http: /, port: 1, json: { field: a } }", "4:51 services.app.x-basmalin.gate.json: expected both 'field' and 'equals' (json: { field: status, equals: healthy })")]
    [TestCase("gate: { running: true, successes: 0 }", "4:53 services.app.x-basmalin.gate.successes: expected a whole number from 1 to 100, found '0'")]
    [TestCase("gate: { running: true, successes: 5, interval: 20s }", "4:25 services.app.x-basmalin.gate: no container can pass: 5 successes every 20s and 5s of stability take 1m25s, the deadline is 1m (raise deadline, or lower successes, interval or stable)")]
    [TestCase("gate: { exec: [] }", "4:33 services.app.x-basmalin.gate.exec: the command is empty")]
    [TestCase("migrate: []", "4:28 services.app.x-basmalin.migrate: the command is empty (leave 'migrate' out when there is nothing to migrate)")]
    [TestCase("migrate_timeout: 0s, migrate: x", "4:36 services.app.x-basmalin.migrate_timeout: expected at least 1s, found '0s'")]
    [TestCase("shift: { steps: [10%, 100%], sticky: yes }", "4:56 services.app.x-basmalin.shift.sticky: expected a way to keep clients: cookie, hash, none, found 'yes'")]
    [TestCase("probe: { every: 2h }", "4:35 services.app.x-basmalin.probe.every: expected at most 1h, found '2h'")]
    [TestCase("probe: { failures: 0 }", "4:38 services.app.x-basmalin.probe.failures: expected a whole number from 1 to 100, found '0'")]
    [TestCase("route: { hosts: [a.example], sticky: { cookie: \"a b\" } }", "4:66 services.app.x-basmalin.route.sticky.cookie: expected a cookie's name: letters, digits, '-' and '_', found 'a b' (at most 64 of them)")]
    [TestCase("shift: { dwell: 1s }", "4:26 services.app.x-basmalin.shift: 'steps' is missing (e.g. [10%, 50%, 100%])")]
    [TestCase("shift: { steps: [50%, 10%, 100%] }", "4:41 services.app.x-basmalin.shift.steps[1]: steps must rise, from above 0% (e.g. [10%, 50%, 100%])")]
    [TestCase("shift: { steps: [10%] }", "4:35 services.app.x-basmalin.shift.steps: the last step must be 100%")]
    [TestCase("drain: { htpp: 1s }", "4:28 services.app.x-basmalin.drain.htpp: unknown key 'htpp' (did you mean 'http'?)")]
    [TestCase("drain: { http: 25h }", "4:34 services.app.x-basmalin.drain.http: expected at most 24h, found '25h'")]
    [TestCase("bake: { max_error_ratio: 2 }", "4:44 services.app.x-basmalin.bake.max_error_ratio: expected a share from 0 to 1, or from 0% to 100%, found '2'")]
    [TestCase("bake: { max_p95_ratio: 0 }", "4:42 services.app.x-basmalin.bake.max_p95_ratio: expected a factor above 0, e.g. 2.0, found '0'")]
    [TestCase("warm: forever", "4:25 services.app.x-basmalin.warm: expected a duration such as 500ms, 10s or 1m30s, found 'forever'")]
    [TestCase("backup: { every: \"0 1 * * *\" }", "4:27 services.app.x-basmalin.backup: 'kind' is missing (postgres, redis or volume)")]
    [TestCase("backup: { kind: postgre }", "4:35 services.app.x-basmalin.backup.kind: expected a kind: postgres, redis, volume, found 'postgre' (did you mean 'postgres'?)")]
    [TestCase("backup: { kind: redis, wal: true }", "4:47 services.app.x-basmalin.backup.wal: 'wal' does not go with kind redis (only PostgreSQL has a write-ahead log to archive)")]
    [TestCase("backup: { kind: postgres, stream: yes }", "4:53 services.app.x-basmalin.backup.stream: 'stream' does not go with kind postgres (it is Redis's stream of commands; for PostgreSQL say 'wal')")]
    [TestCase("backup: { kind: redis, export: { users: id } }", "4:50 services.app.x-basmalin.backup.export: 'export' does not go with kind redis (one person's rows are taken out of a dump of PostgreSQL)")]
    [TestCase("backup: { kind: postgres, anonymise: { users: { email: mail } } }", "4:74 services.app.x-basmalin.backup.anonymise.users.email: expected what becomes of the column: null, empty, zero, hash, name, email, year, found 'mail' (did you mean 'email'?)")]
    [TestCase("backup: { kind: postgres, anonymise: { users: kept } }", "4:65 services.app.x-basmalin.backup.anonymise.users: expected what becomes of the table, or its columns: keep, drop, found 'kept'")]
    [TestCase("backup: { kind: volume, dump: \"0 1 * * 0\" }", "4:49 services.app.x-basmalin.backup.dump: 'dump' does not go with kind volume (only PostgreSQL has a dump as a second format)")]
    [TestCase("backup: { kind: volume, user: a }", "4:49 services.app.x-basmalin.backup.user: 'user' does not go with kind volume (files are read without a login)")]
    [TestCase("backup: { kind: postgres, synchronous: true }", "4:58 services.app.x-basmalin.backup.synchronous: commits can wait for the daemon only where it receives the log (add wal: true)")]
    [TestCase("backup: { kind: postgres, wal: true, synchronous_patience: 5s }", "4:78 services.app.x-basmalin.backup.synchronous_patience: nothing waits without synchronous: true (remove it, or add synchronous: true)")]
    [TestCase("backup: { kind: postgres, wal: true, synchronous: true, synchronous_patience: 1h }", "4:97 services.app.x-basmalin.backup.synchronous_patience: expected at most 10m, found '1h'")]
    [TestCase("backup: { kind: redis, every: \"0 1 * * *\", zone: Europe/Lubljana }", "4:68 services.app.x-basmalin.backup.zone: expected a time zone by its IANA name, e.g. Europe/Ljubljana, found 'Europe/Lubljana' (did you mean 'Europe/Ljubljana'?)")]
    [TestCase("backup: { kind: redis, zone: UTC }", "4:48 services.app.x-basmalin.backup.zone: there is no schedule that it would be the zone of (add 'every', or remove it)")]
    [TestCase("backup: { kind: redis, password_secret: a/b }", "4:59 services.app.x-basmalin.backup.password_secret: expected the name of a stored secret: letters, digits, '.', '-' and '_', found 'a/b' (set its value with: basmalin secret set STACK NAME)")]
    [TestCase("backup: { kind: redis, evry: \"0 1 * * *\" }", "4:42 services.app.x-basmalin.backup.evry: unknown key 'evry' (did you mean 'every'?)")]
    [TestCase("backup: { kind: redis, every: \"0 25 * * *\" }", "4:49 services.app.x-basmalin.backup.every: expected five cron fields: minute hour day month weekday, e.g. \"0 1 * * *\": '25' is not a hour from 0 to 23")]
    [TestCase("backup: { kind: redis, keep: { dayly: 3 } }", "4:50 services.app.x-basmalin.backup.keep.dayly: unknown key 'dayly' (did you mean 'daily'?)")]
    [TestCase("backup: { kind: redis, keep: { within: 10m } }", "4:58 services.app.x-basmalin.backup.keep.within: expected at least 1h, found '10m'")]
    [TestCase("backup: { kind: redis, drill: weakly }", "4:49 services.app.x-basmalin.backup.drill: expected daily, weekly, monthly, or five cron fields, found 'weakly' (did you mean 'weekly'?)")]
    [TestCase("recycle: { memory: 1G, zone: UTC }", "4:48 services.app.x-basmalin.recycle.zone: there is no schedule that it would be the zone of (add 'at', or remove it)")]
    [TestCase("recycle: { at: \"0 2 * * *\", zone: Europe/Lubljana }", "4:53 services.app.x-basmalin.recycle.zone: expected a time zone by its IANA name, e.g. Europe/Ljubljana, found 'Europe/Lubljana' (did you mean 'Europe/Ljubljana'?)")]
    [TestCase("recycle: {}", "4:28 services.app.x-basmalin.recycle: expected 'memory', 'at', or both")]
    [TestCase("smoke: [ { get: /, head: / } ], route: { hosts: a, port: 1 }", "4:28 services.app.x-basmalin.smoke[0]: expected exactly one of get, post, head (e.g. { get: /, expect: 200 })")]
    [TestCase("smoke: [ { head: /, contains: x } ], route: { hosts: a, port: 1 }", "4:28 services.app.x-basmalin.smoke[0]: the answer to HEAD has no body to contain anything (use get)")]
    [TestCase("smoke: [ { get: x } ], route: { hosts: a, port: 1 }", "4:35 services.app.x-basmalin.smoke[0].get: expected a path that starts with '/', found 'x' (only the path: the request goes through the proxy to the candidate)")]
    [TestCase("smoke: [ { get: / } ]", "4:19 services.app.x-basmalin.smoke: smoke requests go through the proxy, and this service has no route (add a route, or use the gate)")]
    [TestCase("route: { hosts: [a, A], port: 1 }", "4:39 services.app.x-basmalin.route.hosts[1]: the host 'a' is named twice")]
    [TestCase("route: { hosts: a, port: 1, path: api }", "4:53 services.app.x-basmalin.route.path: expected a path that starts with '/', e.g. /api, found 'api' (a prefix on segment boundaries; no wildcard, no query)")]
    [TestCase("route: { hosts: a, port: 70000 }", "4:44 services.app.x-basmalin.route.port: expected a whole number from 1 to 65535, found '70000'")]
    [TestCase("route: { hosts: [], port: 1 }", "4:35 services.app.x-basmalin.route.hosts: the list of hosts is empty (hosts: [\"*\"] for any host, or leave the key out)")]
    [TestCase("route: { port: 1 }", "4:19 services.app.x-basmalin.route: nothing leads to this service: its route has no hosts and it publishes no port (hosts: [garden.example], hosts: [\"*\"] for any, or ports: [\"3000:3000\"])")]
    [TestCase("route: { hosts: a, port: 1, tls: maybe }", "4:52 services.app.x-basmalin.route.tls: expected where certificates come from: files, auto, off, found 'maybe'")]
    [TestCase("route: { hosts: a, port: 1, tls: atuo }", "4:52 services.app.x-basmalin.route.tls: expected where certificates come from: files, auto, off, found 'atuo' (did you mean 'auto'?)")]
    [TestCase("route: { hosts: a, port: 1, https: on }", "4:54 services.app.x-basmalin.route.https: expected what happens to plain HTTP: redirect, allow, found 'on'")]
    [TestCase("route: { hosts: \"*.a\", port: 1, tls: auto }", "4:56 services.app.x-basmalin.route.tls: '*.a' cannot have an automatic certificate: HTTP-01 and TLS-ALPN-01 prove exact names only (name the hosts, or 'tls: files' and a certificate for it)")]
    [TestCase("route: { hosts: 192.0.2.1, port: 1, tls: auto }", "4:60 services.app.x-basmalin.route.tls: '192.0.2.1' cannot have an automatic certificate: it is an address and not a name ('tls: files' and a certificate for it)")]
    [TestCase("route: { hosts: a, port: 1, tls: off, https: redirect }", "4:64 services.app.x-basmalin.route.https: requests would be redirected to HTTPS, which 'tls: off' says there is none of (leave one of the two out)")]
    [TestCase("route: { hosts: a, port: 1, redirect_hosts: \"*.a\" }", "4:63 services.app.x-basmalin.route.redirect_hosts: '*.a' is not one name: only exact names can be redirected (www.garden.example)")]
    [TestCase("route: { hosts: a, port: 1, redirect_hosts: a }", "4:63 services.app.x-basmalin.route.redirect_hosts: 'a' is one of the route's own hosts (it is either served or redirected: name it in one of the two)")]
    [TestCase("route: { hosts: \"*\", port: 1, redirect_hosts: b }", "4:65 services.app.x-basmalin.route.redirect_hosts: there is nowhere to redirect to: the first of route.hosts must be an exact name (hosts: [garden.example])")]
    [TestCase("route: { hosts: a, port: 1, redirect_host: b }", "4:47 services.app.x-basmalin.route.redirect_host: unknown key 'redirect_host' (did you mean 'redirect_hosts'?)")]
    [TestCase("route: { hosts: a, port: 1 }, stateful: true", "4:49 services.app.x-basmalin.stateful: a service with a route cannot be stateful (remove one: a routed service runs twice while it is replaced, a stateful one never)")]
    public void A_wrong_extension_is_reported_at_its_place(string extension, string expected) =>
        Assert.That(Compose.Errors(Compose.ReadApp($"x-basmalin: {{ {extension} }}")), Is.EqualTo(new[] { expected }));

    [Test]
    public void The_extension_in_the_wrong_place_is_an_error_and_a_misspelt_one_is_noted()
    {
        var result = Compose.Read("x-basmalin: {}\nservices:\n  app:\n    image: x\n    x-basmalim: {}\n    deploy: { x-basmalin: {} }\n");

        Assert.That(Compose.Errors(result), Is.EqualTo(new[]
        {
            "1:1 x-basmalin: x-basmalin has no meaning here (it belongs to a service: services.NAME.x-basmalin)",
            "6:15 services.app.deploy.x-basmalin: x-basmalin has no meaning here (it belongs to a service: services.NAME.x-basmalin)",
        }));
        Assert.That(Compose.Notes(result), Is.EqualTo(new[] { "5:5 services.app.x-basmalim: keys that start with x- are left alone (did you mean 'x-basmalin'?)" }));
    }

    [Test]
    public void Keys_without_effect_on_a_stateful_service_or_a_worker_are_noted()
    {
        var stateful = Compose.Notes(Compose.ReadApp("x-basmalin: { stateful: true, drain: {}, warm: 1s, bake: {} }"));
        var worker = Compose.Notes(Compose.ReadApp("x-basmalin: { drain: {}, warm: 1s, bake: {} }"));

        Assert.That(stateful, Is.EqualTo(new[]
        {
            "4:35 services.app.x-basmalin.drain: drain has no effect: the service is stateful and replaced in place",
            "4:46 services.app.x-basmalin.warm: warm has no effect: the service is stateful and replaced in place",
            "4:56 services.app.x-basmalin.bake: bake has no effect: the service is stateful and replaced in place",
        }));
        Assert.That(worker, Is.EqualTo(new[] { "4:19 services.app.x-basmalin.drain: drain has no effect: the service has no route and so no traffic" }));
    }

    [Test]
    public void The_gate_of_a_worker_takes_its_only_port_or_asks_which()
    {
        Assert.That(Compose.App("expose: [ 9000 ]\nx-basmalin: { gate: { http: / } }").BasMalin!.Gate!.Port, Is.EqualTo(9000));
        Assert.That(Compose.App("x-basmalin: { gate: { http: / } }").BasMalin!.Gate!.Port, Is.EqualTo(0), "the image may name it");
        Assert.That(Compose.Errors(Compose.ReadApp("expose: [ 1, 2 ]\nx-basmalin: { gate: { http: / } }")), Is.EqualTo(new[]
        {
            "5:19 services.app.x-basmalin.gate: the container has several ports (1, 2): which one is meant? (port: 1)",
        }));
    }
}
