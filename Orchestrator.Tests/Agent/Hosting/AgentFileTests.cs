using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using Orchestrator.Agent.Hosting;
using Orchestrator.Tests.Architecture;

namespace Orchestrator.Tests.Agent.Hosting;

public sealed class AgentFileTests
{
    private static readonly ImmutableSortedDictionary<string, string> NoEnvironment = ImmutableSortedDictionary<string, string>.Empty;
    private string _directory = "";

    [SetUp]
    public void MakeDirectory() => _directory = Directory.CreateTempSubdirectory("basmalin-settings-").FullName;

    [TearDown]
    public void RemoveDirectory() => Directory.Delete(_directory, recursive: true);

    [Test]
    public void The_documented_file_says_exactly_the_defaults()
    {
        var documented = AgentFile.Load(Repository.PathOf("config", "agent.yml"), NoEnvironment);

        Assert.That(documented.Problems, Is.Empty);
        AssertSame(documented.Options!, new AgentOptions());
    }

    [Test]
    public void Every_setting_is_documented()
    {
        var text = File.ReadAllText(Repository.PathOf("config", "agent.yml"));

        foreach (var key in KeysOf(typeof(AgentOptions)))
            Assert.That(text, Does.Match($@"(?m)(^\s*|\{{ |, ){key}:"), $"{key} is not in config/agent.yml");
    }

    [Test]
    public void A_missing_default_file_means_the_defaults_but_a_named_one_must_exist()
    {
        var named = AgentFile.Load(Path.Combine(_directory, "nowhere.yml"), NoEnvironment);

        Assert.That(named.Options, Is.Null);
        Assert.That(named.Problems.Single(), Does.EndWith("nowhere.yml: there is no such file"));
        if (!File.Exists(AgentFile.DefaultPath)) AssertSame(AgentFile.Load(null, NoEnvironment).Options!, new AgentOptions());
    }

    [Test]
    public void Every_problem_is_reported_at_once_with_its_line()
    {
        var file = Write("""
            data: relative/path
            edge:
              http: ["0.0.0.0:80", "nonsense"]
              https: ["0.0.0.0:443"]
            admin: { listen: "127.0.0.1:99999" }
            store: { kind: postgres }
            log:
              levle: debug
              levels: { Orchestrator.Traffic: loud }
            limits: { hold_for: 5 }
            retention: { releases: 0 }
            """);

        var settings = AgentFile.Load(file, NoEnvironment);

        Assert.That(settings.Options, Is.Null);
        Assert.That(settings.Problems, Is.EquivalentTo(new[]
        {
            $"{file}:1:7: data: found 'relative/path', expected an absolute path",
            $"{file}:3:24: edge.http[1]: found 'nonsense', expected ADDRESS:PORT, e.g. 0.0.0.0:80, [::1]:9180 or *:80",
            $"{file}:4:10: edge.https: nothing to prove itself with: set edge.certificates or edge.acme",
            $"{file}:5:18: admin.listen: found '127.0.0.1:99999', expected ADDRESS:PORT, e.g. 0.0.0.0:80, [::1]:9180 or *:80, or none",
            $"{file}:6:16: store.kind: this version keeps its journal in SQLite only; write sqlite, or leave it out",
            $"{file}:8:3: log.levle: unknown setting; did you mean 'level'?",
            $"{file}:9:35: log.levels.Orchestrator.Traffic: found 'loud', expected trace, debug, information, warning, error, critical or none",
            $"{file}:10:21: limits.hold_for: found '5', expected a duration from 0s to 10m",
            $"{file}:11:24: retention.releases: found '0', expected a number from 1 to 100",
        }));
    }

    [TestCase("data: [a, b]", ":1:7: data: found a list, expected an absolute path")]
    [TestCase("edge: 80", ":1:7: edge: found '80', expected a mapping")]
    [TestCase("frobnicate: 1", ":1:1: frobnicate: unknown setting; known here: data, stacks, edge, admin, docker, store, log, limits, retention, preflight, backups, healing, freeze, notify")]
    [TestCase("data: /a\ndata: /b", ":2:1: data: is set twice; first at {0}:1:1")]
    [TestCase("- a\n- b", ":1:1: expected a mapping of settings")]
    [TestCase("data: /a\n---\ndata: /b", ":2:1: a second document starts here: the settings are one document")]
    [TestCase("notify: [{ secret_file: /nowhere/at/all }]", ":1:10: notify[0].url: is missing: where the notification goes")]
    [TestCase("freeze: [{ from: '10:00', to: '10:00' }]", ":1:31: freeze[0].to: the window is empty; leave from and to out for the whole day")]
    [TestCase("edge: { certificates: /nowhere/at/all }", ":1:23: edge.certificates: there is no directory /nowhere/at/all")]
    [TestCase("edge: { certificates: /tmp }", ":1:23: edge.certificates: has no meaning without edge.https")]
    [TestCase("edge: { https_port: 443 }", ":1:21: edge.https_port: has no meaning without edge.https")]
    [TestCase("edge: { https_port: 0 }", ":1:21: edge.https_port: found '0', expected a port from 1 to 65535")]
    [TestCase("edge: { https: [443] }", ":1:17: edge.https[0]: found '443', expected ADDRESS:PORT, e.g. 0.0.0.0:80, [::1]:9180 or *:80")]
    [TestCase("edge: { acme: { directory: https://ca.example/dir, terms_agreed: true } }", ":1:15: edge.acme: has no meaning without edge.https")]
    [TestCase("edge: { acme: { directory: http://ca.example/dir } }", ":1:28: edge.acme.directory: found 'http://ca.example/dir', expected an address that begins with https://")]
    [TestCase("edge: { acme: { directory: https://ca.example/dir } }", ":1:15: edge.acme.terms_agreed: must be true: read the authority's terms of service and agree to them first")]
    [TestCase("edge: { acme: { email: nobody } }", ":1:24: edge.acme.email: found 'nobody', expected an address such as ops@garden.example")]
    [TestCase("edge: { acme: { email: a@b.example } }", ":1:15: edge.acme.directory: is missing: which authority is meant?")]
    [TestCase("edge: { acme: { root: /nowhere/at/all, directory: https://ca.example/ } }", ":1:23: edge.acme.root: /nowhere/at/all: there is no such file")]
    [TestCase("edge: { acme: { root: /etc/hostname, directory: https://ca.example/ } }", ":1:23: edge.acme.root: /etc/hostname: there is no certificate in PEM in it")]
    [TestCase("edge: { acme: { eab: { kid: a } } }", ":1:22: edge.acme.eab.key_file: is missing: the authority gives the key out with its name")]
    [TestCase("edge: { acme: { eab: { kid: a, key_file: /etc/passwd } } }", ":1:42: edge.acme.eab.key_file: /etc/passwd: expected a file with a key in base64url")]
    [TestCase("edge: { acme: { direcotry: https://ca.example/ } }", ":1:17: edge.acme.direcotry: unknown setting; did you mean 'directory'?")]
    [TestCase("edge: { certificate: /tmp }", ":1:9: edge.certificate: unknown setting; did you mean 'certificates'?")]
    [TestCase("stacks: /nowhere/at/all", ":1:9: stacks: there is no directory /nowhere/at/all")]
    public void A_wrong_setting_says_where_and_what(string content, string problem)
    {
        var file = Write(content);

        Assert.That(AgentFile.Load(file, NoEnvironment).Problems, Has.Some.EqualTo(file + problem.Replace("{0}", file, StringComparison.Ordinal)));
    }

    [TestCase("data: {")]
    [TestCase("data: &a /x\nstacks: *a")]
    [TestCase("admin:\n\tlisten: none")]
    public void What_is_not_plain_yaml_is_a_problem_and_no_crash(string content) =>
        Assert.That(AgentFile.Load(Write(content), NoEnvironment).Problems, Is.Not.Empty);

    [Test]
    public void The_environment_wins_over_the_file_in_any_spelling()
    {
        var file = Write("admin: { listen: 127.0.0.1:1 }\npreflight: { disk_floor: 5% }\nedge: { http: [127.0.0.1:80, 127.0.0.1:81] }");
        var environment = NoEnvironment
            .Add("BASMALIN__Admin__Listen", "127.0.0.1:2")
            .Add("BASMALIN__PREFLIGHT__DISKFLOOR", "1GiB")
            .Add("BASMALIN__Edge__Http__0", "127.0.0.1:8080")
            .Add("BASMALIN__Log__Levels__Orchestrator.Traffic", "Debug")
            .Add("BASMALIN__Data", "/data")
            .Add("BASMALIN_URL", "http://is-for-the-client");

        var options = AgentFile.Load(file, environment).Options!;

        Assert.Multiple(() =>
        {
            Assert.That(options.Admin.Listen, Is.EqualTo(new ListenAddress("127.0.0.1", 2)));
            Assert.That(options.Preflight.DiskFloor, Is.EqualTo(new DiskFloor(0, 1L << 30)));
            Assert.That(options.Edge.Http, Is.EqualTo(new[] { new ListenAddress("127.0.0.1", 8080), new ListenAddress("127.0.0.1", 81) }));
            Assert.That(options.Log.Levels, Is.EqualTo(new Dictionary<string, LogLevel> { ["Orchestrator.Traffic"] = LogLevel.Debug }));
            Assert.That(options.Data, Is.EqualTo("/data"));
        });
    }

    [Test]
    public void A_wrong_variable_is_named()
    {
        var environment = NoEnvironment.Add("BASMALIN__Edgee__Http", "127.0.0.1:80").Add("BASMALIN__Retention__Releases", "many");

        Assert.That(AgentFile.Load(Write(""), environment).Problems, Is.EquivalentTo(new[]
        {
            "BASMALIN__Edgee__Http: Edgee: unknown setting; did you mean 'edge'?",
            "BASMALIN__Retention__Releases: retention.releases: found 'many', expected a number from 1 to 100",
        }));
    }

    [TestCase("0.0.0.0:80", "0.0.0.0", 80)]
    [TestCase("[::1]:9180", "[::1]", 9180)]
    [TestCase("*:8080", "*", 8080)]
    [TestCase("localhost:1", "127.0.0.1", 1)]
    public void An_address_to_listen_on_is_read(string text, string address, int port)
    {
        Assert.That(ListenAddress.TryParse(text, out var parsed), Is.True);
        Assert.That(parsed, Is.EqualTo(new ListenAddress(address, port)));
        Assert.That(parsed!.ToEndPoint().Port, Is.EqualTo(port));
    }

    [TestCase(":80")]
    [TestCase("80")]
    [TestCase("::1:80")]
    [TestCase("1:80")]
    [TestCase("example.org:80")]
    [TestCase("127.0.0.1:-1")]
    [TestCase("127.0.0.1:65536")]
    [TestCase("127.0.0.1:")]
    public void What_is_no_address_is_refused(string text) => Assert.That(ListenAddress.TryParse(text, out _), Is.False);

    private static IEnumerable<string> KeysOf(Type type)
    {
        foreach (var property in type.GetProperties().Where(property => property.CanWrite))
        {
            yield return string.Concat(property.Name.Select((letter, index) => char.IsUpper(letter) ? (index > 0 ? "_" : "") + char.ToLowerInvariant(letter) : $"{letter}"));
            var inner = property.PropertyType.IsGenericType ? property.PropertyType.GetGenericArguments()[0] : property.PropertyType;
            if (!inner.Name.EndsWith("Options", StringComparison.Ordinal)) continue;

            foreach (var key in KeysOf(inner)) yield return key;
        }
    }

    /// <summary>Arrays break the equality of records, so the text of the whole tree is compared.</summary>
    private static void AssertSame(AgentOptions found, AgentOptions expected) => Assert.That(Text(found), Is.EqualTo(Text(expected)));

    private static string Text(AgentOptions options) => System.Text.Json.JsonSerializer.Serialize(options);

    private string Write(string content)
    {
        var file = Path.Combine(_directory, "agent.yml");
        File.WriteAllText(file, content);
        return file;
    }
}
