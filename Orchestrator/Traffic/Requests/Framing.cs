using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Orchestrator.Traffic.Requests;

/// <summary>
/// Refuses what the server takes though a recipient must or should not: two readers of one connection that do not agree where a message ends is how requests
/// are smuggled. What is refused here, what the server refuses itself, and what is taken, is written down in docs/decisions.
/// </summary>
internal static class Framing
{
    private const string Chunked = "chunked";

    private static readonly OwnAnswer Faulty = OwnAnswer.Refusal(StatusCodes.Status400BadRequest);

    private static readonly OwnAnswer UnknownCoding =
        new(StatusCodes.Status501NotImplemented, "Not implemented", "The only transfer coding that is understood here is chunked.");

    /// <summary>The encoding for the value of Content-Length: digits, and nothing that a lenient parser takes besides (RFC 9110, 8.6: no sign).</summary>
    public static Encoding Digits { get; } = new DigitsEncoding();

    /// <returns>Null: nothing is wrong with it.</returns>
    public static OwnAnswer? FaultOf(HttpContext context)
    {
        var request = context.Request;

        // RFC 9112, 3.2: a request line that is not one. Percent-encoded they are ordinary.
        if (context.Features.Get<IHttpRequestFeature>()?.RawTarget is { } target && HasControls(target))
            return Faulty;

        var coding = request.Headers.TransferEncoding;
        if (coding.Count == 0)
            return null;

        // RFC 9112, 6.1: faulty framing in HTTP/1.0, and together with a length; another coding than chunked cannot be passed on.
        if (!HttpProtocol.IsHttp11(request.Protocol) || request.Headers.ContentLength is not null || request.Headers.ContainsKey("X-Content-Length"))
            return Faulty;
        return coding.Count == 1 && string.Equals(coding[0], Chunked, StringComparison.OrdinalIgnoreCase) ? null : UnknownCoding;
    }

    private static bool HasControls(ReadOnlySpan<char> target) => target.ContainsAnyInRange('\0', ' ') || target.Contains('\x7f');

    // Kestrel parses what comes out of it as a number with sign and blanks; a letter is neither.
    private sealed class DigitsEncoding : Encoding
    {
        public override int GetByteCount(char[] chars, int index, int count) => count;

        public override int GetBytes(char[] chars, int charIndex, int charCount, byte[] bytes, int byteIndex) =>
            ASCII.GetBytes(chars, charIndex, charCount, bytes, byteIndex);

        public override int GetCharCount(byte[] bytes, int index, int count) => count;

        public override int GetChars(byte[] bytes, int byteIndex, int byteCount, char[] chars, int charIndex) =>
            GetChars(bytes.AsSpan(byteIndex, byteCount), chars.AsSpan(charIndex));

        public override int GetChars(ReadOnlySpan<byte> bytes, Span<char> chars)
        {
            for (var i = 0; i < bytes.Length && i < chars.Length; i++)
                chars[i] = bytes[i] is >= (byte)'0' and <= (byte)'9' ? (char)bytes[i] : 'x';
            return Math.Min(bytes.Length, chars.Length);
        }

        public override int GetMaxByteCount(int charCount) => charCount;

        public override int GetMaxCharCount(int byteCount) => byteCount;
    }
}
