using System.Net.Sockets;
using System.Text;
using Orchestrator.Agent.Api.Contracts;
using Orchestrator.Agent.Cli;
using Orchestrator.Tests.Journal;

namespace Orchestrator.Tests.Agent.Cli;

/// <summary>A socket that somebody listens at, as systemd does, for a daemon that does not come, or takes its time.</summary>
public sealed class SilentDaemonTests
{
    private static readonly TimeSpan Silence = TimeSpan.FromMilliseconds(200);

    [Test]
    public async Task One_that_takes_connections_and_never_answers_is_given_up()
    {
        using var directory = new TemporaryDirectory();
        using var listener = Listen(directory["admin.sock"]);
        using var client = AgentClient.Create(null, null, directory["admin.sock"], namedSocket: true, Silence);

        var failure = await Assert.ThrowsAsync<CliFailure>(() => client.GetAsync("version", ApiJson.Default.VersionReport, CancellationToken.None));

        Assert.That(failure!.Message, Does.StartWith("no daemon answers at"));
        Assert.That(failure.Hint, Does.Contain("systemctl status basmalin"));
    }

    [Test]
    public async Task One_that_lives_may_take_its_time()
    {
        using var directory = new TemporaryDirectory();
        using var listener = Listen(directory["admin.sock"]);
        using var client = AgentClient.Create(null, null, directory["admin.sock"], namedSocket: true, Silence);
        var asked = client.DoAsync(new HttpRequestMessage(HttpMethod.Get, "slow"), CancellationToken.None);

        using var slow = await listener.AcceptAsync();
        for (var look = 0; look < 3; look++)
        {
            using var alive = await listener.AcceptAsync();
            Assert.That(await ReadAsync(alive), Does.StartWith("GET /healthz "));
            await alive.SendAsync("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"u8.ToArray());
        }

        Assert.That(asked.IsCompleted, Is.False);
        await slow.SendAsync("HTTP/1.1 204 No Content\r\n\r\n"u8.ToArray());
        await asked;
    }

    private static Socket Listen(string path)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(path));
        socket.Listen(10);
        return socket;
    }

    private static async Task<string> ReadAsync(Socket socket)
    {
        var buffer = new byte[4096];
        return Encoding.ASCII.GetString(buffer, 0, await socket.ReceiveAsync(buffer));
    }
}
