using System.Buffers.Binary;
using System.IO.Hashing;

namespace Orchestrator.Backups.Redis.Rdb;

/// <summary>A stream with its groups and consumers. Redis writes its nodes as they lie in memory and loads them so, hence they are hashed as they are.</summary>
internal sealed class RdbStreamValue(RdbInput input, XxHash128 hash)
{
    private const int IdentifierBytes = 16;
    private const int TimeBytes = 8;

    public async ValueTask ReadAsync(byte type)
    {
        for (var left = await CountAsync(); left > 0; left--)
        {
            await input.AppendAsync(hash);
            await input.AppendAsync(hash);
        }

        // Length and last identifier; from the second format on also the first, the largest deleted one, and how many were ever added.
        await NumbersAsync(type >= 19 ? 8 : 3);
        for (var groups = await CountAsync(); groups > 0; groups--) await GroupAsync(type);
    }

    private async ValueTask GroupAsync(byte type)
    {
        await input.AppendAsync(hash);
        await NumbersAsync(type >= 19 ? 3 : 2);
        for (var pending = await CountAsync(); pending > 0; pending--)
        {
            await FixedAsync(IdentifierBytes);
            await FixedAsync(TimeBytes);
            await NumbersAsync(1);
        }

        for (var consumers = await CountAsync(); consumers > 0; consumers--)
        {
            await input.AppendAsync(hash);
            await FixedAsync(TimeBytes);
            if (type >= 21) await FixedAsync(TimeBytes);
            for (var pending = await CountAsync(); pending > 0; pending--) await FixedAsync(IdentifierBytes);
        }
    }

    private async ValueTask NumbersAsync(int count)
    {
        for (; count > 0; count--) await CountAsync();
    }

    private async ValueTask<ulong> CountAsync()
    {
        var number = await input.LengthAsync();
        Append(number);
        return number;
    }

    private async ValueTask FixedAsync(int count) => hash.Append((await input.FixedAsync(count)).Span);

    private void Append(ulong number)
    {
        Span<byte> bytes = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, number);
        hash.Append(bytes);
    }
}
