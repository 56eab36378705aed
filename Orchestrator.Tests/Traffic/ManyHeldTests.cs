using System.Globalization;
using System.Net.Sockets;
using System.Text;
using Orchestrator.Traffic;

namespace Orchestrator.Tests.Traffic;

/// <summary>What a service with many users goes through when nothing is there to answer them for a moment.</summary>
[TestFixture]
[NonParallelizable]    // it needs nearly all handles that a process may have
public sealed class ManyHeldTests
{
    // Both ends of each connection are in this process, which may have 20,000 handles at the usual limit: so not all of the 10,000 at once.
    private const int First = 9_400;
    private const int Second = 600;
    private const long BytesEach = 64 * 1024;

    [Test]
    public async Task Of_ten_thousand_held_requests_those_whose_clients_leave_are_let_go_and_all_others_are_answered()
    {
        Assert.That(HandleLimit(), Is.AtLeast(20_000), "The test needs so many handles: ulimit -Hn 20000, or more.");

        await using var blue = await Backend.StartAsync("blue");
        await using var bed = await EdgeBed.StartAsync(new EdgeOptions { HoldLimit = 10_000, HoldFor = TimeSpan.FromMinutes(5) });
        var upstream = bed.Upstream("blue", blue);
        upstream.SetAvailable(blue.Host, false);
        bed.Publish(upstream);
        var before = GC.GetTotalMemory(forceFullCollection: true);

        var clients = await ConnectAsync(bed, First);
        await bed.HeldAsync(First);
        var each = (GC.GetTotalMemory(forceFullCollection: true) - before) / First;
        Leave(clients, First / 2);
        await bed.HeldAsync(First - (First / 2));
        clients.AddRange(await ConnectAsync(bed, Second));
        await bed.HeldAsync(First - (First / 2) + Second);
        Leave(clients, Second / 2);
        await bed.HeldAsync(5_000);

        var started = TimeProvider.System.GetTimestamp();
        upstream.SetAvailable(blue.Host, true);
        var answers = await Task.WhenAll(clients.Select(ReadAnswerAsync));
        var took = TimeProvider.System.GetElapsedTime(started);
        await bed.HeldAsync(0);

        TestContext.Out.WriteLine($"{each} bytes for each held request, both ends; {answers.Length} answered within {took.TotalSeconds:0.0} s of the replica's return");
        Assert.Multiple(() =>
        {
            Assert.That(answers, Has.Length.EqualTo(5_000).And.All.StartsWith("HTTP/1.1 200 OK"));
            Assert.That((blue.Requests, upstream.InFlight), Is.EqualTo((5_000, 0)), "nobody is asked for who has left");
            Assert.That(upstream.Traffic.Snapshot() is { Total: 10_000, Failed: 0 }, Is.True);
            Assert.That(each, Is.LessThan(BytesEach));
        });
        clients.ForEach(client => client.Dispose());
    }

    private static async Task<List<Socket>> ConnectAsync(EdgeBed bed, int count)
    {
        var clients = new List<Socket>();
        foreach (var part in Enumerable.Range(0, count).Chunk(200))
        {
            clients.AddRange(await Task.WhenAll(part.Select(async _ =>
            {
                var client = new Socket(SocketType.Stream, ProtocolType.Tcp);
                await client.ConnectAsync(bed.Edge.Addresses[0]);
                await client.SendAsync("GET / HTTP/1.1\r\nHost: garden.example\r\n\r\n"u8.ToArray());
                return client;
            })));
        }

        return clients;
    }

    private static void Leave(List<Socket> clients, int count)
    {
        foreach (var client in clients.TakeLast(count))
            client.Dispose();
        clients.RemoveRange(clients.Count - count, count);
    }

    private static async Task<string> ReadAnswerAsync(Socket client)
    {
        var buffer = new byte[4096];
        var read = await client.ReceiveAsync(buffer).WaitAsync(TimeSpan.FromSeconds(60));
        return Encoding.ASCII.GetString(buffer, 0, read);
    }

    private static long HandleLimit()
    {
        const string name = "Max open files";
        var line = File.ReadLines("/proc/self/limits").First(line => line.StartsWith(name, StringComparison.Ordinal));
        return long.TryParse(line[name.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries)[0], NumberStyles.None, CultureInfo.InvariantCulture, out var limit) ? limit : long.MaxValue;
    }
}
