using System.Globalization;
using Orchestrator.Agent.Hosting;
using Orchestrator.Agent.Installation;
using Orchestrator.Tests.Architecture;
using Orchestrator.Tests.Docker;
using Orchestrator.Tests.Systemd;

namespace Orchestrator.Tests.Agent.Installation;

/// <summary>What is laid down, below a directory that stands for a machine.</summary>
[TestFixture]
public sealed class InstallTests
{
    // What remains is what it needs: the host's network and sockets, the engine's socket, a few capabilities, a JIT compiler.
    private const double HighestExposure = 2.5;

    private string _root = "";

    [SetUp]
    public void SetUp() => _root = Directory.CreateTempSubdirectory("basmalin-root-").FullName;

    [TearDown]
    public void TearDown() => Directory.Delete(_root, recursive: true);

    [Test]
    public async Task Everything_is_laid_down_as_it_is_in_config_and_a_second_time_changes_nothing()
    {
        var first = await InstallAsync();
        var second = await InstallAsync();

        Assert.That(first.ExitCode, Is.Zero, first.Error);
        foreach (var (file, source) in new[]
        {
            ("etc/systemd/system/basmalin.service", "config/systemd/basmalin.service"), ("etc/systemd/system/basmalin.socket", "config/systemd/basmalin.socket"),
            ("etc/sysusers.d/basmalin.conf", "config/systemd/basmalin.sysusers"), ("etc/basmalin/agent.yml", "config/agent.yml"),
        })
            Assert.That(File.ReadAllText(Path.Combine(_root, file)), Is.EqualTo(File.ReadAllText(Repository.PathOf(source))), file);
        Assert.That(File.GetUnixFileMode(Path.Combine(_root, "usr/local/bin/basmalin")), Is.EqualTo(Mode("755")));
        Assert.That(File.GetUnixFileMode(Path.Combine(_root, "etc/basmalin")), Is.EqualTo(Mode("750")));
        Assert.That(File.GetUnixFileMode(Path.Combine(_root, "var/lib/basmalin")), Is.EqualTo(Mode("700")));
        Assert.That(second.Json["steps"]!.AsArray().Select(step => step!["outcome"]!.GetValue<string>()), Is.All.AnyOf("unchanged", "kept", "not there", "left to the machine"));
    }

    [Test]
    public async Task A_dry_run_says_it_all_and_writes_nothing()
    {
        var result = await InstallAsync("--dry-run");

        Assert.That(result.ExitCode, Is.Zero, result.Error);
        Assert.That(result.Out, Does.Contain("basmalin.service").And.Contain("would be written").And.Contain("systemctl enable"));
        Assert.That(Directory.EnumerateFileSystemEntries(_root), Is.Empty);
    }

    [Test]
    public async Task Settings_that_are_there_are_kept_and_the_units_follow_them()
    {
        const string Settings = """
            data: /srv/basmalin
            edge: { http: ["*:8080", "127.0.0.1:8081"], access_log: { file: /srv/access.json } }
            admin: { listen: none, socket: /run/basmalin/other.sock }
            backups: { directory: /mnt/other/backups, stores: [{ name: nas, directory: /mnt/nas/backups }] }
            """;
        Directory.CreateDirectory(Path.Combine(_root, "etc/basmalin"));
        await File.WriteAllTextAsync(Path.Combine(_root, "etc/basmalin/agent.yml"), Settings);

        var result = await InstallAsync();

        Assert.That(result.ExitCode, Is.Zero, result.Error);
        Assert.That(await File.ReadAllTextAsync(Path.Combine(_root, "etc/basmalin/agent.yml")), Is.EqualTo(Settings));
        Assert.That(await File.ReadAllTextAsync(Path.Combine(_root, "etc/systemd/system/basmalin.socket.d/listen.conf")),
            Does.EndWith("[Socket]\nListenStream=\nListenStream=8080\nListenStream=127.0.0.1:8081\nListenStream=/run/basmalin/other.sock\n"));
        Assert.That(await File.ReadAllTextAsync(Path.Combine(_root, "etc/systemd/system/basmalin.service.d/settings.conf")),
            Does.Contain("ReadWritePaths=/srv/basmalin\n").And.Contain("ReadWritePaths=/srv\n").And.Contain("ReadWritePaths=/mnt/other/backups\n").And.Contain("ReadWritePaths=/mnt/nas/backups\n"));
    }

    [Test]
    public async Task Settings_that_cannot_be_used_are_refused_with_their_line()
    {
        Directory.CreateDirectory(Path.Combine(_root, "etc/basmalin"));
        await File.WriteAllTextAsync(Path.Combine(_root, "etc/basmalin/agent.yml"), "edge:\n  htp: []\n");

        var result = await InstallAsync();

        Assert.That(result.ExitCode, Is.EqualTo(1));
        Assert.That(result.Error, Does.Contain("agent.yml:2").And.Contain("htp"));
    }

    [Test]
    public async Task What_is_no_program_is_not_installed()
    {
        var text = Path.Combine(_root, "program");
        await File.WriteAllTextAsync(text, "#!/bin/sh\nexit 0\n");

        var script = await CliResult.OfAsync("install", "--root", _root, "--from", text);
        var one = await CliResult.OfAsync("install", "--root", _root, "--from", Path.Combine(AppContext.BaseDirectory, "basmalin"));

        Assert.That((script.ExitCode, one.ExitCode), Is.EqualTo((1, 1)));
        Assert.That(script.Error, Does.Contain("is not a program"));
        Assert.That(one.Error, Does.Contain("one file of many").And.Contain("SingleFile"), "the build output needs its libraries beside it");
    }

    [Test]
    public async Task Uninstalling_leaves_settings_and_data_unless_it_is_told_otherwise()
    {
        await InstallAsync();
        await File.WriteAllTextAsync(Path.Combine(_root, "var/lib/basmalin/journal.db"), "");

        var gone = await CliResult.OfAsync("uninstall", "--root", _root);
        Assert.That(gone.ExitCode, Is.Zero, gone.Error);
        Assert.That(File.Exists(Path.Combine(_root, "usr/local/bin/basmalin")) || File.Exists(Path.Combine(_root, "etc/systemd/system/basmalin.service")), Is.False);
        Assert.That(File.Exists(Path.Combine(_root, "var/lib/basmalin/journal.db")) && File.Exists(Path.Combine(_root, "etc/basmalin/agent.yml")), Is.True);

        var purged = await CliResult.OfAsync("uninstall", "--root", _root, "--purge");
        Assert.That(purged.ExitCode, Is.Zero, purged.Error);
        Assert.That(Directory.Exists(Path.Combine(_root, "var/lib/basmalin")) || Directory.Exists(Path.Combine(_root, "etc/basmalin")), Is.False);
    }

    [Test]
    public void The_socket_unit_listens_where_the_default_settings_do() =>
        Assert.That(
            File.ReadLines(Repository.PathOf("config", "systemd", "basmalin.socket")).Where(line => line.StartsWith("ListenStream=", StringComparison.Ordinal)).Select(line => line["ListenStream=".Length..]),
            Is.EqualTo(UnitFiles.Listeners(new AgentOptions())));

    [Test]
    public async Task Systemd_finds_nothing_wrong_with_the_units()
    {
        await InstallAsync();
        await Command.EnsureAsync("/usr/bin/systemd-analyze", "systemd");

        // The program is looked for on this machine, whatever the root.
        var service = Path.Combine(_root, "etc/systemd/system/basmalin.service");
        await File.WriteAllTextAsync(service, (await File.ReadAllTextAsync(service)).Replace("/usr/local/bin/basmalin", Path.Combine(_root, "usr/local/bin/basmalin"), StringComparison.Ordinal));
        await Command.RunAsync("systemd-analyze", "verify", service, Path.Combine(_root, "etc/systemd/system/basmalin.socket"));
    }

    [Test]
    public async Task The_service_is_as_confined_as_driving_an_engine_allows()
    {
        await Command.EnsureAsync("/usr/bin/systemd-analyze", "systemd");
        var threshold = (HighestExposure * 10).ToString("0", CultureInfo.InvariantCulture);
        await Command.RunAsync("systemd-analyze", "security", "--offline=true", $"--threshold={threshold}", Repository.PathOf("config", "systemd", "basmalin.service"));
    }

    private Task<CliResult> InstallAsync(params string[] more) => CliResult.OfAsync(["install", "--root", _root, "--from", PublishedProgram.Path, "--json", .. more]);

    private static UnixFileMode Mode(string octal) => (UnixFileMode)Convert.ToInt32(octal, 8);
}
