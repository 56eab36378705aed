namespace Orchestrator.Traffic;

/// <summary>
/// Follows an event stream (WHATWG HTML, section 9.2.6) that passes by in arbitrary pieces, to know where one event ends and another may begin: at an
/// empty line. Lines end with CR, LF or both.
/// </summary>
internal sealed class EventBoundary
{
    private bool _lineEmpty = true;
    private bool _afterReturn;

    /// <summary>Nothing of an event has been seen that is not complete.</summary>
    public bool Reached { get; private set; } = true;

    /// <summary>Reads on in <paramref name="bytes"/>, to their end or, if asked, only to the end of the event.</summary>
    /// <returns>The number of bytes read.</returns>
    public int Advance(ReadOnlySpan<byte> bytes, bool toBoundary)
    {
        for (var read = 0; read < bytes.Length; read++)
        {
            if (toBoundary && Reached)
                return read;

            Read(bytes[read]);
        }

        return bytes.Length;
    }

    private void Read(byte letter)
    {
        if (letter == '\n' && _afterReturn)
        {
            _afterReturn = false;
            return;
        }

        var endsLine = letter is (byte)'\r' or (byte)'\n';
        Reached = endsLine && _lineEmpty;
        _lineEmpty = endsLine;
        _afterReturn = letter == '\r';
    }
}
