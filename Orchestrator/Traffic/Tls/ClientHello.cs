using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace Orchestrator.Traffic.Tls;

/// <summary>What is read of a TLS client's first message (RFC 8446, 4.1.2) before the handshake: whether it validates a host, and which.</summary>
internal static class ClientHello
{
    /// <summary>The application protocol of validations (RFC 8737, 6.2).</summary>
    public const string AcmeProtocol = "acme-tls/1";

    private const int RecordHeader = 5;
    private const int LargestRecord = RecordHeader + (1 << 14);

    // Record header, message header, version and random.
    private const int Fixed = RecordHeader + 4 + 2 + 32;
    private const byte HandshakeRecord = 22;
    private const byte ClientHelloMessage = 1;
    private const int ServerName = 0;
    private const int ApplicationProtocols = 16;

    private static readonly byte[] OnlyAcme = [0, 11, 10, .. Encoding.ASCII.GetBytes(AcmeProtocol)];

    /// <summary>Whether more has to come before anything can be said.</summary>
    public static bool IsIncomplete(in ReadOnlySequence<byte> bytes)
    {
        if (bytes.Length >= LargestRecord) return false;
        if (bytes.Length < RecordHeader) return bytes.Length == 0 || bytes.FirstSpan[0] == HandshakeRecord;

        Span<byte> header = stackalloc byte[RecordHeader];
        bytes.Slice(0, RecordHeader).CopyTo(header);
        return header[0] == HandshakeRecord && bytes.Length < RecordHeader + BinaryPrimitives.ReadUInt16BigEndian(header[3..]);
    }

    /// <returns>The host that is to be validated; null: it is an ordinary client, or no client of TLS.</returns>
    public static string? ValidatedHost(in ReadOnlySequence<byte> bytes)
    {
        var hello = bytes.Slice(0, Math.Min(bytes.Length, LargestRecord)).ToArray().AsSpan();
        if (hello.Length < Fixed || hello[0] != HandshakeRecord || hello[RecordHeader] != ClientHelloMessage) return null;

        // Session, cipher suites, compression methods, extensions: each with its length before it.
        ReadOnlySpan<byte> rest = hello[Fixed..];
        if (!TryTake(ref rest, 1, out _) || !TryTake(ref rest, 2, out _) || !TryTake(ref rest, 1, out _)) return null;
        if (!TryTake(ref rest, 2, out var extensions)) return null;

        string? host = null;
        var validates = false;
        while (extensions.Length >= 2)
        {
            var type = BinaryPrimitives.ReadUInt16BigEndian(extensions);
            extensions = extensions[2..];
            if (!TryTake(ref extensions, 2, out var content)) return null;
            if (type == ServerName) host = NameIn(content);
            else if (type == ApplicationProtocols) validates = content.SequenceEqual(OnlyAcme);
        }

        return validates ? host : null;
    }

    private static string? NameIn(ReadOnlySpan<byte> extension)
    {
        // A list with one entry: type 0, host name.
        if (!TryTake(ref extension, 2, out var list) || list.IsEmpty || list[0] != 0) return null;

        list = list[1..];
        return TryTake(ref list, 2, out var name) ? Encoding.ASCII.GetString(name) : null;
    }

    private static bool TryTake(scoped ref ReadOnlySpan<byte> rest, int lengthBytes, out ReadOnlySpan<byte> taken)
    {
        taken = default;
        if (rest.Length < lengthBytes) return false;

        var length = lengthBytes == 1 ? rest[0] : BinaryPrimitives.ReadUInt16BigEndian(rest);
        if (rest.Length < lengthBytes + length) return false;

        taken = rest.Slice(lengthBytes, length);
        rest = rest[(lengthBytes + length)..];
        return true;
    }
}
