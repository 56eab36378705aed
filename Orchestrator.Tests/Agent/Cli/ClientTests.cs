using System.Collections.Immutable;
using System.Net.Http.Json;
using System.Text.Json.Nodes;

namespace Orchestrator.Tests.Agent.Cli;

/// <summary>The command line against a running daemon, without a stack.</summary>
public sealed class ClientTests
{
    private RunningDaemon _daemon = null!;

    [OneTimeSetUp]
    public async Task StartAsync() => _daemon = await RunningDaemon.StartAsync();

    [OneTimeTearDown]
    public async Task StopAsync() => await _daemon.DisposeAsync();

    [Test]
    public async Task A_token_is_made_used_listed_and_revoked()
    {
        var created = await _daemon.RunAsync("token", "create", "ci", "--scope", "deploy", "--stack", "garden", "--expires", "90d", "--json");
        var token = created.Json["token"]!.GetValue<string>();
        var used = await CliResult.OfAsync("", Variables(token), "status", "--json");
        var listed = await _daemon.RunAsync("token", "list", "--json");
        var shown = await _daemon.RunAsync("token", "list");
        var revoked = await _daemon.RunAsync("token", "revoke", "ci");
        var refused = await CliResult.OfAsync("", Variables(token), "status");

        Assert.That(created.ExitCode, Is.Zero);
        Assert.That(created.Json["scope"]!.GetValue<string>(), Is.EqualTo("deploy"));
        Assert.That(used.Json, Is.InstanceOf<JsonArray>());
        Assert.That(listed.Json.AsArray().Single(one => one!["name"]!.GetValue<string>() == "ci")!["stack"]!.GetValue<string>(), Is.EqualTo("garden"));
        Assert.That(listed.Out + shown.Out, Does.Not.Contain(token), "a token is shown once");
        Assert.That(revoked.ExitCode, Is.Zero);
        Assert.That(refused.ExitCode, Is.EqualTo(1));
        Assert.That(refused.Error, Does.Contain("revoked").And.Contain("hint:"));
    }

    [Test]
    public async Task A_plain_token_create_gives_the_token_and_nothing_else_on_standard_output()
    {
        var created = await _daemon.RunAsync("token", "create");
        var works = await CliResult.OfAsync("", Variables(created.Out.Trim()), "doctor", "--json");

        Assert.That(created.Out, Does.Match(@"^bm_\S+\n$"));
        Assert.That(works.Json["checks"]!.AsArray(), Is.Not.Empty, works.Error);
    }

    [Test]
    public async Task A_secret_is_stored_from_standard_input_and_never_shown()
    {
        var set = await CliResult.OfAsync("s3cr3t-value\n", ImmutableSortedDictionary<string, string>.Empty, "--socket", _daemon.Options.Admin.Socket, "secret", "set", "garden", "DB_PASSWORD");
        var again = await CliResult.OfAsync("other", ImmutableSortedDictionary<string, string>.Empty, "--socket", _daemon.Options.Admin.Socket, "secret", "set", "garden", "DB_PASSWORD", "--json");
        var listed = await _daemon.RunAsync("secret", "list", "garden", "--json");
        var removed = await _daemon.RunAsync("secret", "remove", "garden", "DB_PASSWORD", "--json");
        var gone = await _daemon.RunAsync("secret", "remove", "garden", "DB_PASSWORD");
        var audit = await _daemon.Socket.GetStringAsync("/api/v1/audit?stack=garden");

        Assert.That(set.Out, Does.Contain("version 1"));
        Assert.That(again.Json["version"]!.GetValue<int>(), Is.EqualTo(2));
        Assert.That(listed.Json.AsArray(), Has.Count.EqualTo(2));
        Assert.That(removed.ExitCode, Is.Zero);
        Assert.That(gone.ExitCode, Is.EqualTo(1));
        Assert.That(audit, Does.Contain("secret.set: DB_PASSWORD, version 2"));
        foreach (var said in new[] { set.Out, again.Out, listed.Out, audit }) Assert.That(said, Does.Not.Contain("s3cr3t-value"));
    }

    [Test]
    public async Task A_webhook_is_shown_with_its_secret_once()
    {
        var first = await _daemon.RunAsync("webhook", "shop", "--branch", "main", "--image", "app=reg.example/shop:{commit}", "--json");
        var second = await _daemon.RunAsync("webhook", "shop", "--json");
        var rotated = await _daemon.RunAsync("webhook", "shop", "--rotate");

        Assert.That(first.Json["secret"]!.GetValue<string>(), Does.StartWith("whsec_"));
        Assert.That(first.Json["path"]!.GetValue<string>(), Is.EqualTo("/hooks/shop"));
        Assert.That(second.Json["secret"], Is.Null);
        Assert.That(second.Json["images"]!["app"]!.GetValue<string>(), Is.EqualTo("reg.example/shop:{commit}"));
        Assert.That(rotated.Out, Does.Contain("whsec_").And.Contain("--retire"));
    }

    [Test]
    public async Task A_file_with_problems_never_gets_to_the_daemon()
    {
        var file = Path.Combine(_daemon.Directory, "bad.yml");
        await File.WriteAllTextAsync(file, "name: bad\nservices: { app: { imgae: x } }");

        var result = await _daemon.RunAsync("apply", file);

        Assert.That(result.ExitCode, Is.EqualTo(2));
        Assert.That(result.Error, Does.Contain("bad.yml:2:").And.Contain("nothing was sent to the daemon"));
        Assert.That(await _daemon.Socket.GetFromJsonAsync<JsonArray>("/api/v1/deployments?stack=bad"), Is.Empty);
    }

    [Test]
    public async Task What_the_daemon_refuses_is_told_with_its_hint()
    {
        var result = await _daemon.RunAsync("rollback", "nowhere");

        Assert.That(result.ExitCode, Is.EqualTo(1));
        Assert.That(result.Error, Is.EqualTo("error: There is no stack nowhere\n  hint: see what there is with: basmalin status\n"));
    }

    [Test]
    public async Task Doctor_and_version_look_at_the_real_engine()
    {
        var doctor = await _daemon.RunAsync("doctor", "--json");
        var version = await _daemon.RunAsync("version", "--json");

        Assert.That(doctor.Json["checks"]!.AsArray().Single(check => check!["name"]!.GetValue<string>() == "engine")!["state"]!.GetValue<string>(), Is.EqualTo("ok"));
        Assert.That(version.Json["daemon"]!["engine"]!.GetValue<string>(), Is.Not.Empty);
        Assert.That(version.Json["client"]!.GetValue<string>(), Is.EqualTo(version.Json["daemon"]!["version"]!.GetValue<string>()));
    }

    private ImmutableSortedDictionary<string, string> Variables(string token) =>
        ImmutableSortedDictionary<string, string>.Empty.Add("BASMALIN_URL", _daemon.Admin.ToString()).Add("BASMALIN_TOKEN", token);
}
