using System.Net;

namespace Orchestrator.Tests.Systemd;

/// <summary>The life of an installation: laid down, booted, taken away.</summary>
[TestFixture]
public sealed class MachineTests
{
    [Test]
    public async Task An_installation_survives_a_reboot_and_leaves_nothing_behind_when_it_is_taken_away()
    {
        await using var machine = await SystemdMachine.StartAsync();
        await machine.InstallAsync();
        var again = await machine.RunAsync($"{SystemdMachine.Shared}/basmalin install --json");
        Assert.That(again, Does.Not.Contain("written").And.Not.Contain("replaced"), "a second time changes nothing");
        Assert.That(await machine.RunAsync("stat -c '%U:%G %a' /var/lib/basmalin /etc/basmalin /run/basmalin/admin.sock /var/lib/basmalin/journal.db"),
            Is.EqualTo("basmalin:basmalin 700\nroot:basmalin 750\nbasmalin:basmalin 660\nbasmalin:basmalin 600"));
        Assert.That(await machine.RunAsync("stat -c %U /proc/$(systemctl show --property=MainPID --value basmalin)"), Is.EqualTo("basmalin"));

        // Who is of the group drives the daemon; nobody else does.
        await machine.RunAsync("useradd -m -G basmalin alice && useradd -m bob && su alice -s /bin/sh -c 'basmalin status'");
        Assert.That((await machine.TryAsync("su bob -s /bin/sh -c 'basmalin status'")).ExitCode, Is.Not.Zero);

        await machine.ApplyAsync();
        await machine.RebootAsync();
        await machine.OtherProcessAsync("");
        Assert.That(await machine.GetAsync(machine.EdgePort), Is.EqualTo(HttpStatusCode.OK), "it is back by itself, with its routes");

        await machine.RunAsync("basmalin uninstall");
        Assert.That(await machine.RunAsync("ls /usr/local/bin /etc/systemd/system | grep basmalin || ls /etc/basmalin"), Is.EqualTo("agent.yml"));
        Assert.That((await machine.TryAsync("systemctl status basmalin.service")).ExitCode, Is.EqualTo(4), "systemd knows no such unit");
        await machine.RunAsync($"{SystemdMachine.Shared}/basmalin install");
        Assert.That(await machine.GetAsync(machine.EdgePort), Is.EqualTo(HttpStatusCode.OK), "the data had stayed");

        await machine.RunAsync("cp /usr/local/bin/basmalin /tmp/basmalin && /tmp/basmalin uninstall --purge");
        Assert.That(await machine.RunAsync("ls -d /var/lib/basmalin /etc/basmalin /var/log/basmalin 2>/dev/null || getent passwd basmalin || echo nothing"), Is.EqualTo("nothing"));
    }

    [Test]
    public async Task Without_root_or_without_systemd_it_says_so()
    {
        await using var machine = await SystemdMachine.StartAsync();
        await machine.RunAsync("useradd -m alice");

        var user = await machine.TryAsync($"su alice -s /bin/sh -c '{SystemdMachine.Shared}/basmalin install'");
        var upgrade = await machine.TryAsync($"{SystemdMachine.Shared}/basmalin upgrade {SystemdMachine.Shared}/basmalin");

        Assert.That((user.ExitCode, upgrade.ExitCode), Is.EqualTo((1, 1)));
        Assert.That(user.Error, Does.Contain("only root"));
        Assert.That(upgrade.Error, Does.Contain("not installed here"));
    }
}
