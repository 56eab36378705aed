using System.Security.Cryptography;
using System.Text;

namespace Orchestrator.Tests.Traffic.Tls;

/// <summary>A client's first message, written by hand: what no library would send any more can be sent, too.</summary>
internal static class Hello
{
    /// <param name="minor">1: TLS 1.0, 2: 1.1, 3: 1.2.</param>
    /// <param name="protocols">What is offered by ALPN.</param>
    public static byte[] Of(string host, byte minor, params ReadOnlySpan<string> protocols)
    {
        var name = Encoding.ASCII.GetBytes(host);
        List<byte> extensions = [.. Extension(0, [.. Length(name.Length + 3), 0, .. Length(name.Length), .. name])];
        extensions.AddRange(Extension(10, [0, 4, 0, 29, 0, 23]));
        extensions.AddRange(Extension(11, [1, 0]));
        extensions.AddRange(Extension(13, [0, 8, 4, 3, 8, 4, 4, 1, 2, 1]));
        List<byte> offered = [];
        foreach (var protocol in protocols) offered.AddRange([(byte)protocol.Length, .. Encoding.ASCII.GetBytes(protocol)]);
        if (offered.Count > 0) extensions.AddRange(Extension(16, [.. Length(offered.Count), .. offered]));

        // ECDHE with AES, with and without GCM, with ECDSA and RSA; no session, no compression.
        byte[] body = [3, minor, .. RandomNumberGenerator.GetBytes(32), 0, 0, 8, 0xC0, 0x2B, 0xC0, 0x2F, 0xC0, 0x09, 0xC0, 0x13, 1, 0, .. Length(extensions.Count), .. extensions];
        byte[] message = [1, 0, .. Length(body.Length), .. body];
        return [22, 3, 1, .. Length(message.Length), .. message];
    }

    private static byte[] Extension(byte type, byte[] content) => [0, type, .. Length(content.Length), .. content];

    private static byte[] Length(int length) => [(byte)(length >> 8), (byte)length];
}
