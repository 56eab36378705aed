using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Orchestrator.Docker;
using Orchestrator.Resilience;
using Polly;
using Polly.CircuitBreaker;
using Polly.Timeout;
using Prometheus;

namespace Orchestrator.Tests.Resilience;

public sealed class PipelinesTests
{
    private static readonly PipelineOptions Options = new() { BreakerCalls = 5, EngineRetries = 2 };

    private readonly FakeTimeProvider _time = new();
    private CollectorRegistry _registry = null!;
    private Pipelines _pipelines = null!;

    private static EngineException Gone => new(EngineFault.Unreachable, "gone", null);

    [SetUp]
    public void Make()
    {
        _registry = Metrics.NewCustomRegistry();
        _pipelines = new Pipelines(Options, EngineFaults.Classify, _time, Metrics.WithCustomRegistry(_registry), NullLogger<Pipelines>.Instance);
    }

    [Test]
    public async Task Every_series_is_there_before_anything_happened()
    {
        var text = await ExportAsync();

        foreach (var pipeline in (string[])["engine", "engine-once", "registry", "webhook-out"])
        {
            Assert.That(text, Does.Contain($"basmalin_resilience_retries_total{{pipeline=\"{pipeline}\"}} 0"));
            Assert.That(text, Does.Contain($"basmalin_resilience_timeouts_total{{pipeline=\"{pipeline}\"}} 0"));
            Assert.That(text, Does.Contain($"basmalin_resilience_breaker_open{{pipeline=\"{pipeline}\"}} 0"));
            Assert.That(text, Does.Contain($"basmalin_resilience_attempts_total{{pipeline=\"{pipeline}\",outcome=\"ok\"}} 0"));
        }
    }

    [Test]
    public async Task A_call_that_fails_and_then_works_is_a_success_after_a_wait()
    {
        var calls = 0;
        var call = _pipelines.Engine.ExecuteAsync(_ => ++calls < 3 ? throw Gone : ValueTask.FromResult(calls)).AsTask();

        Assert.That(calls, Is.EqualTo(1), "before any time has passed");
        while (!call.IsCompleted) _time.Advance(TimeSpan.FromMilliseconds(100));

        Assert.That(await call, Is.EqualTo(3));
        Assert.That(await ExportAsync(), Does.Contain("retries_total{pipeline=\"engine\"} 2").And.Contain("{pipeline=\"engine\",outcome=\"failed\"} 2"));
    }

    [Test]
    public async Task What_must_not_be_repeated_is_not()
    {
        var calls = 0;

        await Assert.ThrowsAsync<EngineException>(() => _pipelines.EngineOnce.ExecuteAsync(ValueTask (_) => ++calls > 0 ? throw Gone : default).AsTask());

        Assert.That(calls, Is.EqualTo(1));
    }

    [TestCase(EngineFault.NotFound)]
    [TestCase(EngineFault.Conflict)]
    [TestCase(EngineFault.BadRequest)]
    [TestCase(EngineFault.PortInUse)]
    [TestCase(EngineFault.ImageNotFound)]
    public async Task A_refusal_is_neither_repeated_nor_held_against_the_engine(EngineFault fault)
    {
        for (var i = 1; i <= 20; i++)
        {
            var calls = 0;
            await Assert.ThrowsAsync<EngineException>(
                () => _pipelines.Engine.ExecuteAsync(ValueTask (_) => ++calls > 0 ? throw new EngineException(fault, "no", null) : default).AsTask());
            Assert.That(calls, Is.EqualTo(1));
        }

        Assert.That(await ExportAsync(), Does.Contain("breaker_open{pipeline=\"engine\"} 0").And.Contain("{pipeline=\"engine\",outcome=\"refused\"} 20"));
    }

    [Test]
    public async Task Unanswered_calls_open_the_breaker_and_an_answered_one_closes_it()
    {
        for (var i = 0; i < Options.BreakerCalls; i++)
            await Assert.ThrowsAsync<EngineException>(() => _pipelines.EngineOnce.ExecuteAsync(ValueTask (_) => throw Gone).AsTask());
        Assert.That(await ExportAsync(), Does.Contain("breaker_open{pipeline=\"engine-once\"} 1").And.Contain("breaker_open{pipeline=\"engine\"} 0"));

        var asked = false;
        await Assert.ThrowsAsync<BrokenCircuitException>(() => _pipelines.EngineOnce.ExecuteAsync(_ =>
        {
            asked = true;
            return default;
        }).AsTask());
        Assert.That(asked, Is.False);

        _time.Advance(Options.BreakerPause + TimeSpan.FromMilliseconds(1));
        await _pipelines.EngineOnce.ExecuteAsync(_ => default);
        Assert.That(await ExportAsync(), Does.Contain("breaker_open{pipeline=\"engine-once\"} 0"));
    }

    [Test]
    public async Task A_call_that_takes_too_long_is_given_up_and_repeated()
    {
        var calls = 0;
        var call = _pipelines.Engine.ExecuteAsync(async token =>
        {
            if (++calls == 1) await Task.Delay(Timeout.InfiniteTimeSpan, _time, token);
            return calls;
        }).AsTask();

        while (!call.IsCompleted)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }

        Assert.That(await call, Is.EqualTo(2));
        Assert.That(await ExportAsync(), Does.Contain("timeouts_total{pipeline=\"engine\"} 1").And.Contain("{pipeline=\"engine\",outcome=\"failed\"} 1"));
    }

    [Test]
    public async Task A_call_with_a_time_of_its_own_is_not_repeated_when_that_is_over()
    {
        var calls = 0;
        var context = ResilienceContextPool.Shared.Get(CancellationToken.None);
        context.Properties.Set(Pipelines.TimeoutKey, TimeSpan.FromMinutes(10));
        var call = _pipelines.Engine.ExecuteAsync(
            async context =>
            {
                calls++;
                await Task.Delay(Timeout.InfiniteTimeSpan, _time, context.CancellationToken);
            },
            context).AsTask();

        _time.Advance(TimeSpan.FromMinutes(9));
        Assert.That(call.IsCompleted, Is.False);
        _time.Advance(TimeSpan.FromMinutes(2));

        await Assert.ThrowsAsync<TimeoutRejectedException>(() => call);
        Assert.That(calls, Is.EqualTo(1));
    }

    [Test]
    public async Task What_the_caller_calls_off_is_neither_repeated_nor_a_failure()
    {
        for (var i = 0; i < 20; i++)
        {
            using var stop = new CancellationTokenSource();
            var call = _pipelines.Engine.ExecuteAsync(async token => await Task.Delay(Timeout.InfiniteTimeSpan, _time, token), stop.Token).AsTask();
            await stop.CancelAsync();
            Assert.That(async () => await call, Throws.InstanceOf<OperationCanceledException>());
        }

        Assert.That(await ExportAsync(), Does.Contain("retries_total{pipeline=\"engine\"} 0")
            .And.Contain("timeouts_total{pipeline=\"engine\"} 0")
            .And.Contain("breaker_open{pipeline=\"engine\"} 0")
            .And.Contain("{pipeline=\"engine\",outcome=\"cancelled\"} 20"));
    }

    [Test]
    public async Task A_caller_that_leaves_during_the_wait_between_attempts_does_not_wait_for_the_rest_of_it()
    {
        using var stop = new CancellationTokenSource();
        var call = _pipelines.Engine.ExecuteAsync(ValueTask (_) => throw Gone, stop.Token).AsTask();
        await stop.CancelAsync();

        Assert.That(async () => await call, Throws.InstanceOf<OperationCanceledException>());
        Assert.That(await ExportAsync(), Does.Contain("{pipeline=\"engine\",outcome=\"failed\"} 1"));
    }

    [TestCase(null, true)]
    [TestCase(503, true)]
    [TestCase(429, true)]
    [TestCase(410, false)]
    [TestCase(401, false)]
    public async Task A_webhook_is_delivered_again_only_when_the_receiver_may_want_it_later(int? status, bool again)
    {
        var calls = 0;
        var call = _pipelines.WebhookOut.ExecuteAsync(ValueTask (_) =>
        {
            calls++;
            throw new HttpRequestException("no", null, (System.Net.HttpStatusCode?)status);
        }).AsTask();
        while (!call.IsCompleted) _time.Advance(TimeSpan.FromSeconds(1));

        await Assert.ThrowsAsync<HttpRequestException>(() => call);
        Assert.That(calls, Is.EqualTo(again ? 1 + Options.WebhookRetries : 1));
    }

    private async Task<string> ExportAsync()
    {
        using var text = new MemoryStream();
        await _registry.CollectAndExportAsTextAsync(text);
        return System.Text.Encoding.UTF8.GetString(text.ToArray());
    }
}
