using System.Buffers.Binary;
using System.Globalization;
using System.IO.Hashing;
using System.Text;

namespace Orchestrator.Backups.Redis.Rdb;

/// <summary>
/// Keys with their values, as hashes of what they mean: a set has the same hash as a table of strings, of integers or packed. XxHash128 finds every
/// accident; that nobody planted another content is held by the hashes and the encryption of the stored file, not by this.
/// </summary>
internal sealed class RdbValues(RdbInput input)
{
    private readonly XxHash128 _key = new();
    private readonly XxHash128 _item = new();
    private KeyDigest _items;
    private bool _expiring;

    /// <summary>Reads a key and its value.</summary>
    /// <returns>Their hash, and whether fields of it have a time to live.</returns>
    public async ValueTask<(UInt128 Hash, bool Expiring)> KeyAsync(byte type)
    {
        _key.Reset();
        _items = default;
        _expiring = false;
        await input.AppendAsync(_key);
        var kind = await ValueAsync(type);
        Finish(kind);
        return (_key.GetCurrentHashAsUInt128(), _expiring);
    }

    public async ValueTask<UInt128> StringHashAsync()
    {
        _item.Reset();
        await input.AppendAsync(_item);
        return _item.GetCurrentHashAsUInt128();
    }

    /// <summary>A module's own record beside the keys.</summary>
    public async ValueTask SkipModuleAsync()
    {
        await input.LengthAsync();
        await ModuleAsync(_item);
    }

    private void Finish(char kind)
    {
        Span<byte> tail = stackalloc byte[25];
        tail[0] = (byte)kind;
        BinaryPrimitives.WriteInt64LittleEndian(tail[1..], _items.Count);
        BinaryPrimitives.WriteUInt128LittleEndian(tail[9..], _items.Sum);
        _key.Append(tail);
    }

    private async ValueTask<char> ValueAsync(byte type)
    {
        switch (type)
        {
            case 0: await input.AppendAsync(_key); return 's';
            case 1: await ListAsync(); return 'l';
            case 10: Ordered(await input.StringAsync(), ziplist: true); return 'l';
            case 14: await QuicklistAsync(packed: false); return 'l';
            case 18: await QuicklistAsync(packed: true); return 'l';
            case 2: await GroupsAsync(1); return 't';
            case 11: PackedValues.OfIntegerSet((await input.StringAsync()).Span, Single); return 't';
            case 20: PackedValues.OfListpack((await input.StringAsync()).Span, Single); return 't';
            case 4: await GroupsAsync(2); return 'h';
            case 13: Pairs(await input.StringAsync(), ziplist: true, scores: false); return 'h';
            case 16: Pairs(await input.StringAsync(), ziplist: false, scores: false); return 'h';
            case 24: await FieldsWithTimesAsync(); return 'h';
            case 25: await PackedFieldsWithTimesAsync(); return 'h';
            case 3 or 5: await ScoresAsync(binary: type == 5); return 'z';
            case 12: Pairs(await input.StringAsync(), ziplist: true, scores: true); return 'z';
            case 17: Pairs(await input.StringAsync(), ziplist: false, scores: true); return 'z';
            case 7: await ModuleKeyAsync(); return 'm';
            case 15 or 19 or 21: await new RdbStreamValue(input, _key).ReadAsync(type); return 'x';
            default: throw new RdbFormatException($"values of type {type} are unknown");
        }
    }

    private async ValueTask ListAsync()
    {
        for (var left = await input.LengthAsync(); left > 0; left--) await input.AppendAsync(_key);
    }

    private async ValueTask QuicklistAsync(bool packed)
    {
        for (var left = await input.LengthAsync(); left > 0; left--)
        {
            if (packed && await input.LengthAsync() == 1) await input.AppendAsync(_key);        // one large element by itself
            else Ordered(await input.StringAsync(), ziplist: !packed);
        }
    }

    private void Ordered(ReadOnlyMemory<byte> packed, bool ziplist)
    {
        if (ziplist) PackedValues.OfZiplist(packed.Span, entry => RdbInput.Append(_key, entry));
        else PackedValues.OfListpack(packed.Span, entry => RdbInput.Append(_key, entry));
    }

    /// <summary>Members, or fields with their values.</summary>
    private async ValueTask GroupsAsync(int size)
    {
        for (var left = await input.LengthAsync(); left > 0; left--)
        {
            _item.Reset();
            for (var part = 0; part < size; part++) await input.AppendAsync(_item);
            _items = _items.Add(_item.GetCurrentHashAsUInt128());
        }
    }

    private void Single(ReadOnlySpan<byte> entry)
    {
        _item.Reset();
        RdbInput.Append(_item, entry);
        _items = _items.Add(_item.GetCurrentHashAsUInt128());
    }

    private void Pairs(ReadOnlyMemory<byte> packed, bool ziplist, bool scores)
    {
        var first = true;
        PackedValues.Entry each = entry =>
        {
            if (first) _item.Reset();
            if (first || !scores) RdbInput.Append(_item, entry);
            else AppendScore(Parse(entry));
            if (!first) _items = _items.Add(_item.GetCurrentHashAsUInt128());
            first = !first;
        };
        if (ziplist) PackedValues.OfZiplist(packed.Span, each);
        else PackedValues.OfListpack(packed.Span, each);
    }

    private async ValueTask ScoresAsync(bool binary)
    {
        for (var left = await input.LengthAsync(); left > 0; left--)
        {
            _item.Reset();
            await input.AppendAsync(_item);
            AppendScore(binary ? BinaryPrimitives.ReadDoubleLittleEndian((await input.FixedAsync(8)).Span) : await OldScoreAsync());
            _items = _items.Add(_item.GetCurrentHashAsUInt128());
        }
    }

    private async ValueTask<double> OldScoreAsync() => await input.ByteAsync() switch
    {
        255 => double.NegativeInfinity,
        254 => double.PositiveInfinity,
        253 => double.NaN,
        var length => Parse((await input.FixedAsync(length)).Span),
    };

    private async ValueTask FieldsWithTimesAsync()
    {
        await input.FixedAsync(8);
        for (var left = await input.LengthAsync(); left > 0; left--)
        {
            _expiring |= await input.LengthAsync() != 0;
            _item.Reset();
            await input.AppendAsync(_item);
            await input.AppendAsync(_item);
            _items = _items.Add(_item.GetCurrentHashAsUInt128());
        }
    }

    private async ValueTask PackedFieldsWithTimesAsync()
    {
        await input.FixedAsync(8);
        var place = 0;
        PackedValues.OfListpack((await input.StringAsync()).Span, entry =>
        {
            if (place == 0) _item.Reset();
            if (place < 2) RdbInput.Append(_item, entry);
            else _expiring |= !entry.SequenceEqual("0"u8);
            if (place == 1) _items = _items.Add(_item.GetCurrentHashAsUInt128());
            place = (place + 1) % 3;
        });
    }

    private async ValueTask ModuleKeyAsync()
    {
        Append(_key, await input.LengthAsync());
        await ModuleAsync(_key);
    }

    /// <summary>Values of modules say of each of their parts what it is, so that whoever does not know the module can read past them.</summary>
    private async ValueTask ModuleAsync(XxHash128 hash)
    {
        for (var part = await input.LengthAsync(); part != 0; part = await input.LengthAsync())
        {
            switch (part)
            {
                case 1 or 2: Append(hash, await input.LengthAsync()); break;
                case 3: hash.Append((await input.FixedAsync(4)).Span); break;
                case 4: hash.Append((await input.FixedAsync(8)).Span); break;
                case 5: await input.AppendAsync(hash); break;
                default: throw new RdbFormatException($"a module's value has a part of kind {part}");
            }
        }
    }

    private static void Append(XxHash128 hash, ulong number)
    {
        Span<byte> bytes = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, number);
        hash.Append(bytes);
    }

    private void AppendScore(double score)
    {
        Span<byte> bytes = stackalloc byte[8];
        BinaryPrimitives.WriteDoubleLittleEndian(bytes, score == 0 ? 0 : score);        // -0 is 0
        _item.Append(bytes);
    }

    private static double Parse(ReadOnlySpan<byte> text) => Encoding.ASCII.GetString(text) switch
    {
        "inf" => double.PositiveInfinity,
        "-inf" => double.NegativeInfinity,
        "nan" => double.NaN,
        var number => double.Parse(number, NumberStyles.Float, CultureInfo.InvariantCulture),
    };
}
