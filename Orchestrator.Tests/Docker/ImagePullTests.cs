using System.Text;
using System.Text.Json;
using Orchestrator.Docker;
using Orchestrator.Resilience;

namespace Orchestrator.Tests.Docker;

public sealed class ImagePullTests
{
    private const string User = "gardener";
    private const string Password = "s3same-open";

    /// <summary>Both, as <c>htpasswd -B</c> writes them.</summary>
    private const string Htpasswd = "gardener:$2y$05$O/zAfB8KwBJMo9KqoyjdNedlr5r3qqXnTXr0RTCiDsvrwSqa002.e";

    private readonly List<string> _references = [];
    private Lab _lab = null!;
    private LocalRegistry _registry = null!;
    private DirectoryInfo _login = null!;

    private DockerEngine Engine => _lab.Engine;

    [OneTimeSetUp]
    public Task Install() => Command.EnsureAsync("/usr/bin/docker-registry", "docker-registry");

    [SetUp]
    public async Task Open()
    {
        _login = Directory.CreateTempSubdirectory("basmalin-login-");
        _lab = new Lab(
            new DockerEngineOptions { Endpoint = new Uri("unix:///var/run/docker.sock"), CredentialsDirectory = _login.FullName },
            new PipelineOptions { RegistryRetries = 2, RegistryRetryDelay = TimeSpan.FromMilliseconds(50) });
        _registry = await LocalRegistry.StartAsync();
    }

    [TearDown]
    public async Task Close()
    {
        foreach (var reference in _references) await Engine.RemoveImageAsync(reference, CancellationToken.None);
        _references.Clear();
        await _registry.DisposeAsync();
        await _lab.DisposeAsync();
        _login.Delete(recursive: true);
    }

    [Test]
    public async Task A_tag_is_pulled_to_the_digest_that_it_means_now()
    {
        var reference = await PushAsync("garden:1");
        var (lines, progress) = Listen();

        var first = await Engine.PullAsync(reference, null, progress, CancellationToken.None);
        var again = await Engine.PullAsync(reference, null, null, CancellationToken.None);

        Assert.Multiple(() =>
        {
            Assert.That(first.Reference, Is.EqualTo(reference));
            Assert.That(first.Digest, Does.Match($"^localhost:{_registry.Port}/garden@sha256:[0-9a-f]{{64}}$"));
            Assert.That(first.Id, Does.StartWith("sha256:"));
            Assert.That(first.Pinned, Is.EqualTo(first.Digest));
            Assert.That(first.ExposedPorts, Is.EqualTo((int[])[8080]));
            Assert.That(first.Size, Is.GreaterThan(1_000_000));
            Assert.That((again.Digest, again.Id), Is.EqualTo((first.Digest, first.Id)));
            Assert.That(lines, Has.Some.Contains("Pulling from garden").And.Some.StartsWith("Digest: sha256:"));
        });
    }

    [Test]
    public async Task A_tag_that_moved_means_the_new_content_and_the_old_digest_stays_reachable()
    {
        var reference = await PushAsync("moving:1");
        var old = await Engine.PullAsync(reference, null, null, CancellationToken.None);
        var changed = await Engine.CreateAsync(_lab.Request("change", null, "true"), CancellationToken.None);
        await Command.RunAsync("docker", "commit", "--change", "LABEL changed=1", changed.Value, reference);
        await Command.RunAsync("docker", "push", reference);

        var moved = await Engine.PullAsync(reference, null, null, CancellationToken.None);
        var byDigest = await Engine.PullAsync(old.Digest!, null, null, CancellationToken.None);
        _references.AddRange([old.Digest!, moved.Digest!]);

        Assert.That(moved.Digest, Is.Not.EqualTo(old.Digest));
        Assert.That((byDigest.Id, byDigest.Digest), Is.EqualTo((old.Id, old.Digest)));
        var id = await _lab.RunAsync(_lab.Request("pinned", null, "true") with { Image = old.Pinned });
        Assert.That((await Engine.InspectAsync(id, CancellationToken.None))!.ImageId, Is.EqualTo(old.Id));
    }

    [Test]
    public async Task A_tag_or_a_repository_that_is_not_there_is_an_image_not_found_and_asked_for_once()
    {
        var reference = await PushAsync("there:1");

        var tag = await Lab.FailureAsync(() => Engine.PullAsync($"{_registry.Host}/there:2", null, null, CancellationToken.None));
        var repository = await Lab.FailureAsync(() => Engine.PullAsync($"{_registry.Host}/nowhere:1", null, null, CancellationToken.None));

        Assert.That((tag.Fault, repository.Fault), Is.EqualTo((EngineFault.ImageNotFound, EngineFault.ImageNotFound)));
        Assert.That(tag.Message, Does.Contain($"Could not pull {_registry.Host}/there:2"));
        Assert.That(await _lab.MetricAsync("basmalin_resilience_retries_total", "registry"), Is.Zero);
        Assert.That(reference, Is.Not.Empty);
    }

    [Test]
    public async Task A_registry_that_is_down_is_unreachable_after_some_attempts()
    {
        await _registry.StopAsync();

        var thrown = await Lab.FailureAsync(() => Engine.PullAsync($"{_registry.Host}/garden:1", null, null, CancellationToken.None));

        Assert.That(thrown.Fault, Is.EqualTo(EngineFault.RegistryUnreachable));
        Assert.That(thrown.Message, Does.Contain("connection refused"));
        Assert.That(await _lab.MetricAsync("basmalin_resilience_retries_total", "registry"), Is.EqualTo(2));
    }

    [Test]
    public async Task What_is_no_reference_is_a_bad_request([Values("Garden:1", "", "a b")] string reference)
    {
        Assert.That((await Lab.FailureAsync(() => Engine.PullAsync(reference, null, null, CancellationToken.None))).Fault, Is.EqualTo(EngineFault.BadRequest));
    }

    [Test]
    public async Task A_guarded_registry_opens_to_the_users_login_and_to_nobody_else()
    {
        await using var guarded = await LocalRegistry.StartAsync(Htpasswd);
        var reference = $"{guarded.Host}/secret:1";
        _references.Add(reference);
        Login(guarded.Host, $"{User}:{Password}");
        await Command.RunAsync("docker", "tag", DockerSetUp.Image, reference);
        await Command.RunAsync("docker", "--config", _login.FullName, "push", reference);
        var welcome = await Engine.PullAsync(reference, null, null, CancellationToken.None);

        Login(guarded.Host, $"{User}:wrong-password");
        var wrong = await Lab.FailureAsync(() => Engine.PullAsync(reference, null, null, CancellationToken.None));
        File.Delete(Path.Combine(_login.FullName, "config.json"));
        var nobody = await Lab.FailureAsync(() => Engine.PullAsync(reference, null, null, CancellationToken.None));

        Assert.Multiple(() =>
        {
            Assert.That(welcome.Digest, Does.StartWith($"{guarded.Host}/secret@sha256:"));
            Assert.That((wrong.Fault, nobody.Fault), Is.EqualTo((EngineFault.RegistryDenied, EngineFault.RegistryDenied)));
            Assert.That(wrong.ToString(), Does.Contain($"as {User}").And.Not.Contain("wrong-password"));
            Assert.That(nobody.Message, Does.Contain($"no credentials for {guarded.Host}").And.Contain("docker login"));
        });
    }

    [Test]
    public async Task An_image_is_found_removed_once_and_then_gone()
    {
        var reference = await PushAsync("brief:1");
        var found = await Engine.FindImageAsync(reference, CancellationToken.None);
        var byId = await Engine.FindImageAsync(found!.Id, CancellationToken.None);

        Assert.That(found.Digest, Does.StartWith($"{_registry.Host}/brief@sha256:"));
        Assert.That(byId!.Id, Is.EqualTo(found.Id));
        Assert.That(await Engine.RemoveImageAsync(reference, CancellationToken.None), Is.True);
        Assert.That(await Engine.RemoveImageAsync(reference, CancellationToken.None), Is.False);
        Assert.That(await Engine.FindImageAsync(reference, CancellationToken.None), Is.Null);
        Assert.That(await Engine.FindImageAsync("no such image!", CancellationToken.None), Is.Null);
    }

    [Test]
    public async Task An_image_that_a_container_uses_stays()
    {
        var image = $"basmalin-test/{_lab.Stack}:used";
        await Command.RunAsync("docker", "commit", (await Engine.CreateAsync(_lab.Request("seed"), CancellationToken.None)).Value, image);
        var id = await _lab.RunAsync(_lab.Request("user") with { Image = image });

        Assert.That(await Engine.RemoveImageAsync((await Engine.FindImageAsync(image, CancellationToken.None))!.Id, CancellationToken.None), Is.False);

        await Engine.RemoveAsync(id, TimeSpan.Zero, CancellationToken.None);
        Assert.That(await Engine.RemoveImageAsync(image, CancellationToken.None), Is.True);
    }

    private static (List<string> Lines, IProgress<string> Progress) Listen()
    {
        var lines = new List<string>();
        return (lines, new Listener(lines));
    }

    private void Login(string host, string userAndPassword) => File.WriteAllText(
        Path.Combine(_login.FullName, "config.json"),
        JsonSerializer.Serialize(new { auths = new Dictionary<string, object> { [host] = new { auth = Convert.ToBase64String(Encoding.UTF8.GetBytes(userAndPassword)) } } }));

    private async Task<string> PushAsync(string name)
    {
        var reference = await _registry.PushAsync(DockerSetUp.Image, name);
        _references.Add(reference);
        return reference;
    }

    private sealed class Listener(List<string> lines) : IProgress<string>
    {
        public void Report(string value) => lines.Add(value);
    }
}
