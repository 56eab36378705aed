using System.Net;
using System.Net.Security;
using Orchestrator.Agent.Hosting;
using Orchestrator.Tests.Traffic.Tls;

namespace Orchestrator.Tests.Agent;

public sealed class TlsDaemonTests
{
    [Test]
    public async Task The_daemon_serves_its_certificates_from_its_first_moment_and_the_doctor_looks_at_them()
    {
        var directory = Directory.CreateTempSubdirectory("basmalin-tls-").FullName;
        var ca = new TestCa();
        ca.Write(directory, "garden", "localhost");
        ca.Write(directory, "old", TimeSpan.FromDays(-1), "old.example");
        ca.Write(directory, "soon", TimeSpan.FromDays(3), "soon.example");
        File.WriteAllText(Path.Combine(directory, "bad.pem"), "nonsense");
        await using (var daemon = await RunningDaemon.StartAsync(options => options with
        {
            Edge = options.Edge with { Https = [new ListenAddress("127.0.0.1", 0)], Certificates = directory },
        }))
        {
            using var client = new HttpClient(new SocketsHttpHandler { SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = ca.Trust() } })
            {
                DefaultRequestVersion = HttpVersion.Version20,
                DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
            };
            using var answer = await client.GetAsync(new Uri($"https://localhost:{daemon.Daemon.SecureEdge[0].Port}/"));
            Assert.That((answer.StatusCode, answer.Version), Is.EqualTo((HttpStatusCode.NotFound, HttpVersion.Version20)), "no stack has a route");

            var doctor = await daemon.RunAsync("doctor");
            Assert.That(doctor.ExitCode, Is.EqualTo(1));
            Assert.That(doctor.Out, Does.Contain("old.example: ended at").And.Contain("soon.example: ends at").And.Contain("1 hosts, the next ends at"));
            Assert.That(doctor.Out, Does.Contain("there is no bad.key beside bad.pem"));
        }

        Directory.Delete(directory, recursive: true);
    }
}
