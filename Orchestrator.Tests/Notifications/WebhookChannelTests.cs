using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Orchestrator.Docker;
using Orchestrator.Notifications;
using Orchestrator.Resilience;
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
        var channel = new WebhookChannel(new Uri("https://chat.example/T0/secret-in-path"), null, ["other"], _http, Pipelines(), TimeProvider.System);

        Assert.That(channel.Wants(Ended), Is.False);
        Assert.That(channel.Wants(Ended with { Stack = "other" }), Is.True);
        Assert.That(channel.Name, Is.EqualTo("chat.example"));
    }

    private WebhookChannel Channel(string? secret) => new(new Uri(_receiver.Urls.Single() + "/hook"), secret, [], _http, Pipelines(), TimeProvider.System);

    private static Pipelines Pipelines() => new(
        new PipelineOptions { WebhookRetryDelay = TimeSpan.FromMilliseconds(1) },
        EngineFaults.Classify,
        TimeProvider.System,
        Metrics.WithCustomRegistry(Metrics.NewCustomRegistry()),
        NullLogger<Pipelines>.Instance);
}
