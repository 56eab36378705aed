using System.Globalization;
using System.Text;
using CsCheck;
using Orchestrator.Docker;

namespace Orchestrator.Tests.Docker;

public sealed class LogAssemblerTests
{
    private static readonly DateTimeOffset Noon = new(2026, 7, 1, 12, 0, 0, TimeSpan.Zero);

    [Test]
    public void Lines_come_out_whole_with_their_time_however_the_bytes_arrive()
    {
        var text = Gen.OneOf(((string[])["a", " ", "é", "🌱", "\r", "2026-07-01T12:00:00Z "]).Select(Gen.Const).ToArray()).Array[0, 12].Select(string.Concat);
        var lengths = Gen.Frequency((8, text), (1, Gen.Int[LogAssembler.MessageSize - 2, LogAssembler.MessageSize + 2].Select(length => new string('x', length))), (1, Gen.Const(new string('y', 50_000))));

        Gen.Select(lengths.Array[0, 6], Gen.Int[1, 40_000]).Sample((lines, chunk) =>
        {
            var wire = Encoding.UTF8.GetBytes(string.Concat(lines.Select((line, index) => Wire(Noon.AddSeconds(index), line))));
            var read = Read(wire, chunk);

            return read.Count == lines.Length
                && lines.Select((line, index) => (Noon.AddSeconds(index), Clean(line))).SequenceEqual(read.Select(line => (line.At, line.Text)));
        });
    }

    [Test]
    public void A_line_without_its_end_comes_when_the_stream_ends() =>
        Assert.That(Read("2026-07-01T12:00:00.123456789Z half"u8.ToArray(), 5).Single(), Is.EqualTo(new LogLine(Noon.AddTicks(1234568), false, "half")));

    [Test]
    public void A_terminals_carriage_return_is_no_text() =>
        Assert.That(Read("2026-07-01T12:00:00Z done\r\n"u8.ToArray(), 100).Single().Text, Is.EqualTo("done"));

    [Test]
    public void What_has_no_time_is_text_all_the_same() =>
        Assert.That(Read("configured logging driver keeps no times\nx\n"u8.ToArray(), 7).Select(line => line.Text), Is.EqualTo((string[])["configured logging driver keeps no times", "x"]));

    [Test]
    public void A_line_that_never_ends_is_given_in_pieces()
    {
        var wire = Encoding.ASCII.GetBytes(Wire(Noon, new string('z', LogAssembler.MaxLine * 2)));

        var read = Read(wire, 8192);

        Assert.That(read.Select(line => line.Text.Length), Is.All.LessThanOrEqualTo(LogAssembler.MaxLine));
        Assert.That(read.Sum(line => line.Text.Count(character => character == 'z')), Is.EqualTo(LogAssembler.MaxLine * 2));
        Assert.That(read.Select(line => line.At), Is.All.EqualTo(Noon));
    }

    private static string Clean(string line) => line.EndsWith('\r') ? line[..^1] : line;

    /// <summary>As the engine writes it: a time before each message of at most 16 KiB.</summary>
    private static string Wire(DateTimeOffset at, string line)
    {
        var stamp = at.ToString("yyyy-MM-ddTHH:mm:ss.fffffff00'Z' ", CultureInfo.InvariantCulture);
        var wire = new StringBuilder(stamp);
        var messages = line.Length <= LogAssembler.MessageSize ? [line] : line.Chunk(LogAssembler.MessageSize).Select(part => new string(part)).ToArray();
        return wire.AppendJoin(stamp, messages).Append('\n').ToString();
    }

    private static List<LogLine> Read(byte[] wire, int chunk)
    {
        var assembler = new LogAssembler(isError: false);
        var lines = new List<LogLine>();
        for (var at = 0; at < wire.Length; at += chunk) assembler.Append(wire.AsSpan(at, Math.Min(chunk, wire.Length - at)), lines);
        assembler.Complete(lines);
        return lines;
    }
}
