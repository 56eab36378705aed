using System.Buffers;
using System.Globalization;
using System.Text;

namespace Orchestrator.Docker;

/// <summary>
/// Makes lines out of one stream of a container's log as the engine sends it: each message begins with its time. The engine cuts what a container
/// writes into messages of 16 KiB, and puts a time before each: those inside a long line are taken out again.
/// </summary>
internal sealed class LogAssembler(bool isError)
{
    /// <summary>Bytes of text in a full message of the engine, after which a line goes on in the next.</summary>
    internal const int MessageSize = 16 * 1024;

    /// <summary>A line that is longer is given in pieces, so that a container which never ends its line cannot fill the memory.</summary>
    internal const int MaxLine = 256 * 1024;

    /// <summary>The longest time stamp: nine digits of a second and a numeric offset.</summary>
    private const int MaxStamp = 40;

    private readonly ArrayBufferWriter<byte> _text = new();
    private readonly ArrayBufferWriter<byte> _stamp = new(MaxStamp);
    private DateTimeOffset _at;
    private bool _inStamp = true;
    private bool _begun;
    private int _sinceStamp;

    /// <summary>Takes the next bytes and gives the lines that they complete.</summary>
    public void Append(ReadOnlySpan<byte> bytes, ICollection<LogLine> lines)
    {
        while (!bytes.IsEmpty)
        {
            if (_inStamp) bytes = TakeStamp(bytes);
            else bytes = TakeText(bytes, lines);
        }
    }

    /// <summary>What is left when the stream ends: a line without its end.</summary>
    public void Complete(ICollection<LogLine> lines)
    {
        if (_inStamp && _stamp.WrittenCount > 0) EndStamp(isStamp: false);
        if (_begun) Emit(lines);
    }

    private ReadOnlySpan<byte> TakeStamp(ReadOnlySpan<byte> bytes)
    {
        var space = bytes.IndexOf((byte)' ');
        var newline = bytes.IndexOf((byte)'\n');
        var ended = space >= 0 && (newline < 0 || space < newline);
        var length = ended ? space : newline >= 0 ? newline : bytes.Length;
        length = Math.Min(length, MaxStamp - _stamp.WrittenCount);
        _stamp.Write(bytes[..length]);
        var rest = bytes[length..];

        // No stamp where one should be (a driver that keeps none): it is text, and the line is as old as the last one.
        if (!ended && newline < 0 && _stamp.WrittenCount < MaxStamp) return rest;
        if (ended && rest is [(byte)' ', ..] && Stamp() is { } at)
        {
            // A line is as old as its beginning.
            if (!_begun) _at = at;
            EndStamp(isStamp: true);
            return rest[1..];
        }

        EndStamp(isStamp: false);
        return rest;
    }

    private DateTimeOffset? Stamp() => DateTimeOffset.TryParse(
        Encoding.ASCII.GetString(_stamp.WrittenSpan), CultureInfo.InvariantCulture, DateTimeStyles.AdjustToUniversal | DateTimeStyles.AssumeUniversal, out var at)
        ? at
        : null;

    private void EndStamp(bool isStamp)
    {
        if (!isStamp) _text.Write(_stamp.WrittenSpan);
        _sinceStamp = isStamp ? 0 : _stamp.WrittenCount;
        _stamp.ResetWrittenCount();
        _inStamp = false;
        _begun = true;
    }

    private ReadOnlySpan<byte> TakeText(ReadOnlySpan<byte> bytes, ICollection<LogLine> lines)
    {
        if (bytes[0] == (byte)'\n')
        {
            Emit(lines);
            _inStamp = true;
            return bytes[1..];
        }

        if (_sinceStamp == MessageSize)
        {
            _inStamp = true;
            return bytes;
        }

        var newline = bytes.IndexOf((byte)'\n');
        var length = Math.Min(newline >= 0 ? newline : bytes.Length, MessageSize - _sinceStamp);
        _text.Write(bytes[..length]);
        _sinceStamp += length;
        if (_text.WrittenCount >= MaxLine)
        {
            Emit(lines);
            _begun = true;
        }

        return bytes[length..];
    }

    private void Emit(ICollection<LogLine> lines)
    {
        var text = _text.WrittenSpan;
        if (text is [.., (byte)'\r']) text = text[..^1];
        lines.Add(new LogLine(_at, isError, Encoding.UTF8.GetString(text)));
        _text.ResetWrittenCount();
        _begun = false;
    }
}
