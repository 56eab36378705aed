using System.Net;
using System.Net.Sockets;
using Docker.DotNet;
using Orchestrator.Docker;
using Orchestrator.Resilience;

namespace Orchestrator.Tests.Docker;

/// <summary>What engines and registries write, word for word, and what it means.</summary>
public sealed class EngineFaultsTests
{
    [TestCase(500, "driver failed programming external connectivity on endpoint x: Bind for 0.0.0.0:80 failed: port is already allocated", EngineFault.PortInUse, FaultKind.Refusal)]
    [TestCase(500, "driver failed programming external connectivity: Error starting userland proxy: listen tcp4 127.0.0.1:80: bind: address already in use", EngineFault.PortInUse, FaultKind.Refusal)]
    [TestCase(500, "error creating overlay mount: no space left on device", EngineFault.NoSpace, FaultKind.Refusal)]
    [TestCase(404, "could not find an available, non-overlapping IPv4 address pool among the defaults to assign to the network", EngineFault.NoAddresses, FaultKind.Refusal)]
    [TestCase(400, "all predefined address pools have been fully subnetted", EngineFault.NoAddresses, FaultKind.Refusal)]
    [TestCase(409, "Conflict. The container name \"/a\" is already in use by container \"b\".", EngineFault.Conflict, FaultKind.Refusal)]
    [TestCase(403, "error while removing network: network a id b has active endpoints", EngineFault.Conflict, FaultKind.Refusal)]
    [TestCase(404, "No such container: abc", EngineFault.NotFound, FaultKind.Refusal)]
    [TestCase(404, "No such image: abc:latest", EngineFault.ImageNotFound, FaultKind.Refusal)]
    [TestCase(404, "network abc not found", EngineFault.NotFound, FaultKind.Refusal)]
    [TestCase(400, "invalid restart policy", EngineFault.BadRequest, FaultKind.Refusal)]
    [TestCase(500, "OCI runtime create failed: unable to apply caps: operation not permitted", EngineFault.BadRequest, FaultKind.Refusal)]
    [TestCase(500, "something broke", EngineFault.Other, FaultKind.Transient)]
    [TestCase(501, "not here", EngineFault.Other, FaultKind.Refusal)]
    [TestCase(503, "starting", EngineFault.Unreachable, FaultKind.Outage)]
    public void An_answer_has_a_fault_and_a_consequence(int status, string answer, EngineFault fault, FaultKind kind)
    {
        var translated = EngineFaults.Translate("do it", new DockerApiException((HttpStatusCode)status, $$"""{"message":"{{answer.Replace("\"", "\\\"")}}"}"""), []);

        Assert.That((translated.Fault, EngineFaults.Classify(translated)), Is.EqualTo((fault, kind)));
        Assert.That(translated.Message, Is.EqualTo($"Could not do it: the engine answered {status}: {answer}"));
    }

    [TestCase("manifest for localhost:5000/a:9 not found: manifest unknown: manifest unknown", EngineFault.ImageNotFound, FaultKind.Refusal)]
    [TestCase("pull access denied for a, repository does not exist or may require 'docker login': denied: requested access to the resource is denied", EngineFault.RegistryDenied, FaultKind.Refusal)]
    [TestCase("Head \"https://x/v2/a/manifests/1\": unauthorized: authentication required", EngineFault.RegistryDenied, FaultKind.Refusal)]
    [TestCase("Get \"https://x/v2/\": dial tcp: lookup x: no such host", EngineFault.RegistryUnreachable, FaultKind.Transient)]
    [TestCase("Get \"http://localhost:1/v2/\": dial tcp [::1]:1: connect: connection refused", EngineFault.RegistryUnreachable, FaultKind.Transient)]
    [TestCase("Get \"https://x/v2/\": net/http: TLS handshake timeout", EngineFault.RegistryUnreachable, FaultKind.Transient)]
    [TestCase("Get \"https://x/v2/\": x509: certificate signed by unknown authority", EngineFault.RegistryUnreachable, FaultKind.Refusal)]
    [TestCase("Get \"https://x/v2/\": http: server gave HTTP response to HTTPS client", EngineFault.RegistryUnreachable, FaultKind.Refusal)]
    [TestCase("toomanyrequests: You have reached your pull rate limit", EngineFault.RegistryUnreachable, FaultKind.Transient)]
    [TestCase("received unexpected HTTP status: 502 Bad Gateway", EngineFault.RegistryUnreachable, FaultKind.Transient)]
    [TestCase("no matching manifest for linux/arm64 in the manifest list entries", EngineFault.ImageNotFound, FaultKind.Refusal)]
    [TestCase("write /var/lib/docker/tmp/x: no space left on device", EngineFault.NoSpace, FaultKind.Refusal)]
    public void What_a_registry_says_has_a_fault_and_a_consequence(string answer, EngineFault fault, FaultKind kind)
    {
        var translated = EngineFaults.FromRegistry("pull a", answer, []);

        Assert.That((translated.Fault, EngineFaults.Classify(translated)), Is.EqualTo((fault, kind)));
        Assert.That(translated.Message, Is.EqualTo($"Could not pull a: {answer}"));
    }

    [Test]
    public void A_socket_that_nobody_hears_is_an_outage()
    {
        var translated = EngineFaults.Translate("list", new HttpRequestException("Connection failed.", new SocketException((int)SocketError.ConnectionRefused)), []);

        Assert.That((translated.Fault, EngineFaults.Classify(translated)), Is.EqualTo((EngineFault.Unreachable, FaultKind.Outage)));
    }

    [Test]
    public void An_answer_that_repeats_a_secret_loses_it_and_what_it_came_in()
    {
        var translated = EngineFaults.Translate("create", new DockerApiException(HttpStatusCode.BadRequest, "invalid value hunter2-hunter2 for port 5432"), ["hunter2", "hunter2-hunter2", "5432"]);

        Assert.That(translated.ToString(), Does.Not.Contain("hunter2"));
        Assert.That(translated.Message, Does.EndWith("invalid value *** for port 5432"));
    }

    [TestCase("1.41", "1.12", "1.41")]
    [TestCase("1.47", "1.24", "1.47")]
    [TestCase("1.52", "1.44", "1.47")]
    [TestCase("2.0", "1.60", "1.60")]
    [TestCase("1.41", null, "1.41")]
    public void Both_sides_agree_on_a_version(string newest, string? oldest, string agreed) =>
        Assert.That(EngineConnection.Agree(newest, oldest), Is.EqualTo(Version.Parse(agreed)));
}
