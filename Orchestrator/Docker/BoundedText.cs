using System.Buffers;
using System.Text;

namespace Orchestrator.Docker;

/// <summary>Keeps the first bytes of an output and forgets the rest.</summary>
internal sealed class BoundedText(int limit)
{
    private readonly ArrayBufferWriter<byte> _kept = new();

    public void Append(ReadOnlySpan<byte> bytes) => _kept.Write(bytes[..Math.Min(bytes.Length, limit - _kept.WrittenCount)]);

    public override string ToString() => Encoding.UTF8.GetString(_kept.WrittenSpan);
}
