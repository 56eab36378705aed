using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orchestrator.Agent.Hosting;

namespace Orchestrator.Tests.Agent.Hosting;

public sealed class DaemonTests
{
    [Test]
    public async Task Two_daemons_cannot_share_a_data_directory()
    {
        await using var first = await RunningDaemon.StartAsync();

        var refused = await Assert.ThrowsAsync<DaemonStartException>(() => Daemon.StartAsync(
            first.Options with { Admin = first.Options.Admin with { Socket = Path.Combine(first.Directory, "second.sock") } },
            terminal: false,
            TimeProvider.System,
            CancellationToken.None));

        Assert.That(refused!.Message, Does.Contain(first.Options.Data).And.Contain($"process {Environment.ProcessId}"));
    }

    [Test]
    public async Task A_taken_port_is_named_and_nothing_stays_behind()
    {
        await using var first = await RunningDaemon.StartAsync();
        var directory = Directory.CreateTempSubdirectory("basmalin-agent-").FullName;
        var options = first.Options with { Data = Path.Combine(directory, "data") };

        foreach (var taken in new[]
        {
            options with { Edge = new EdgeOptions { Http = [new ListenAddress("127.0.0.1", first.Edge.Port)] }, Admin = options.Admin with { Socket = Path.Combine(directory, "s") } },
            options with { Admin = new AdminOptions { Listen = new ListenAddress("127.0.0.1", first.Admin.Port), Socket = Path.Combine(directory, "s") } },
            options,
        })
        {
            var refused = await Assert.ThrowsAsync<DaemonStartException>(() => Daemon.StartAsync(taken, terminal: false, TimeProvider.System, CancellationToken.None));
            Assert.That(refused!.Message, Does.Contain("edge.http").Or.Contain("admin."));
        }

        await using (await Daemon.StartAsync(
            options with { Admin = options.Admin with { Socket = Path.Combine(directory, "s") } }, terminal: false, TimeProvider.System, CancellationToken.None))
        {
            // The data directory and all else had been let go of.
        }

        Directory.Delete(directory, recursive: true);
    }

    [Test]
    public async Task A_crashed_part_ends_the_daemon_with_exit_code_1()
    {
        await using var daemon = await RunningDaemon.StartAsync(more: services => services.AddHostedService<Crashing>());
        daemon.Services.GetServices<IHostedService>().OfType<Crashing>().Single().Now.SetResult();

        Assert.That(await daemon.Daemon.WaitAsync(CancellationToken.None), Is.EqualTo(1));
    }

    [Test]
    public async Task An_orderly_stop_is_exit_code_0_and_is_not_ready_before()
    {
        await using var daemon = await RunningDaemon.StartAsync();
        using var client = daemon.Anonymous();
        using var ready = await client.GetAsync("/readyz");

        var ended = daemon.Daemon.WaitAsync(CancellationToken.None);
        daemon.Services.GetRequiredService<IHostApplicationLifetime>().StopApplication();

        Assert.That(ready.StatusCode, Is.EqualTo(HttpStatusCode.OK));
        Assert.That(await ended, Is.Zero);
        Assert.That(daemon.Services.GetRequiredService<DaemonState>().Ready, Is.False);
    }

    [Test]
    public async Task An_open_event_stream_does_not_hold_up_the_stop()
    {
        await using var daemon = await RunningDaemon.StartAsync();
        using var browser = await daemon.WithTokenAsync("read");
        browser.DefaultRequestHeaders.Accept.ParseAdd("text/event-stream");
        using var stream = await browser.GetAsync("/live", HttpCompletionOption.ResponseHeadersRead);

        var since = TimeProvider.System.GetTimestamp();
        await daemon.Daemon.StopAsync();

        Assert.That(stream.StatusCode, Is.EqualTo(HttpStatusCode.OK));
        Assert.That(TimeProvider.System.GetElapsedTime(since), Is.LessThan(daemon.Options.Limits.Stop / 2));
    }

    [Test]
    public async Task Log_levels_can_be_changed_while_it_runs_and_the_longest_match_counts()
    {
        await using var daemon = await RunningDaemon.StartAsync();
        var factory = daemon.Services.GetRequiredService<ILoggerFactory>();
        var (traffic, other) = (factory.CreateLogger("Orchestrator.Traffic.Edge"), factory.CreateLogger("Orchestrator.Docker"));
        Assert.That((traffic.IsEnabled(LogLevel.Debug), other.IsEnabled(LogLevel.Information)), Is.EqualTo((false, false)));

        using var changed = await daemon.Socket.PutAsJsonAsync("/api/v1/log-levels", new { level = "information", levels = new Dictionary<string, string> { ["Orchestrator.Traffic"] = "debug" } });
        Assert.That((await RunningDaemon.JsonAsync(changed))["levels"]!["Orchestrator.Traffic"]!.GetValue<string>(), Is.EqualTo("debug"));
        Assert.That((traffic.IsEnabled(LogLevel.Debug), other.IsEnabled(LogLevel.Information), other.IsEnabled(LogLevel.Debug)), Is.EqualTo((true, true, false)));

        using var back = await daemon.Socket.PutAsJsonAsync("/api/v1/log-levels", new { levels = new Dictionary<string, string?> { ["Orchestrator.Traffic"] = null } });
        Assert.That((traffic.IsEnabled(LogLevel.Debug), traffic.IsEnabled(LogLevel.Information)), Is.EqualTo((false, true)));
    }

    [Test]
    public async Task Metrics_have_our_prefix_and_names_that_promtool_accepts()
    {
        await using var daemon = await RunningDaemon.StartAsync();
        using var client = await daemon.WithTokenAsync("read");

        var text = await client.GetStringAsync("/metrics");

        var types = Regex.Matches(text, @"(?m)^# TYPE (\S+) (\S+)$").Select(match => (Name: match.Groups[1].Value, Type: match.Groups[2].Value)).ToList();
        Assert.That(types.Select(metric => metric.Name), Is.SupersetOf(new[]
        {
            "basmalin_build_info", "basmalin_process_cpu_seconds_total", "basmalin_edge_requests_total", "basmalin_resilience_attempts_total",
        }));
        foreach (var (name, type) in types)
        {
            Assert.That(name, Does.StartWith("basmalin_"));
            Assert.That(name.EndsWith("_total", StringComparison.Ordinal), Is.EqualTo(type == "counter"), $"{name} is a {type}");
            Assert.That(name, Does.Not.EndWith("_count").And.Not.EndWith("_sum").And.Not.EndWith("_bucket"));
            Assert.That(text, Does.Contain($"# HELP {name} "), "every metric says what it is");
        }
    }

    [Test]
    public void The_log_is_text_for_people_and_json_for_machines()
    {
        var (people, machines) = (Written(LogFormat.Text), Written(LogFormat.Json));

        Assert.That(people, Does.Match(@"^\d\d:\d\d:\d\d\.\d{3} INF hello world"));
        Assert.That(JsonNode.Parse(machines)!["@m"]!.GetValue<string>(), Does.StartWith("hello"));

        static string Written(LogFormat format)
        {
            var before = Console.Out;
            using var output = new StringWriter();
            Console.SetOut(output);
            try
            {
                using var log = DaemonLog.Open(new LogOptions { Format = format }, terminal: false);
                log.Factory.CreateLogger("Orchestrator.Test").LogInformation("hello {Name}", "world");
            }
            finally
            {
                Console.SetOut(before);
            }

            return output.ToString();
        }
    }

    private sealed class Crashing : BackgroundService
    {
        public TaskCompletionSource Now { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        protected override async Task ExecuteAsync(CancellationToken stoppingToken)
        {
            await Now.Task;
            throw new InvalidOperationException("on purpose");
        }
    }
}
