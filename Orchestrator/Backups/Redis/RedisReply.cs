using System.Collections.Immutable;
using System.Text;

namespace Orchestrator.Backups.Redis;

/// <summary>An answer of Redis, in the words of its protocol (RESP2).</summary>
internal abstract record RedisReply
{
    private RedisReply()
    {
    }

    /// <summary>The text of a string or number; null for what is nothing.</summary>
    public virtual string? Text => null;

    public sealed record Status(string Value) : RedisReply
    {
        public override string Text => Value;
    }

    /// <param name="Message">Begins with a code: <c>NOAUTH</c>, <c>NOPERM</c>, <c>ERR</c>.</param>
    public sealed record Refusal(string Message) : RedisReply;

    public sealed record Number(long Value) : RedisReply
    {
        public override string Text => Value.ToString(System.Globalization.CultureInfo.InvariantCulture);
    }

    public sealed record Bulk(ReadOnlyMemory<byte> Bytes) : RedisReply
    {
        public override string Text => Encoding.UTF8.GetString(Bytes.Span);
    }

    public sealed record Nothing : RedisReply;

    public sealed record List(ImmutableArray<RedisReply> Items) : RedisReply;
}
