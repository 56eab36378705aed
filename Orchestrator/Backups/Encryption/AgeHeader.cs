using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;

namespace Orchestrator.Backups.Encryption;

/// <summary>The file's key, wrapped for one recipient.</summary>
internal sealed record AgeStanza(string Type, ImmutableArray<string> Arguments, ImmutableArray<byte> Body)
{
    private const int Columns = 64;

    public void Write(StringBuilder text)
    {
        text.Append("-> ").Append(Type);
        foreach (var argument in Arguments) text.Append(' ').Append(argument);
        text.Append('\n');
        var body = AgeFormat.ToBase64(Body.AsSpan());

        // The last line is shorter than the others, if need be empty: that is how its end is known.
        for (var from = 0; from <= body.Length; from += Columns) text.Append(body.AsSpan(from, Math.Min(Columns, body.Length - from))).Append('\n');
    }
}

/// <summary>What stands before the payload: who can read it, and a seal under the file's key.</summary>
internal sealed record AgeHeader(ImmutableArray<AgeStanza> Stanzas, string Sealed, ImmutableArray<byte> Mac)
{
    private const string SealMark = "---";

    public static byte[] Write(ReadOnlySpan<byte> fileKey, IEnumerable<AgeRecipient> recipients)
    {
        var text = new StringBuilder().Append(AgeFormat.Version).Append('\n');
        foreach (var recipient in recipients) recipient.Wrap(fileKey).Write(text);
        var mac = MacOf(fileKey, text.Append(SealMark).ToString());
        text.Append(' ').Append(AgeFormat.ToBase64(mac)).Append('\n');
        return Encoding.ASCII.GetBytes(text.ToString());
    }

    /// <param name="length">Bytes that it takes, when it is whole.</param>
    /// <returns>Null when it goes on behind what is given.</returns>
    /// <exception cref="AgeException">It is none.</exception>
    public static AgeHeader? Read(ReadOnlySpan<byte> bytes, out int length)
    {
        length = 0;
        var lines = new HeaderLines(bytes);
        if (!lines.Next(out var version)) return null;
        if (version != AgeFormat.Version) throw new AgeException(AgeFault.NotAge, $"It does not begin with {AgeFormat.Version}.");

        var stanzas = ImmutableArray.CreateBuilder<AgeStanza>();
        while (lines.Next(out var line))
        {
            if (line.StartsWith(SealMark, StringComparison.Ordinal))
            {
                if (stanzas.Count == 0 || line.Length <= SealMark.Length || line[SealMark.Length] != ' ' || AgeFormat.FromBase64(line[(SealMark.Length + 1)..]) is not { Length: 32 } mac)
                    throw Malformed("its seal");

                length = lines.Position;
                return new AgeHeader(stanzas.ToImmutable(), Encoding.ASCII.GetString(bytes[..(lines.Start + SealMark.Length)]), [.. mac]);
            }

            if (stanzas.Count == AgeFormat.MostStanzas) throw new AgeException(AgeFault.NotAge, $"The header has more than {AgeFormat.MostStanzas} recipients.");
            if (Stanza(line, ref lines) is not { } stanza) return null;

            stanzas.Add(stanza);
        }

        return null;
    }

    public bool IsSealedBy(ReadOnlySpan<byte> fileKey) => CryptographicOperations.FixedTimeEquals(MacOf(fileKey, Sealed), Mac.AsSpan());

    private static AgeStanza? Stanza(string line, ref HeaderLines lines)
    {
        var words = line.Split(' ');
        if (words.Length < 2 || words[0] != "->" || words.Any(word => word.Length == 0 || word.Any(character => character is <= ' ' or > '~'))) throw Malformed("an entry");

        var body = new StringBuilder();
        string part;
        do
        {
            if (!lines.Next(out part)) return null;
            if (part.Length > 64) throw Malformed("an entry's body");

            body.Append(part);
        }
        while (part.Length == 64);
        return new AgeStanza(words[1], [.. words[2..]], [.. AgeFormat.FromBase64(body.ToString()) ?? throw Malformed("an entry's body")]);
    }

    private static byte[] MacOf(ReadOnlySpan<byte> fileKey, string text)
    {
        var key = AgeFormat.HeaderKey(fileKey);
        var mac = HMACSHA256.HashData(key, Encoding.ASCII.GetBytes(text));
        CryptographicOperations.ZeroMemory(key);
        return mac;
    }

    private static AgeException Malformed(string what) => new(AgeFault.Changed, $"The header is malformed at {what}.");

    private ref struct HeaderLines(ReadOnlySpan<byte> bytes)
    {
        private readonly ReadOnlySpan<byte> _bytes = bytes;

        /// <summary>Where the line that was read last begins.</summary>
        public int Start { get; private set; }

        public int Position { get; private set; }

        public bool Next(out string line)
        {
            line = "";
            var rest = _bytes[Position..];
            var end = rest.IndexOf((byte)'\n');
            if (end > AgeFormat.MostLineBytes || (end < 0 && rest.Length > AgeFormat.MostLineBytes)) throw new AgeException(AgeFault.NotAge, "The header has a line without end.");
            if (end < 0) return false;
            if (rest[..end].ContainsAnyExceptInRange((byte)' ', (byte)'~')) throw new AgeException(Position == 0 ? AgeFault.NotAge : AgeFault.Changed, "The header has a byte that is no text.");

            line = Encoding.ASCII.GetString(rest[..end]);
            Start = Position;
            Position += end + 1;
            return true;
        }
    }
}
