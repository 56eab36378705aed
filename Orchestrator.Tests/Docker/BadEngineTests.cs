using System.Diagnostics;
using System.Net.Sockets;
using Microsoft.AspNetCore.Http;
using Orchestrator.Docker;
using Orchestrator.Resilience;

namespace Orchestrator.Tests.Docker;

public sealed class BadEngineTests
{
    private static readonly PipelineOptions Quick = new()
    {
        EngineTimeout = TimeSpan.FromMilliseconds(300),
        EngineRetries = 2,
        EngineRetryDelay = TimeSpan.FromMilliseconds(20),
    };

    [Test]
    public async Task An_engine_that_is_down_is_unreachable_within_seconds()
    {
        await using var lab = At(new Uri("unix:///tmp/basmalin-nobody.sock"), new PipelineOptions());
        var watch = Stopwatch.StartNew();

        var thrown = await Lab.FailureAsync(() => lab.Engine.InfoAsync(CancellationToken.None));

        Assert.That(thrown.Fault, Is.EqualTo(EngineFault.Unreachable));
        Assert.That(thrown.Message, Does.StartWith("Could not ask what it is: the container engine does not answer"));
        Assert.That(watch.Elapsed, Is.LessThan(TimeSpan.FromSeconds(10)));
    }

    [Test]
    public async Task An_engine_that_stays_down_is_soon_not_asked_any_more()
    {
        await using var lab = At(new Uri("unix:///tmp/basmalin-nobody.sock"), Quick with { BreakerCalls = 4 });
        for (var i = 0; i < 3; i++) await Lab.FailureAsync(() => lab.Engine.InfoAsync(CancellationToken.None));

        var thrown = await Lab.FailureAsync(() => lab.Engine.ListAsync(null, CancellationToken.None));

        Assert.That(thrown.Fault, Is.EqualTo(EngineFault.Unreachable));
        Assert.That(thrown.Message, Does.Contain("asked again in a few seconds"));
        Assert.That(await lab.MetricAsync("basmalin_resilience_breaker_open", "engine"), Is.EqualTo(1));
    }

    [Test]
    public async Task An_engine_that_hangs_is_out_of_time()
    {
        var path = Path.Combine(Path.GetTempPath(), $"basmalin-{Guid.NewGuid():n}.sock");
        using var silent = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        silent.Bind(new UnixDomainSocketEndPoint(path));
        silent.Listen(10);
        await using var lab = At(new Uri($"unix://{path}"), Quick);

        var thrown = await Lab.FailureAsync(() => lab.Engine.InfoAsync(CancellationToken.None));

        Assert.That(thrown.Fault, Is.EqualTo(EngineFault.TimedOut));
        Assert.That(thrown.Message, Does.Contain("no answer within 0.3 s"));
        Assert.That(await lab.MetricAsync("basmalin_resilience_timeouts_total", "engine"), Is.EqualTo(3));
    }

    [Test]
    public async Task A_read_that_fails_and_then_works_works()
    {
        var failures = 2;
        await using var fake = await FakeEngine.StartAsync((context, _) => failures-- > 0 ? FailAsync(context, "busy") : context.Response.WriteAsync("[]"));
        await using var lab = At(fake.Endpoint, Quick);

        var containers = await lab.Engine.ListAsync("any", CancellationToken.None);

        Assert.That(containers, Is.Empty);
        Assert.That(await lab.MetricAsync("basmalin_resilience_retries_total", "engine"), Is.EqualTo(2));
        Assert.That(fake.Requests, Is.EqualTo((string[])["GET version", "GET containers/json", "GET containers/json", "GET containers/json"]));
    }

    [Test]
    public async Task A_creation_that_fails_is_not_repeated()
    {
        await using var fake = await FakeEngine.StartAsync((context, _) => FailAsync(context, "busy"));
        await using var lab = At(fake.Endpoint, Quick);

        var thrown = await Lab.FailureAsync(() => lab.Engine.CreateAsync(lab.Request("x"), CancellationToken.None));

        Assert.That((thrown.Fault, thrown.IsTransient), Is.EqualTo((EngineFault.Other, true)));
        Assert.That(fake.Requests, Is.EqualTo((string[])["GET version", "POST containers/create"]));
    }

    [Test]
    public async Task A_call_that_is_called_off_is_not_repeated()
    {
        using var stop = new CancellationTokenSource();
        await using var fake = await FakeEngine.StartAsync(async (context, _) =>
        {
            await stop.CancelAsync();
            await FailAsync(context, "too late");
        });
        await using var lab = At(fake.Endpoint, Quick with { EngineTimeout = TimeSpan.FromSeconds(15) });

        Assert.That(async () => await lab.Engine.ListAsync(null, stop.Token), Throws.InstanceOf<OperationCanceledException>());
        Assert.That(fake.Requests, Has.Length.EqualTo(2));
    }

    [Test]
    public async Task An_engine_that_is_replaced_by_a_newer_one_is_asked_again_what_it_speaks()
    {
        await using var fake = await FakeEngine.StartAsync((context, _) => context.Response.WriteAsync("[]"));
        await using var lab = At(fake.Endpoint, Quick);
        await lab.Engine.ListAsync(null, CancellationToken.None);
        fake.Version = "1.45";

        Assert.That(await lab.Engine.ListAsync(null, CancellationToken.None), Is.Empty);
        Assert.That(fake.Requests.Count(request => request == "GET version"), Is.EqualTo(2));
    }

    [Test]
    public async Task An_answer_that_is_no_answer_is_unreachable()
    {
        await using var fake = await FakeEngine.StartAsync((context, _) => context.Response.WriteAsync("<html>I am a web server</html>"));
        await using var lab = At(fake.Endpoint, Quick);

        var thrown = await Lab.FailureAsync(() => lab.Engine.ListAsync(null, CancellationToken.None));

        Assert.That(thrown.Fault, Is.EqualTo(EngineFault.Unreachable));
    }

    [Test]
    public async Task An_engine_that_does_not_say_what_it_speaks_is_none()
    {
        await using var fake = await FakeEngine.StartAsync((context, _) => context.Response.WriteAsync("[]"));
        fake.Version = "";
        await using var lab = At(fake.Endpoint, Quick);

        var thrown = await Lab.FailureAsync(() => lab.Engine.ListAsync(null, CancellationToken.None));

        Assert.That(thrown.Fault, Is.EqualTo(EngineFault.Unreachable));
        Assert.That(thrown.Message, Does.Contain("could not be understood"));
    }

    [Test]
    public async Task A_disk_that_is_full_is_said()
    {
        await using var fake = await FakeEngine.StartAsync((context, _) => FailAsync(context, "mkdir /var/lib/docker/overlay2/x: no space left on device"));
        await using var lab = At(fake.Endpoint, Quick);

        Assert.That((await Lab.FailureAsync(() => lab.Engine.CreateAsync(lab.Request("x"), CancellationToken.None))).Fault, Is.EqualTo(EngineFault.NoSpace));
    }

    [Test]
    public async Task A_pull_that_falls_silent_is_given_up_and_begun_again()
    {
        var begun = 0;
        await using var fake = await FakeEngine.StartAsync(async (context, request) =>
        {
            if (request.StartsWith("GET images/", StringComparison.Ordinal))
            {
                await context.Response.WriteAsync("""{"Id":"sha256:1","RepoDigests":[]}""");
                return;
            }

            await context.Response.WriteAsync("{\"status\":\"Pulling from x\"}\n");
            await context.Response.Body.FlushAsync();
            if (++begun == 1) await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted);
            await context.Response.WriteAsync("{\"status\":\"Digest: sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\"}\n");
        });
        var options = new DockerEngineOptions { Endpoint = fake.Endpoint, PullSilence = TimeSpan.FromMilliseconds(300) };
        await using var lab = new Lab(options, Quick with { RegistryRetryDelay = TimeSpan.FromMilliseconds(10) }) { OwnsNothing = true };

        var image = await lab.Engine.PullAsync("x:1", null, null, CancellationToken.None);

        Assert.That(image.Digest, Does.StartWith("x@sha256:0123"));
        Assert.That(await lab.MetricAsync("basmalin_resilience_retries_total", "registry"), Is.EqualTo(1));
    }

    private static Lab At(Uri endpoint, PipelineOptions pipelines) => new(new DockerEngineOptions { Endpoint = endpoint }, pipelines) { OwnsNothing = true };

    private static Task FailAsync(HttpContext context, string message)
    {
        context.Response.StatusCode = 500;
        return context.Response.WriteAsJsonAsync(new { message });
    }
}
