using System.Text;
using Microsoft.Extensions.Time.Testing;
using Orchestrator.Docker;

namespace Orchestrator.Tests.Docker;

/// <summary>Not parallel with itself: a helper is found by the process's PATH.</summary>
[NonParallelizable]
public sealed class RegistryCredentialsTests
{
    private readonly string? _path = Environment.GetEnvironmentVariable("PATH");
    private DirectoryInfo _directory = null!;

    [SetUp]
    public void Make()
    {
        _directory = Directory.CreateTempSubdirectory("basmalin-credentials-");
        Environment.SetEnvironmentVariable("PATH", $"{_directory.FullName}:{_path}");
    }

    [TearDown]
    public void Clean()
    {
        Environment.SetEnvironmentVariable("PATH", _path);
        _directory.Delete(recursive: true);
    }

    [TestCase("registry.example:5000", "registry.example:5000")]
    [TestCase("https://registry.example/v2/", "registry.example")]
    [TestCase("https://index.docker.io/v1/", "docker.io")]
    public async Task A_login_is_found_by_its_registry(string key, string registry)
    {
        Config($$$"""{"auths":{"other":{},"{{{key}}}":{"auth":"{{{Base64("user:pass:word")}}}"}} }""");

        var found = await Credentials().FindAsync(registry, CancellationToken.None);

        Assert.That((found.Auth?.Username, found.Auth?.Password, found.Problem), Is.EqualTo(("user", "pass:word", (string?)null)));
    }

    [Test]
    public async Task A_token_is_a_login_too()
    {
        Config("""{"auths":{"a.example":{"identitytoken":"t0ken"}}}""");

        Assert.That((await Credentials().FindAsync("a.example", CancellationToken.None)).Auth?.IdentityToken, Is.EqualTo("t0ken"));
    }

    [Test]
    public async Task Without_a_file_or_an_entry_there_is_none_and_no_problem()
    {
        Assert.That(await Credentials().FindAsync("a.example", CancellationToken.None), Is.EqualTo(new RegistryCredentials.Found(null, null)));
        Config("""{"auths":{"b.example":{"auth":"x"}}}""");
        Assert.That(await Credentials().FindAsync("a.example", CancellationToken.None), Is.EqualTo(new RegistryCredentials.Found(null, null)));
    }

    [TestCase("{ not json", "could not be read")]
    [TestCase("""{"auths":{"a.example":{"auth":"%%%"}}}""", "not base64")]
    [TestCase("""{"auths":{"a.example":{"auth":"bm9jb2xvbg=="}}}""", "not base64 of user:password")]
    [TestCase("""{"auths":[]}""", "could not be read")]
    [TestCase("""{"credsStore":"../../evil"}""", "no name of a credential helper")]
    [TestCase("""{"credsStore":"absent-helper"}""", "docker-credential-absent-helper")]
    public async Task What_is_wrong_is_a_problem_and_not_an_exception(string config, string problem)
    {
        Config(config);

        var found = await Credentials().FindAsync("a.example", CancellationToken.None);

        Assert.That(found.Auth, Is.Null);
        Assert.That(found.Problem, Does.Contain(problem));
    }

    [Test]
    public async Task A_helper_is_asked_and_its_own_registry_comes_before_the_store()
    {
        await HelperAsync("own", """read server; echo "{\"ServerURL\":\"$server\",\"Username\":\"own-$1\",\"Secret\":\"$server\"}" """);
        await HelperAsync("all", """echo '{"Username":"<token>","Secret":"t0ken"}'""");
        Config("""{"credsStore":"all","credHelpers":{"a.example":"own"}}""");

        var own = (await Credentials().FindAsync("a.example", CancellationToken.None)).Auth;
        var other = (await Credentials().FindAsync("b.example", CancellationToken.None)).Auth;

        Assert.That((own?.Username, own?.Password), Is.EqualTo(("own-get", "a.example")));
        Assert.That(other?.IdentityToken, Is.EqualTo("t0ken"));
    }

    [Test]
    public async Task A_helper_that_has_nothing_gives_way_to_the_file()
    {
        await HelperAsync("empty", "echo 'credentials not found in native keychain'; exit 1");
        Config($$$"""{"credsStore":"empty","auths":{"a.example":{"auth":"{{{Base64("u:p")}}}"}} }""");

        Assert.That((await Credentials().FindAsync("a.example", CancellationToken.None)).Auth?.Username, Is.EqualTo("u"));
        Assert.That(await Credentials().FindAsync("b.example", CancellationToken.None), Is.EqualTo(new RegistryCredentials.Found(null, null)));
    }

    [Test]
    public async Task A_helper_that_breaks_says_how_and_never_what_it_wrote()
    {
        await HelperAsync("broken", "echo topsecret; exit 3");
        await HelperAsync("prose", "echo topsecret");
        Config("""{"credHelpers":{"a.example":"broken","b.example":"prose"}}""");

        var broken = await Credentials().FindAsync("a.example", CancellationToken.None);
        var prose = await Credentials().FindAsync("b.example", CancellationToken.None);

        Assert.That(broken.Problem, Does.Contain("exited with 3").And.Not.Contain("topsecret"));
        Assert.That(prose.Problem, Does.Contain("did not answer with JSON").And.Not.Contain("topsecret"));
    }

    [Test]
    public async Task A_helper_that_hangs_is_ended()
    {
        await HelperAsync("slow", "exec sleep 600");
        Config("""{"credsStore":"slow"}""");
        var time = new FakeTimeProvider();
        var finding = Credentials(time).FindAsync("a.example", CancellationToken.None);

        while (!finding.IsCompleted)
        {
            time.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }

        Assert.That((await finding).Problem, Does.Contain("no answer"));
    }

    [Test]
    public async Task A_build_gets_every_login()
    {
        await HelperAsync("own", """echo '{"Username":"h","Secret":"s"}'""");
        Config($$$"""{"auths":{"a.example":{"auth":"{{{Base64("u:p")}}}"},"b.example":{}},"credHelpers":{"c.example":"own"}}""");

        var (known, problem) = await Credentials().AllAsync(CancellationToken.None);

        Assert.That(known.ToDictionary(entry => entry.Key, entry => entry.Value.Username), Is.EquivalentTo(new Dictionary<string, string> { ["a.example"] = "u", ["c.example"] = "h" }));
        Assert.That(problem, Is.Null);
    }

    private static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));

    private RegistryCredentials Credentials(TimeProvider? time = null)
    {
        var options = new DockerEngineOptions { Endpoint = new Uri("unix:///nowhere"), CredentialsDirectory = _directory.FullName };
        return new RegistryCredentials(options, new CredentialHelper(options.CredentialHelperTimeout, time ?? TimeProvider.System));
    }

    private void Config(string json) => File.WriteAllText(Path.Combine(_directory.FullName, "config.json"), json);

    private async Task HelperAsync(string name, string script)
    {
        var path = Path.Combine(_directory.FullName, $"docker-credential-{name}");
        File.WriteAllText(path, $"#!/bin/sh\n{script}\n");
        await Command.RunAsync("chmod", "700", path);
    }
}
