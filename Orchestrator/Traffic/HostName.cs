namespace Orchestrator.Traffic;

/// <summary>How host names are compared: without port, without the dot of the root, without the brackets of an IPv6 literal, whatever the case.</summary>
internal static class HostName
{
    /// <summary>The name in a Host header.</summary>
    public static ReadOnlySpan<char> Of(ReadOnlySpan<char> header)
    {
        if (header.StartsWith('['))
        {
            var end = header.IndexOf(']');
            return end < 0 ? header : header[1..end];
        }

        var colon = header.LastIndexOf(':');

        // More than one colon without brackets is a bare IPv6 address, not a port.
        if (colon >= 0 && header.IndexOf(':') == colon)
            header = header[..colon];
        return header.EndsWith('.') ? header[..^1] : header;
    }
}
