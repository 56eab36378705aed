using System.Diagnostics;
using Orchestrator.Agent.Hosting;

namespace Orchestrator.Tests.Agent.Auth;

public sealed class AdminSocketTests
{
    [Test]
    public async Task The_socket_is_for_its_owner_alone()
    {
        await using var daemon = await RunningDaemon.StartAsync();

        Assert.That(File.GetUnixFileMode(daemon.Options.Admin.Socket), Is.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite));
    }

    [Test]
    public async Task Another_user_is_turned_away_even_where_the_file_would_let_them_in()
    {
        await using var daemon = await RunningDaemon.StartAsync();
        foreach (var path in new[] { daemon.Directory, daemon.Options.Admin.Socket })
            File.SetUnixFileMode(path, (UnixFileMode)0b111_111_111);

        var asRoot = await CurlAsync(daemon.Options.Admin.Socket);
        var asNobody = await CurlAsync(daemon.Options.Admin.Socket, "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups");

        Assert.That(asRoot, Is.EqualTo((0, "ok\n")));
        Assert.That(asNobody.ExitCode, Is.Not.Zero, "the connection is cut before anything is answered");
        Assert.That(asNobody.Output, Is.Empty);
    }

    [Test]
    public async Task What_a_killed_daemon_has_left_is_no_obstacle_and_a_living_one_is()
    {
        await using var daemon = await RunningDaemon.StartAsync();
        var socket = daemon.Options.Admin.Socket;

        Assert.That(AdminSocket.Prepare(socket), Is.EqualTo($"another daemon listens on {socket}"));

        var left = Path.Combine(daemon.Directory, "left.sock");
        using (var dead = new System.Net.Sockets.Socket(System.Net.Sockets.AddressFamily.Unix, System.Net.Sockets.SocketType.Stream, default))
        {
            dead.Bind(new System.Net.Sockets.UnixDomainSocketEndPoint(left));
            Assert.That(AdminSocket.Prepare(left), Is.Null, "bound, but nobody listens");
        }

        Assert.That(File.Exists(left), Is.False);
    }

    private static async Task<(int ExitCode, string Output)> CurlAsync(string socket, params string[] wrapper)
    {
        string[] command = [.. wrapper, "curl", "-sS", "--max-time", "10", "--unix-socket", socket, "http://localhost/healthz"];
        using var process = Process.Start(new ProcessStartInfo(command[0], command[1..]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, output);
    }
}
