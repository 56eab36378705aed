using Orchestrator.Docker;

namespace Orchestrator.Tests.Docker;

public sealed class ImageReferenceTests
{
    private const string Digest = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    [TestCase("postgres", "postgres", "docker.io", "latest")]
    [TestCase("postgres:16-alpine", "postgres", "docker.io", "16-alpine")]
    [TestCase("docker.io/library/postgres:16", "postgres", "docker.io", "16")]
    [TestCase("grafana/loki", "grafana/loki", "docker.io", "latest")]
    [TestCase("localhost:5000/basmalin/garden:1.0.0", "localhost:5000/basmalin/garden", "localhost:5000", "1.0.0")]
    [TestCase("localhost/x", "localhost/x", "localhost", "latest")]
    [TestCase("ghcr.io/owner/app_name__x:v1", "ghcr.io/owner/app_name__x", "ghcr.io", "v1")]
    [TestCase("[::1]:5000/app:2", "[::1]:5000/app", "[::1]:5000", "2")]
    [TestCase("app@" + Digest, "app", "docker.io", Digest)]
    [TestCase("localhost:5000/app:3@" + Digest, "localhost:5000/app", "localhost:5000", Digest)]
    public void A_reference_comes_apart(string text, string repository, string registry, string version)
    {
        var parsed = ImageReference.TryParse(text);

        Assert.That((parsed?.Repository, parsed?.Registry, parsed?.Version), Is.EqualTo((repository, registry, version)));
    }

    [TestCase("")]
    [TestCase(Digest)]
    [TestCase("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef")]
    [TestCase("Garden")]
    [TestCase("garden:")]
    [TestCase("garden:a b")]
    [TestCase("-garden")]
    [TestCase("http://host/garden")]
    public void What_no_registry_could_know_is_no_reference(string text) => Assert.That(ImageReference.TryParse(text), Is.Null);
}
