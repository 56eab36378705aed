using System.Net;
using System.Net.Sockets;
using Orchestrator.Traffic.Handover;

namespace Orchestrator.Tests.Traffic.Handover;

/// <summary>What the kernel says of a connection is, to the byte, what programs have read and written.</summary>
[TestFixture]
public sealed class SocketCountsTests
{
    private Socket _client = null!;
    private Socket _server = null!;

    [SetUp]
    public async Task ConnectAsync()
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        _client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = 4096 };
        await _client.ConnectAsync(listener.LocalEndPoint!);
        _server = await listener.AcceptAsync();
    }

    [TearDown]
    public void Close()
    {
        _client.Dispose();
        _server.Dispose();
    }

    [Test]
    public void A_new_connection_has_none() => Assert.That(SocketCounts.Of(_server), Is.EqualTo(new SocketCounts(0, 0)));

    [Test]
    public async Task What_waits_in_the_kernel_was_not_read()
    {
        await _client.SendAsync(new byte[100_000]);
        while (_server.Available < 100_000) await Task.Yield();
        var waiting = SocketCounts.Of(_server);
        var read = await _server.ReceiveAsync(new byte[30_000]);

        Assert.That((waiting?.Received, SocketCounts.Of(_server)?.Received), Is.EqualTo((0L, (long)read)));
    }

    [Test]
    public async Task What_was_written_counts_wherever_it_is()
    {
        _server.Blocking = false;
        var sent = 0L;
        for (var full = false; !full;)
        {
            sent += _server.Send(new byte[8192], SocketFlags.None, out var error);
            full = error is SocketError.WouldBlock;
        }

        var before = SocketCounts.Of(_server)?.Sent;
        await _client.ReceiveAsync(new byte[4096]);

        Assert.That((before, SocketCounts.Of(_server)?.Sent), Is.EqualTo((sent, sent)));
    }

    [Test]
    public void The_end_of_the_other_side_counts_as_one_so_that_such_a_connection_is_no_idle_one()
    {
        _client.Shutdown(SocketShutdown.Send);
        Assert.That(_server.Receive(new byte[1]), Is.Zero);

        Assert.That(SocketCounts.Of(_server), Is.EqualTo(new SocketCounts(1, 0)));
    }

    [Test]
    public void A_socket_that_is_no_TCP_connection_has_no_counts()
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        Assert.That(SocketCounts.Of(socket), Is.Null);
    }
}
