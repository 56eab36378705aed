using System.Collections.Immutable;
using System.Text.Json.Nodes;

namespace Orchestrator.Tests.Agent.Cli;

/// <summary>What needs no daemon.</summary>
public sealed class CommandLineTests
{
    private static readonly ImmutableSortedDictionary<string, string> NoEnvironment = ImmutableSortedDictionary<string, string>.Empty;
    private string _directory = "";

    [SetUp]
    public void MakeDirectory() => _directory = Directory.CreateTempSubdirectory("basmalin-cli-").FullName;

    [TearDown]
    public void RemoveDirectory() => Directory.Delete(_directory, recursive: true);

    [TestCase]
    [TestCase("frobnicate")]
    [TestCase("deploy")]
    [TestCase("deploy", "garden", "--frobnicate")]
    [TestCase("deploy", "garden", "--image", "app")]
    [TestCase("deploy", "garden", "--image", "=x")]
    [TestCase("rollback", "garden", "--to", "x")]
    [TestCase("cancel", "x")]
    [TestCase("maintenance", "garden", "maybe")]
    [TestCase("token", "create", "--scope", "root")]
    [TestCase("token", "create", "--expires", "soon")]
    [TestCase("--url", "nonsense", "status")]
    [TestCase("--url", "http://localhost:1", "status")]
    [TestCase("agent", "--config", "/nowhere/at/all.yml")]
    [TestCase("apply", "/nowhere/at/all.yml")]
    [TestCase("config", "check", "/nowhere/at/all.yml")]
    public async Task Wrong_usage_is_exit_code_2_with_words_on_standard_error_only(params string[] arguments)
    {
        var result = await CliResult.OfAsync(arguments);

        Assert.That(result.ExitCode, Is.EqualTo(2), result.Error);
        Assert.That(result.Error, Is.Not.Empty);
        Assert.That(result.Out, Is.Empty);
    }

    [TestCase("status")]
    [TestCase("apply", "FILE")]
    [TestCase("plan", "FILE")]
    [TestCase("deploy", "garden")]
    [TestCase("doctor")]
    public async Task Without_a_daemon_it_says_so_and_what_to_do(params string[] arguments)
    {
        var file = Write("name: garden\nservices: { app: { image: x } }");
        var result = await CliResult.OfAsync(["--socket", Path.Combine(_directory, "none.sock"), .. arguments.Select(word => word == "FILE" ? file : word)]);

        Assert.That(result.ExitCode, Is.EqualTo(1));
        Assert.That(result.Error, Does.Contain("no daemon answers at").And.Contain("hint:"));
    }

    [TestCase("status", "--json")]
    [TestCase("deploy", "garden", "--json")]
    [TestCase("config", "check", "FILE", "--json")]
    [TestCase("apply", "FILE", "--json")]
    [TestCase("version", "--json")]
    public async Task With_json_there_is_json_on_standard_output_also_when_it_fails(params string[] arguments)
    {
        var file = Write("services: { app: { imgae: x } }");
        var result = await CliResult.OfAsync(["--socket", Path.Combine(_directory, "none.sock"), .. arguments.Select(word => word == "FILE" ? file : word)]);

        Assert.That(result.Json, Is.InstanceOf<JsonObject>());
    }

    [Test]
    public async Task A_good_file_is_checked_without_a_daemon()
    {
        var result = await CliResult.OfAsync("config", "check", Write("name: garden\nservices: { app: { image: x } }"));

        Assert.That((result.ExitCode, result.Out), Is.EqualTo((0, "compose.yml: stack garden, 1 service, no errors\n")));
    }

    [Test]
    public async Task A_bad_file_shows_every_problem_with_its_place()
    {
        var file = Write("name: garden\nservices:\n  app:\n    imgae: x\n    image: y\n    prots: []\n");

        var people = await CliResult.OfAsync("config", "check", file);
        var scripts = await CliResult.OfAsync("config", "check", file, "--json");

        Assert.That(people.ExitCode, Is.EqualTo(2));
        Assert.That(people.Error, Does.Contain("compose.yml:4:5: error: services.app.imgae").And.Contain("compose.yml:6:5: error: services.app.prots"));
        Assert.That(scripts.ExitCode, Is.EqualTo(2));
        Assert.That(scripts.Error, Is.Empty);
        Assert.That(scripts.Json["ok"]!.GetValue<bool>(), Is.False);
        Assert.That(scripts.Json["findings"]!.AsArray().Select(finding => finding!["line"]!.GetValue<int>()), Is.EqualTo(new[] { 4, 6 }));
    }

    [Test]
    public async Task Standard_input_is_a_file_too()
    {
        var result = await CliResult.OfAsync("name: piped\nservices: { app: { image: x } }", NoEnvironment, "config", "check", "-");

        Assert.That((result.ExitCode, result.Out), Is.EqualTo((0, "standard input: stack piped, 1 service, no errors\n")));
    }

    [Test]
    public async Task Variables_come_from_the_environment_of_the_one_who_calls()
    {
        var file = Write("name: garden\nservices: { app: { image: \"app:${TAG:?must be set}\" } }");

        var without = await CliResult.OfAsync("config", "check", file);
        var with = await CliResult.OfAsync("", NoEnvironment.Add("TAG", "1"), "config", "check", file);

        Assert.That(without.ExitCode, Is.EqualTo(2));
        Assert.That(without.Error, Does.Contain("must be set"));
        Assert.That(with.ExitCode, Is.Zero, with.Error);
    }

    [Test]
    public async Task Every_verb_of_the_contract_is_there()
    {
        var help = (await CliResult.OfAsync("--help")).Out;

        foreach (var verb in new[] { "agent", "apply", "plan", "deploy", "rollback", "status", "history", "logs", "cancel", "token", "secret", "webhook", "maintenance", "pause", "resume", "heal", "doctor", "config", "version" })
            Assert.That(help, Does.Match($@"(?m)^  {verb}\b"), verb);
    }

    [TestCase("deploy", "--version")]
    [TestCase("deploy", "--force")]
    [TestCase("apply", "--detach")]
    [TestCase("rollback", "--to")]
    [TestCase("logs", "--follow")]
    public async Task Options_are_documented(string verb, string option) => Assert.That((await CliResult.OfAsync(verb, "--help")).Out, Does.Contain(option));

    private string Write(string content)
    {
        var file = Path.Combine(_directory, "compose.yml");
        File.WriteAllText(file, content);
        return file;
    }
}
