using System.Net;
using System.Net.Security;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Orchestrator.Agent.Hosting;
using Orchestrator.Tests.Certificates;
using Orchestrator.Tests.GardenApp;
using Orchestrator.Tests.Traffic;
using Orchestrator.Tests.Traffic.Tls;
using Orchestrator.Traffic;
using Orchestrator.Traffic.Tls;
using Quartz;
using EdgeOptions = Orchestrator.Agent.Hosting.EdgeOptions;

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

    [Test]
    public async Task The_daemon_orders_a_certificate_for_a_route_that_wants_one_and_has_it_at_its_next_start()
    {
        var (plain, secure) = (Pebble.FreePort(), Pebble.FreePort());
        await using var pebble = await Pebble.StartAsync(plain, secure);
        await using var app = await Backend.StartAsync("blue");
        await using var daemon = await RunningDaemon.StartAsync(options => options with
        {
            Edge = new EdgeOptions
            {
                Http = [new ListenAddress("127.0.0.1", plain)],
                Https = [new ListenAddress("127.0.0.1", secure)],
                Acme = new AcmeOptions { Directory = pebble.Settings.Directory, TermsAgreed = true, Root = pebble.RootFile },
            },
        });
        using var client = new HttpClient(new SocketsHttpHandler { SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = await pebble.TrustAsync() } });
        var address = new Uri($"https://localhost:{secure}/");

        Publish(daemon, app);
        await Eventually.TrueAsync(() => Task.FromResult(daemon.Services.GetRequiredService<CertificateStore>().Find("localhost") is not null), "a certificate is served");
        Assert.That(await client.GetStringAsync(address), Is.EqualTo("blue"));
        Assert.That((await daemon.RunAsync("doctor")).Out, Does.Contain("1 hosts, the next ends at"));
        var scheduler = await daemon.Services.GetRequiredService<ISchedulerFactory>().GetScheduler();
        foreach (var job in new[] { "cleanup", "expiry", "renewal" }) Assert.That(await scheduler.GetJobDetail(new JobKey(job)), Is.Not.Null, job);

        await pebble.StopAsync();
        await daemon.RestartAsync();
        Publish(daemon, app);
        await Eventually.TrueAsync(() => Task.FromResult(daemon.Services.GetRequiredService<CertificateStore>().Find("localhost") is not null), "the certificate of before is served");
    }

    [Test]
    public async Task Who_is_notified_hears_each_morning_of_a_certificate_that_ends()
    {
        var directory = Directory.CreateTempSubdirectory("basmalin-tls-").FullName;
        new TestCa().Write(directory, "soon", TimeSpan.FromDays(3), "soon.example");
        var told = Channel.CreateUnbounded<string>();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        await using var receiver = builder.Build();
        receiver.Urls.Add("http://127.0.0.1:0");
        receiver.MapPost("/hook", async context =>
        {
            using var body = new StreamReader(context.Request.Body);
            await told.Writer.WriteAsync(await body.ReadToEndAsync());
        });
        await receiver.StartAsync();
        await using (var daemon = await RunningDaemon.StartAsync(options => options with
        {
            Edge = options.Edge with { Https = [new ListenAddress("127.0.0.1", 0)], Certificates = directory },
            Notify = [new NotifyOptions { Url = new Uri($"{receiver.Urls.First()}/hook"), Events = ["certificate.ending"] }],
        }))
        {
            var scheduler = await daemon.Services.GetRequiredService<ISchedulerFactory>().GetScheduler();
            await scheduler.TriggerJob(new JobKey("expiry"));

            using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(1));
            var news = JsonNode.Parse(await told.Reader.ReadAsync(patience.Token))!;
            Assert.That(news["event"]!.GetValue<string>(), Is.EqualTo("certificate.ending"));
            Assert.That(news["host"]!.GetValue<string>(), Is.EqualTo("soon.example"));
            Assert.That(news["detail"]!.GetValue<string>(), Does.StartWith("The certificate of soon.example ends at "));
        }

        Directory.Delete(directory, recursive: true);
    }

    private static void Publish(RunningDaemon daemon, Backend app)
    {
        var upstream = new Upstream(new UpstreamIdentity("garden", "app", "blue", 1), [app.Address], TimeProvider.System);
        var route = EdgeBed.RouteTo(upstream) with { Host = "localhost", Tls = new RouteTls(Automatic: true, HttpsUpgrade.WhenCertified, RedirectTo: null) };
        daemon.Services.GetRequiredService<TrafficRouter>().Publish(new StackRoutes("garden", [route], [], Maintenance: false));
    }
}
