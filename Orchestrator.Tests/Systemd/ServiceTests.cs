using System.Net;
using Orchestrator.Tests.Load;

namespace Orchestrator.Tests.Systemd;

/// <summary>The installed service under a real systemd: restarted, killed, hung, crashed, upgraded, with users who notice nothing.</summary>
[TestFixture]
public sealed class ServiceTests
{
    private const string SlowPath = "/api/slow?ms=300";

    private SystemdMachine _machine = null!;

    [OneTimeSetUp]
    public async Task InstallAsync()
    {
        _machine = await SystemdMachine.StartAsync();
        await _machine.InstallAsync();
        await _machine.ApplyAsync();
    }

    [OneTimeTearDown]
    public async Task RemoveAsync()
    {
        if (_machine is not null) await _machine.DisposeAsync();
    }

    [Test]
    public async Task Twenty_restarts_under_load_refuse_nobody_and_reset_nobody()
    {
        await using var kept = KeptConnections.Start(_machine.Edge, _machine.Host, busy: 4, idle: 4);
        await using var published = KeptConnections.Start(new Uri($"http://127.0.0.1:{_machine.PublishedPort}"), _machine.Host, busy: 1, idle: 2);
        await using var load = OpenLoopLoad.Start(Users() with { Rate = 50, WebSocketPath = "/api/ws", EventsPath = "/api/events" });
        await load.SeenAsync("1.0.0", Soon());

        for (var restart = 0; restart < 20; restart++) await _machine.RunAsync("systemctl restart basmalin");

        await load.SeenAsync("1.0.0", Soon());
        var report = await load.StopAsync();
        TestContext.Out.WriteLine(report);
        TestContext.Out.WriteLine($"kept connections: {kept.Answers} answers, {kept.Told} told that they end, {kept.Returns + published.Returns} after a long pause; longest wait {report.Milliseconds.Max:0} ms");
        Assert.Multiple(() =>
        {
            Assert.That(report.Failed, Is.Zero, report.ToString());
            Assert.That(kept.Failures.Concat(published.Failures), Is.Empty);
            Assert.That(kept.Told, Is.GreaterThan(0), "connections are told that they end");
            Assert.That(new[] { kept.Returns, published.Returns }, Is.All.GreaterThan(0), "idle ones go on with the next daemon, and none of them is ended");
            Assert.That(published.Answers, Is.GreaterThan(0), "a published port is kept as well");
            Assert.That(report.WebSocketCloses, Is.Not.Empty.And.All.EqualTo(1012), "WebSockets are asked to come back");
            Assert.That(report.EventStreamsCut, Is.Zero, "event streams end in good order");
        });
        Assert.That(await _machine.ShowAsync("NRestarts"), Is.EqualTo("0"), "each of them was asked for");
        Assert.That(await _machine.ShowAsync("NFileDescriptorStore"), Is.EqualTo("1"), "the listener of the published port; connections are the daemon's alone again");
    }

    [Test]
    public async Task A_kill_under_load_costs_only_what_was_under_way()
    {
        await using var load = OpenLoopLoad.Start(Users() with { Rate = 50 });
        await load.SeenAsync("1.0.0", Soon());
        var lost = 0L;
        for (var kill = 0; kill < 3; kill++)
        {
            await CaughtUpAsync(load);
            var process = await _machine.MainProcessAsync();
            var before = load.Report();
            await _machine.RunAsync($"kill -9 {process}");
            var after = load.Report();
            lost += after.Sent - before.Ok - before.Failed;     // under way at some time between the two looks: no less than at the kill itself
            await _machine.OtherProcessAsync(process);
            await load.SeenAsync("1.0.0", Soon());
        }

        var report = await load.StopAsync();
        TestContext.Out.WriteLine(report);
        Assert.That(report.Failed, Is.LessThanOrEqualTo(lost), report.ToString());
        Assert.That(report.Failures, Has.None.Contains("refused"), "who comes meanwhile waits");
        Assert.That(await _machine.GetAsync(_machine.PublishedPort), Is.EqualTo(HttpStatusCode.OK));
    }

    [Test]
    public async Task A_daemon_that_hangs_is_started_anew_by_the_watchdog()
    {
        var process = await _machine.MainProcessAsync();
        await _machine.RunAsync($"kill -STOP {process}");

        await _machine.OtherProcessAsync(process);

        Assert.That(await _machine.RunAsync("journalctl -u basmalin -o cat --no-pager | grep -c 'Watchdog timeout'"), Is.Not.EqualTo("0"));
        Assert.That(await _machine.GetAsync(_machine.EdgePort), Is.EqualTo(HttpStatusCode.OK));
    }

    [Test]
    public async Task A_part_that_crashes_ends_the_daemon_with_1_and_systemd_starts_it_again()
    {
        var flag = _machine.File("crash");
        File.Copy(typeof(ServiceTests).Assembly.Location, _machine.File("hook.dll"), overwrite: true);
        await _machine.RunAsync($"""
            printf '[Service]\nEnvironment=DOTNET_STARTUP_HOOKS={SystemdMachine.Shared}/hook.dll BASMALIN_TEST_CRASH={SystemdMachine.Shared}/crash\n' >/etc/systemd/system/basmalin.service.d/crash.conf
            systemctl daemon-reload && systemctl restart basmalin
            """);
        try
        {
            var process = await _machine.MainProcessAsync();
            await File.WriteAllTextAsync(flag, "");
            await _machine.OtherProcessAsync(process);
        }
        finally
        {
            File.Delete(flag);
            await _machine.RunAsync("rm /etc/systemd/system/basmalin.service.d/crash.conf && systemctl daemon-reload && systemctl restart basmalin");
        }

        Assert.That(await _machine.RunAsync("journalctl -u basmalin -o cat --no-pager"), Does.Contain("crashed; the daemon ends").And.Contain("status=1/FAILURE"));
        Assert.That(await _machine.GetAsync(_machine.EdgePort), Is.EqualTo(HttpStatusCode.OK));
    }

    [Test]
    public async Task An_upgrade_to_a_good_version_in_the_middle_of_a_deployment_loses_nothing_and_the_deployment_ends_well()
    {
        var version = Other(await PublishedProgram.VersionAsync(), '7');
        await PublishedProgram.WithVersionAsync(version, _machine.File("good"));
        await using var load = OpenLoopLoad.Start(Users() with { Rate = 30 });
        await load.SeenAsync("1.0.0", Soon());

        await _machine.RunAsync($"basmalin deploy {_machine.Stack} --image app={Engine.Garden.Image("2.0.0")} --detach");
        var upgraded = await _machine.RunAsync($"basmalin upgrade {SystemdMachine.Shared}/good --sha256 $(sha256sum {SystemdMachine.Shared}/good | cut -d' ' -f1)");
        await load.SeenAsync("2.0.0", Soon());
        var report = await load.StopAsync();

        Assert.That(upgraded, Does.Contain($"upgraded to {version}"));
        Assert.That((await _machine.VersionAsync())["daemon"]!["version"]!.GetValue<string>(), Is.EqualTo(version));
        Assert.That(report.Failed, Is.Zero, report.ToString());
        await _machine.RunAsync($"for i in $(seq 120); do basmalin history {_machine.Stack} --limit 1 --json | grep -q succeeded && exit 0; sleep 0.5; done; basmalin history {_machine.Stack}; exit 1");

        // Back to where the other tests expect it, by the same way.
        await _machine.RunAsync($"basmalin rollback {_machine.Stack} && basmalin upgrade {SystemdMachine.Shared}/basmalin");
    }

    [Test]
    public async Task A_version_that_does_not_start_is_replaced_by_the_one_before_and_nobody_notices()
    {
        // A migration that is not the one which the journal has seen: a program that starts, says who it is, and cannot do its work.
        PublishedProgram.Patched("CREATE TABLE releases"u8.ToArray(), "CREATE TABLE releasez"u8.ToArray(), _machine.File("bad"));
        await using var load = OpenLoopLoad.Start(Users() with { Rate = 30 });
        await load.SeenAsync("1.0.0", Soon());

        var (exitCode, output, error) = await _machine.TryAsync($"basmalin upgrade {SystemdMachine.Shared}/bad");
        await load.SeenAsync("1.0.0", Soon());
        var report = await load.StopAsync();

        Assert.That((exitCode, error), Is.EqualTo((1, "")), output);
        Assert.That(output, Does.Contain("runs again").And.Contain("migration"), "it says which version runs, and why");
        Assert.That(await _machine.RunAsync($"cmp /usr/local/bin/basmalin {SystemdMachine.Shared}/basmalin && systemctl is-active basmalin"), Is.EqualTo("active"));
        Assert.That(report.Failed, Is.Zero, report.ToString());
    }

    [Test]
    public async Task What_cannot_become_the_daemon_is_refused_before_anything_is_touched()
    {
        var process = await _machine.MainProcessAsync();
        await File.WriteAllTextAsync(_machine.File("script"), "#!/bin/sh\necho hello\n");
        await _machine.RunAsync($"cp /bin/true {SystemdMachine.Shared}/true");

        var script = await _machine.TryAsync($"basmalin upgrade {SystemdMachine.Shared}/script");
        var foreign = await _machine.TryAsync($"basmalin upgrade {SystemdMachine.Shared}/true");
        var hash = await _machine.TryAsync($"basmalin upgrade {SystemdMachine.Shared}/basmalin --sha256 {new string('0', 64)}");
        var same = await _machine.RunAsync($"basmalin upgrade {SystemdMachine.Shared}/basmalin");
        var second = await _machine.TryAsync($"flock /run/basmalin-upgrade.lock basmalin upgrade {SystemdMachine.Shared}/basmalin");

        Assert.Multiple(() =>
        {
            Assert.That(script.Error, Does.Contain("is not a program"));
            Assert.That(foreign.Error, Does.Contain("is not BasMalin"));
            Assert.That(hash.Error, Does.Contain("is not the file that was meant"));
            Assert.That(same, Does.Contain("installed already"));
            Assert.That(second.Error, Does.Contain("another upgrade is under way"));
            Assert.That(new[] { script.ExitCode, foreign.ExitCode, hash.ExitCode, second.ExitCode }, Is.All.EqualTo(1));
        });
        Assert.That(await _machine.MainProcessAsync(), Is.EqualTo(process));
    }

    /// <summary>Waits until those who had to wait have their answers.</summary>
    private static async Task CaughtUpAsync(OpenLoopLoad load)
    {
        var patience = Soon();
        for (var report = load.Report(); report.Sent - report.Ok - report.Failed > 10; report = load.Report())
            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, patience);
    }

    /// <summary>The version with another digit before its commit.</summary>
    private static string Other(string version, char digit)
    {
        var other = version.ToCharArray();
        other[version.IndexOf('.', version.IndexOf('.', StringComparison.Ordinal) + 1) + 1] = digit;
        return new string(other);
    }

    private LoadOptions Users() => new() { Address = _machine.Edge, Host = _machine.Host, SlowPath = SlowPath };

    private static CancellationToken Soon() => new CancellationTokenSource(TimeSpan.FromMinutes(3)).Token;
}
