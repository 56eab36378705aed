using System.Globalization;
using System.Text.RegularExpressions;
using Orchestrator.Deployments;
using Orchestrator.Tests.Load;

namespace Orchestrator.Tests.Engine;

/// <summary>A new version that gets a share of the requests first. Users arrive at a fixed rate throughout.</summary>
internal sealed partial class CanaryTests
{
    private const string Steps = "shift: { steps: [20%, 60%, 100%], dwell: 4s, min_requests: 20, max_error_ratio: 5% }";

    [Test]
    public async Task A_good_version_goes_through_all_steps_with_the_share_it_should_have_and_no_request_is_lost()
    {
        await using var daemon = await TestDaemon.StartAsync();
        var (name, host) = await FirstAsync(daemon);
        await using var load = OpenLoopLoad.Start(Users(daemon, host));
        await load.SeenAsync("1.0.0", Soon());

        var good = await daemon.ApplyAsync(Garden.Light(name, "2.0.0", host, basMalin: Steps));
        await load.SeenAsync("2.0.0", Soon());
        var report = await load.StopAsync();

        Assert.That(good.State, Is.EqualTo(DeploymentState.Succeeded), good.Failure?.ToString());
        var shift = good.Steps.Single(row => row.Name == StepKind.Shift).Detail ?? "";
        var shares = Share().Matches(shift).Select(match => double.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture)).ToList();
        Assert.Multiple(() =>
        {
            Assert.That(report.Failed, Is.Zero, report.ToString());
            Assert.That(good.Requests.Failed, Is.Zero);
            Assert.That(good.Requests.Total, Is.GreaterThan(400), "the requests of the steps are among them");
            Assert.That(shares, Has.Count.EqualTo(2), shift);

            // 60 a second for 4 s: four standard deviations of 240 draws.
            Assert.That(shares[0], Is.EqualTo(20).Within(10.4), shift);
            Assert.That(shares[1], Is.EqualTo(60).Within(12.7), shift);
        });
        TestContext.Out.WriteLine($"{shift}\n{report}");
    }

    [Test]
    public async Task A_bad_version_is_taken_back_and_only_what_it_answered_itself_has_failed()
    {
        await using var daemon = await TestDaemon.StartAsync();
        var (name, host) = await FirstAsync(daemon);
        await using var load = OpenLoopLoad.Start(Users(daemon, host));
        await load.SeenAsync("1.0.0", Soon());

        var bad = await daemon.ApplyAsync(Garden.Light(name, "2.0.0", host, "  GARDEN_FAULT_ERROR_RATIO: \"0.5\"", Steps));
        await load.SeenAsync("1.0.0", Soon());
        var report = await load.StopAsync();

        TestContext.Out.WriteLine($"{bad.Failure?.Detail}\n{report}");
        Assert.Multiple(() =>
        {
            Assert.That(bad.State, Is.EqualTo(DeploymentState.RolledBack), bad.Failure?.ToString());
            Assert.That(bad.Failure?.Reason, Is.EqualTo(FailureReason.CanaryFailed));
            Assert.That(bad.Failure?.Detail, Does.Contain("With 20 % of the requests the new version of app was worse"));
            Assert.That(report.Failures, Is.Not.Empty.And.All.Contains("50"), "every failure is an answer of the bad version itself");
            Assert.That(report.Failed, Is.LessThan(60), "it had a fifth of the requests, until there were enough to tell");
            Assert.That(bad.Requests.Failed, Is.EqualTo(report.Failed).Within(3), "what was under way at the verdict may come after it");
        });
        Assert.That((await daemon.GetAsync(host, "/version")).Version, Is.EqualTo("1.0.0"));
        Assert.That((await daemon.ContainersAsync(name)).Select(seen => seen.Release), Is.All.EqualTo(1), "nothing of the bad version is left");
    }

    [Test]
    public async Task A_version_that_is_right_but_slow_is_taken_back_and_no_request_has_failed()
    {
        await using var daemon = await TestDaemon.StartAsync();
        var (name, host) = await FirstAsync(daemon);
        await using var load = OpenLoopLoad.Start(Users(daemon, host) with { GetPath = "/", Mix = new(KeepAlive: 1, NewConnection: 0, Post: 0, Slow: 0) });      // faults spare /version
        await load.SeenAsync("1.0.0", Soon());

        var slow = await daemon.ApplyAsync(Garden.Light(
            name, "2.0.0", host, "  GARDEN_FAULT_LATENCY_MS: \"1500\"", Steps.Replace("max_error_ratio: 5%", "max_p95_ratio: 2", StringComparison.Ordinal)));
        var report = await load.StopAsync();

        TestContext.Out.WriteLine($"{slow.Failure?.Detail}\n{report}");
        Assert.Multiple(() =>
        {
            Assert.That((slow.State, slow.Failure?.Reason), Is.EqualTo((DeploymentState.RolledBack, FailureReason.CanaryFailed)), slow.Failure?.ToString());
            Assert.That(slow.Failure?.Detail, Does.Contain("its 95th percentile may be 2 times as long, it is ").And.Match(@"new \d+ requests, 0 failed \(0\.0 %\), p95 (1[5-9]\d\d|[2-9]\d{3})(\.\d)? ms"));
            Assert.That(report.Failed, Is.Zero, report.ToString());
            Assert.That(report.Versions["2.0.0"], Is.LessThan(report.Versions["1.0.0"]), "it never had more than its share");
        });
        Assert.That((await daemon.StateAsync(name)).CurrentRelease, Is.EqualTo(1));
    }

    [Test]
    public async Task By_cookie_nobody_goes_back_to_the_old_version_while_the_shares_rise()
    {
        await using var daemon = await TestDaemon.StartAsync();
        var (name, host) = await FirstAsync(daemon);
        var clients = Enumerable.Range(0, 40).Select(_ => new CanaryClient(daemon.Edge, host)).ToList();
        using var leaving = new CancellationTokenSource();
        var visits = clients.Select(client => client.VisitAsync(leaving.Token)).ToList();

        var good = await daemon.ApplyAsync(Garden.Light(name, "2.0.0", host, basMalin: Steps.Replace("dwell", "sticky: cookie, dwell", StringComparison.Ordinal)));
        await leaving.CancelAsync();
        await Task.WhenAll(visits);

        Assert.That(good.State, Is.EqualTo(DeploymentState.Succeeded), good.Failure?.ToString());
        Assert.Multiple(() =>
        {
            // Each client's versions with repetitions left out: the old one, then the new one, and no way back.
            Assert.That(clients.Select(client => string.Join(" ", client.Versions)), Is.All.EqualTo("1.0.0 2.0.0"));
            Assert.That(clients.Select(client => client.Problems), Is.All.EqualTo(0));
            Assert.That(clients.Count(client => client.Changed < clients.Max(other => other.Changed) - TimeSpan.FromSeconds(3)), Is.InRange(1, 39), "some were drawn at an earlier step than others");
        });
        foreach (var client in clients) client.Dispose();
    }

    [Test]
    public async Task Cancelled_in_the_middle_all_requests_go_to_the_old_version_again()
    {
        await using var daemon = await TestDaemon.StartAsync();
        var (name, host) = await FirstAsync(daemon);
        await using var load = OpenLoopLoad.Start(Users(daemon, host));
        var seen = load.SeenAsync("2.0.0", Soon());
        var half = await daemon.SubmitAsync(daemon.Request(Garden.Light(name, "2.0.0", host, basMalin: Steps.Replace("4s", "5m", StringComparison.Ordinal))));
        await seen;

        Assert.That(await daemon.Deployments.CancelAsync(half, CancellationToken.None), Is.EqualTo(CancelOutcome.Accepted));
        var ended = await daemon.EndAsync(half);
        var then = load.Report().Versions["2.0.0"];
        await load.SeenAsync("1.0.0", Soon());
        var report = await load.StopAsync();

        Assert.Multiple(() =>
        {
            Assert.That(ended.State, Is.EqualTo(DeploymentState.Cancelled), ended.Failure?.ToString());
            Assert.That(report.Failed, Is.Zero, report.ToString());
            Assert.That(report.Versions["2.0.0"], Is.EqualTo(then), "nobody gets there any more");
        });
        Assert.That((await daemon.StateAsync(name)).CurrentRelease, Is.EqualTo(1));
    }

    [Test]
    public async Task A_daemon_that_is_stopped_in_the_middle_serves_the_old_version_and_begins_again()
    {
        await using var daemon = await TestDaemon.StartAsync();
        var (name, host) = await FirstAsync(daemon);
        await using (var load = OpenLoopLoad.Start(Users(daemon, host)))
        {
            var seen = load.SeenAsync("2.0.0", Soon());
            await daemon.SubmitAsync(daemon.Request(Garden.Light(name, "2.0.0", host, basMalin: Steps)));
            await seen;
            await load.StopAsync();
        }

        await daemon.RestartAsync();
        Assert.That((await daemon.GetAsync(host, "/version")).Version, Is.EqualTo("1.0.0"), "the state does not know of the trial");
        await using var again = OpenLoopLoad.Start(Users(daemon, host));
        var ended = await daemon.EndAsync(new(2));

        Assert.That(ended.State, Is.EqualTo(DeploymentState.Succeeded), ended.Failure?.ToString());
        Assert.That((await daemon.GetAsync(host, "/version")).Version, Is.EqualTo("2.0.0"));
        Assert.That((await again.StopAsync()).Failed, Is.Zero);
    }

    private static async Task<(string Name, string Host)> FirstAsync(TestDaemon daemon)
    {
        var name = TestDaemon.NewName();
        var host = $"{name}.example";
        var first = await daemon.ApplyAsync(Garden.Light(name, "1.0.0", host, basMalin: Steps));
        Assert.That(first.State, Is.EqualTo(DeploymentState.Succeeded), first.Failure?.ToString());
        Assert.That(first.Steps.Single(row => row.Name == StepKind.Shift).Detail, Does.Not.Contain("of all"), "there is nothing to compare the first version with");
        return (name, host);
    }

    private static LoadOptions Users(TestDaemon daemon, string host) => new() { Address = daemon.Edge, Host = host, Rate = 60 };

    private static CancellationToken Soon() => new CancellationTokenSource(TimeSpan.FromMinutes(2)).Token;

    [GeneratedRegex(@"\((\d+\.\d) % of all\)")]
    private static partial Regex Share();

    /// <summary>A browser: it keeps its cookies, and comes again and again.</summary>
    private sealed class CanaryClient(Uri edge, string host) : IDisposable
    {
        private readonly HttpClient _client = new(new SocketsHttpHandler { UseProxy = false, CookieContainer = new() }) { BaseAddress = edge };
        private readonly List<string> _versions = [];

        /// <summary>The versions that it got, each once for as long as it stayed.</summary>
        public IReadOnlyList<string> Versions => _versions;

        public int Problems { get; private set; }

        /// <summary>When it got another version for the last time, since the first visit of all.</summary>
        public TimeSpan Changed { get; private set; }

        public async Task VisitAsync(CancellationToken leaving)
        {
            var since = TimeProvider.System.GetTimestamp();
            while (!leaving.IsCancellationRequested)
            {
                using var request = new HttpRequestMessage(HttpMethod.Get, "/version") { Headers = { Host = host } };
                using var answer = await _client.SendAsync(request, CancellationToken.None);
                if (!answer.IsSuccessStatusCode) Problems++;
                var version = answer.Headers.TryGetValues("X-Garden-Version", out var said) ? said.First() : $"{(int)answer.StatusCode}";
                if (_versions is not [.., var last] || last != version)
                {
                    _versions.Add(version);
                    Changed = TimeProvider.System.GetElapsedTime(since);
                }

                await Task.Delay(TimeSpan.FromMilliseconds(250), TimeProvider.System, leaving).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }

        public void Dispose() => _client.Dispose();
    }
}
