using Orchestrator.Backups.Postgres;
using Orchestrator.Tests.Journal;

namespace Orchestrator.Tests.Backups.Postgres;

public sealed class LocalLogTests
{
    private const long Segment = 1 << 12;

    [Test]
    public void A_partial_segment_of_an_earlier_process_is_kept_until_what_is_received_anew_reaches_as_far()
    {
        using var directory = new TemporaryDirectory();
        var data = Data(3000);
        using (var before = new LocalLog(directory.Path, 1, Segment, new((ulong)Segment), new((ulong)Segment)))
        {
            before.Append(new((ulong)Segment), data);
            before.Flush();
        }

        using var log = new LocalLog(directory.Path, 1, Segment, new((ulong)Segment), new Lsn((ulong)Segment) + 2500);
        log.Append(new((ulong)Segment), data.AsSpan(0, 2000));
        log.Flush();
        var early = Files();
        log.Append(new Lsn((ulong)Segment) + 2000, data.AsSpan(2000, 800));
        log.Flush();
        var late = Files();

        Assert.That(early, Is.EqualTo(new[] { ("000000010000000000000001.aside", 2000), ("000000010000000000000001.partial", 3000) }));
        Assert.That(late, Is.EqualTo(new[] { ("000000010000000000000001.partial", 2800) }));

        // The content without the zeros at its end.
        (string, int)[] Files() =>
            [.. Directory.GetFiles(directory.Path).Order().Select(file => (Path.GetFileName(file), File.ReadAllBytes(file).AsSpan().TrimEnd((byte)0).Length))];
    }

    [Test]
    public async Task What_was_written_is_read_back_across_whole_and_open_segments_and_whole_ones_are_removed()
    {
        using var directory = new TemporaryDirectory();
        var data = Data((int)Segment * 3 - 100);
        using var log = new LocalLog(directory.Path, 1, Segment, new(0), new(0));
        for (var at = 0; at < data.Length; at += 333) log.Append(new((ulong)at), data.AsSpan(at, Math.Min(333, data.Length - at)));
        log.Flush();

        var first = await ReadAsync(new(10), new((ulong)Segment));
        var open = await ReadAsync(new((ulong)(2 * Segment)), new((ulong)data.Length));
        var whole = LocalLog.WholeUntil(directory.Path, 1, Segment, new(20));
        log.Remove(new((ulong)Segment));

        Assert.Multiple(() =>
        {
            Assert.That(first, Is.EqualTo(data[10..(int)Segment]));
            Assert.That(open, Is.EqualTo(data[(2 * (int)Segment)..]));
            Assert.That(whole, Is.EqualTo(new Lsn((ulong)(2 * Segment))));
            Assert.That(Directory.GetFiles(directory.Path).Select(Path.GetFileName).Order(), Is.EqualTo(new[] { "000000010000000000000001", "000000010000000000000002.partial" }));
            Assert.That(Assert.Throws<InvalidDataException>(() => log.Append(new(5), data))!.Message, Does.Contain("was due"));
        });

        async Task<byte[]> ReadAsync(Lsn from, Lsn to)
        {
            await using var stream = log.Read(from, to);
            using var content = new MemoryStream();
            await stream.CopyToAsync(content);
            return content.ToArray();
        }
    }

    private static byte[] Data(int length) => [.. Enumerable.Range(1, length).Select(value => (byte)(value % 255 + 1))];
}
