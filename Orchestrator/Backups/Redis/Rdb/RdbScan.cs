using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Text;

namespace Orchestrator.Backups.Redis.Rdb;

/// <summary>
/// Reads an RDB file (versions 1 to 12) to its end while it is copied, checks its checksum, and sums up what it holds. Something unknown does not stop the
/// copy: the rest is taken without being looked at, and the summary says so.
/// </summary>
/// <remarks>Format: rdb.h and rdb.c of Redis 7.4.</remarks>
internal sealed class RdbScan
{
    private const byte SlotInfo = 0xF4;
    private const byte Function = 0xF5;
    private const byte ModuleField = 0xF7;
    private const byte Idle = 0xF8;
    private const byte Frequency = 0xF9;
    private const byte Field = 0xFA;
    private const byte Sizes = 0xFB;
    private const byte ExpiresMilliseconds = 0xFC;
    private const byte ExpiresSeconds = 0xFD;
    private const byte Select = 0xFE;
    private const byte End = 0xFF;

    private readonly RdbInput _input;
    private readonly RdbValues _values;
    private readonly SortedDictionary<int, RdbDatabase> _databases = [];
    private readonly ImmutableSortedDictionary<string, string>.Builder _fields = ImmutableSortedDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
    private KeyDigest _functions;
    private int _database;
    private bool _expires;

    private RdbScan(RdbInput input)
    {
        _input = input;
        _values = new RdbValues(input);
    }

    /// <param name="copy">Gets every byte; null: the content is only looked at.</param>
    /// <exception cref="BackupFailedException">The file is cut off, or its checksum is wrong.</exception>
    public static async Task<RdbSummary> ReadAsync(Stream source, Stream? copy, CancellationToken cancellationToken)
    {
        var input = new RdbInput(source, copy, cancellationToken);
        var scan = new RdbScan(input);
        string? problem = null;
        try
        {
            await scan.ReadAsync();
        }
        catch (RdbFormatException unknown)
        {
            problem = unknown.Message;
        }
        catch (Exception broken) when (broken is IndexOutOfRangeException or ArgumentOutOfRangeException)
        {
            problem = "a packed value does not keep to its own length";
        }
        catch (EndOfStreamException cut)
        {
            throw new BackupFailedException(cut.Message, "Redis, or the way to it, broke off. Look at Redis's log; the next run begins anew.", cut);
        }

        await input.DrainAsync();
        return new RdbSummary
        {
            Bytes = input.Bytes,
            Fields = scan._fields.ToImmutable(),
            Databases = scan._databases.ToImmutableSortedDictionary(),
            Functions = scan._functions,
            Problem = problem,
        };
    }

    private async Task ReadAsync()
    {
        var head = Encoding.ASCII.GetString((await _input.FixedAsync(9)).Span);
        if (!head.StartsWith("REDIS", StringComparison.Ordinal) || !int.TryParse(head.AsSpan(5), out var version)) throw new RdbFormatException("it does not begin with REDIS");

        for (var code = await _input.ByteAsync(); code != End; code = await _input.ByteAsync())
        {
            if (code < SlotInfo) await KeyAsync(code);
            else await OpcodeAsync(code);
        }

        if (version >= 5) await CheckAsync();
    }

    private async ValueTask KeyAsync(byte type)
    {
        var (hash, expiring) = await _values.KeyAsync(type);
        var database = _databases.GetValueOrDefault(_database);
        _databases[_database] = _expires || expiring ? database with { Expiring = database.Expiring.Add(hash) } : database with { Lasting = database.Lasting.Add(hash) };
        _expires = false;
    }

    private async ValueTask OpcodeAsync(byte code)
    {
        switch (code)
        {
            case Select: _database = checked((int)await _input.LengthAsync()); break;
            case ExpiresMilliseconds: await _input.FixedAsync(8); _expires = true; break;
            case ExpiresSeconds: await _input.FixedAsync(4); _expires = true; break;
            case Frequency: await _input.ByteAsync(); break;
            case Idle: await _input.LengthAsync(); break;
            case Sizes: await _input.LengthAsync(); await _input.LengthAsync(); break;
            case SlotInfo: await _input.LengthAsync(); await _input.LengthAsync(); await _input.LengthAsync(); break;
            case Field: await FieldAsync(); break;
            case Function: _functions = _functions.Add(await _values.StringHashAsync()); break;
            case ModuleField: await _values.SkipModuleAsync(); break;
            default: throw new RdbFormatException($"the code 0x{code:x2} is unknown");
        }
    }

    private async ValueTask FieldAsync()
    {
        var name = Encoding.UTF8.GetString((await _input.StringAsync()).Span);
        _fields[name] = Encoding.UTF8.GetString((await _input.StringAsync()).Span);
    }

    private async ValueTask CheckAsync()
    {
        var computed = _input.Checksum;
        var written = BinaryPrimitives.ReadUInt64LittleEndian((await _input.FixedAsync(8)).Span);
        // 0: Redis was told to write none (rdbchecksum no).
        if (written == 0 || written == computed) return;

        throw new BackupFailedException(
            $"The RDB file has the checksum {computed:x16}, and says {written:x16}", "It was changed on its way or in Redis's memory. Run the backup again; if it stays so, test the memory of the host.");
    }
}
