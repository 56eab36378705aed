using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Orchestrator.Certificates;
using Orchestrator.Docker;
using Orchestrator.Notifications;
using Orchestrator.Resilience;
using Orchestrator.Tests.Traffic.Tls;
using Orchestrator.Traffic;
using Orchestrator.Traffic.Tls;
using Prometheus;

namespace Orchestrator.Tests.Notifications;

public sealed class WebhookChannelTests
{
    private static readonly Notification Ended = new()
    {
        Id = Guid.Parse("0193530e-0000-7000-8000-000000000001"),
        Event = "deployment.ended",
        At = new DateTimeOffset(2026, 11, 22, 12, 0, 0, TimeSpan.Zero),
        Stack = "garden",
        Deployment = 7,
        Kind = "deploy",
        State = "rolledBack",
        Origin = "ci",
        Reason = "bakeFailed",
        Detail = "5 % errors",
        Hint = "look at the log",
    };

    private readonly ConcurrentQueue<(IHeaderDictionary Headers, string Body)> _received = new();
    private readonly HttpClient _http = new();
    private WebApplication _receiver = null!;
    private int _failures;

    [SetUp]
    public async Task ListenAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        _receiver = builder.Build();
        _receiver.MapPost("/hook", async context =>
        {
            using var body = new StreamReader(context.Request.Body);
            _received.Enqueue((new HeaderDictionary(context.Request.Headers.ToDictionary()), await body.ReadToEndAsync()));
            if (Interlocked.Decrement(ref _failures) >= 0) context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
        });
        await _receiver.StartAsync();
        _received.Clear();
        _failures = 0;
    }

    [TearDown]
    public async Task CloseAsync() => await _receiver.DisposeAsync();

    [OneTimeTearDown]
    public void LetGo() => _http.Dispose();

    [Test]
    public async Task What_is_sent_is_json_signed_over_time_and_body()
    {
        Assert.That(await Channel("s3cret").SendAsync(Ended, CancellationToken.None), Is.Null);

        var (headers, body) = _received.Single();
        var json = JsonNode.Parse(body)!;
        var signed = HMACSHA256.HashData("s3cret"u8.ToArray(), Encoding.UTF8.GetBytes($"{headers["X-BasMalin-Timestamp"]}.{body}"));
        Assert.That(headers["X-BasMalin-Signature"].ToString(), Is.EqualTo($"sha256={Convert.ToHexStringLower(signed)}"));
        Assert.That(headers["X-BasMalin-Event"].ToString(), Is.EqualTo("deployment.ended"));
        Assert.That(headers["X-BasMalin-Delivery"].ToString(), Is.EqualTo(Ended.Id.ToString()));
        Assert.That((json["stack"]!.GetValue<string>(), json["state"]!.GetValue<string>(), json["deployment"]!.GetValue<long>()), Is.EqualTo(("garden", "rolledBack", 7L)));
    }

    [Test]
    public async Task Without_a_secret_nothing_is_signed()
    {
        await Channel(null).SendAsync(Ended, CancellationToken.None);

        Assert.That(_received.Single().Headers.ContainsKey("X-BasMalin-Signature"), Is.False);
    }

    [Test]
    public async Task A_receiver_that_is_down_for_a_moment_is_asked_again_with_the_same_id()
    {
        _failures = 2;

        Assert.That(await Channel(null).SendAsync(Ended, CancellationToken.None), Is.Null);
        Assert.That(_received.Select(one => one.Headers["X-BasMalin-Delivery"].ToString()), Is.EqualTo(Enumerable.Repeat(Ended.Id.ToString(), 3)));
    }

    [Test]
    public async Task A_receiver_that_stays_down_is_told_about_and_nothing_is_thrown()
    {
        _failures = int.MaxValue;

        Assert.That(await Channel(null).SendAsync(Ended, CancellationToken.None), Does.Contain("503"));
    }

    [Test]
    public void A_channel_hears_only_of_its_stacks_and_its_name_hides_the_path()
    {
        var channel = new WebhookChannel(new Uri("https://chat.example/T0/secret-in-path"), null, new Subscription(["other"], []), _http, Pipelines(), TimeProvider.System);

        Assert.That(channel.Wants(Ended), Is.False);
        Assert.That(channel.Wants(Ended with { Stack = "other" }), Is.True);
        Assert.That(channel.Name, Is.EqualTo("chat.example"));
    }

    [Test]
    public async Task What_is_said_of_a_deployment_has_stayed_as_it_was()
    {
        await Channel(null).SendAsync(Ended, CancellationToken.None);

        Assert.That(_received.Single().Body, Is.EqualTo(
            """{"id":"0193530e-0000-7000-8000-000000000001","event":"deployment.ended","at":"2026-11-22T12:00:00+00:00","stack":"garden","deployment":7"""
            + ""","kind":"deploy","state":"rolledBack","release":null,"version":null,"commit":null,"origin":"ci","images":{},"reason":"bakeFailed","detail":"5 % errors","hint":"look at the log"}"""));
    }

    [Test]
    public async Task A_certificate_that_cannot_be_had_is_told_after_the_second_attempt_and_once_a_day()
    {
        var time = new FakeTimeProvider(Ended.At);
        var alarm = new CertificateAlarm(Router(time, "garden.example"), time);
        var told = new List<Notification>();
        alarm.Raised += news => told.Add(Notification.Of(news, Guid.NewGuid(), time.GetUtcNow()));

        for (var failures = 1; failures < 30; failures++)
        {
            alarm.NotIssued("garden.example", "connection refused", failures, Ended.At.AddDays(9));
            time.Advance(TimeSpan.FromHours(1));
        }

        Assert.That(told, Has.Count.EqualTo(2));
        await Channel("s3cret").SendAsync(told[0], CancellationToken.None);
        var (headers, body) = _received.Single();
        var json = JsonNode.Parse(body)!;
        Assert.Multiple(() =>
        {
            Assert.That(headers["X-BasMalin-Event"].ToString(), Is.EqualTo("certificate.failed"));
            Assert.That((json["stack"]!.GetValue<string>(), json["host"]!.GetValue<string>(), json["reason"]!.GetValue<string>()), Is.EqualTo(("garden", "garden.example", "certificateNotIssued")));
            Assert.That(json["deployment"], Is.Null);
            Assert.That(json["detail"]!.GetValue<string>(), Is.EqualTo("No certificate for garden.example after 2 attempts, the last: connection refused"));
        });
    }

    [Test]
    public void A_certificate_that_ends_soon_is_told_for_each_of_its_hosts_with_the_stack_that_has_it()
    {
        var authority = new TestCa();
        var time = new FakeTimeProvider(TimeProvider.System.GetUtcNow());
        var alarm = new CertificateAlarm(Router(time, "a.garden.example"), time);
        var told = new List<Notification>();
        alarm.Raised += news => told.Add(Notification.Of(news, Guid.NewGuid(), time.GetUtcNow()));
        var (chain, key) = authority.Issue(TimeSpan.FromDays(5), "*.garden.example", "nobody.example");
        Assert.That(EdgeCertificate.TryRead(chain, key, "a file", out var certificate, out _), Is.True);

        alarm.Ending(certificate!);
        alarm.Ending(certificate!);
        time.Advance(TimeSpan.FromDays(6));
        alarm.Ending(certificate!);

        Assert.That(told.Select(one => (one.Event, one.Host, one.Stack, one.Reason)), Is.EqualTo(new[]
        {
            ("certificate.ending", "*.garden.example", "garden", "certificateEndsSoon"), ("certificate.ending", "nobody.example", null, "certificateEndsSoon"),
            ("certificate.ending", "*.garden.example", "garden", "certificateEnded"), ("certificate.ending", "nobody.example", null, "certificateEnded"),
        }));
        Assert.That(told[0].Detail, Does.Contain("in 4 days").Or.Contain("in 5 days"));
    }

    [TestCase("", "", true)]
    [TestCase("garden", "", false)]
    [TestCase("", "deployment.ended", false)]
    [TestCase("", "certificate.ending,certificate.failed", true)]
    public void Channels_choose_among_events_and_one_for_some_stacks_hears_nothing_of_no_stack(string stacks, string events, bool wanted)
    {
        var subscription = new Subscription([.. Words(stacks)], [.. Words(events)]);

        Assert.That(subscription.Wants(new Notification { Id = Guid.NewGuid(), Event = "certificate.ending", At = Ended.At, Host = "nobody.example" }), Is.EqualTo(wanted));

        static string[] Words(string text) => text.Split(',', StringSplitOptions.RemoveEmptyEntries);
    }

    private static TrafficRouter Router(TimeProvider time, string host)
    {
        var router = new TrafficRouter(new EdgeMetrics(Metrics.NewCustomRegistry()), time);
        var upstream = new Upstream(new UpstreamIdentity("garden", "app", "blue", 1), [], time);
        router.Publish(new StackRoutes("garden", [new Route { Stack = "garden", Service = "app", Host = host, TargetPort = 80, Upstream = upstream }], [], false));
        return router;
    }

    private WebhookChannel Channel(string? secret) => new(new Uri(_receiver.Urls.Single() + "/hook"), secret, new Subscription([], []), _http, Pipelines(), TimeProvider.System);

    private static Pipelines Pipelines() => new(
        new PipelineOptions { WebhookRetryDelay = TimeSpan.FromMilliseconds(1) },
        EngineFaults.Classify,
        TimeProvider.System,
        Metrics.WithCustomRegistry(Metrics.NewCustomRegistry()),
        NullLogger<Pipelines>.Instance);
}
