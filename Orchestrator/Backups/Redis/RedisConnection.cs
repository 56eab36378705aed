using System.Collections.Immutable;
using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace Orchestrator.Backups.Redis;

/// <summary>
/// A connection to Redis that shows the bytes: no client library speaks the replication protocol, which is commands, then a file, then commands without an
/// end, all on one socket. One reader and one writer at a time.
/// </summary>
internal sealed class RedisConnection : IAsyncDisposable
{
    private const int LongestLine = 64 * 1024;
    private const int LongestBulk = 64 * 1024 * 1024;

    private static readonly TimeSpan ConnectPatience = TimeSpan.FromSeconds(10);

    /// <summary>A server says something every ten seconds at the least while it replicates, and every second while it forks.</summary>
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(60);

    private readonly Socket _socket;
    private readonly NetworkStream _stream;
    private readonly byte[] _buffer = new byte[64 * 1024];
    private readonly SemaphoreSlim _writing = new(1, 1);
    private readonly TimeProvider _time;
    private int _position;
    private int _filled;

    private RedisConnection(Socket socket, TimeProvider time)
    {
        _socket = socket;
        _time = time;
        _stream = new NetworkStream(socket, ownsSocket: true);
    }

    /// <summary>Connects and says who it is.</summary>
    /// <exception cref="RedisException">Nobody answers, or the password or user is refused.</exception>
    public static async Task<RedisConnection> OpenAsync(RedisEndpoint endpoint, TimeProvider time, CancellationToken cancellationToken)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            using var patience = new CancellationTokenSource(ConnectPatience, time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
            await socket.ConnectAsync(endpoint.Host, endpoint.Port, either.Token);
        }
        catch (Exception failure) when (failure is SocketException || (failure is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            socket.Dispose();
            throw new RedisException(RedisFault.Unreachable, $"Redis at {endpoint} cannot be reached: {failure.Message}", failure);
        }

        var connection = new RedisConnection(socket, time);
        try
        {
            await connection.LogInAsync(endpoint, cancellationToken);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    /// <summary>Sends a command and reads its answer.</summary>
    /// <exception cref="RedisException">It was refused, or the connection broke.</exception>
    public async Task<RedisReply> AskAsync(ImmutableArray<string> command, CancellationToken cancellationToken) => await TryAskAsync(command, cancellationToken) switch
    {
        RedisReply.Refusal refusal => throw RedisException.Of(command[0], refusal),
        var reply => reply,
    };

    /// <summary>The same, where a refusal is an answer.</summary>
    public async Task<RedisReply> TryAskAsync(ImmutableArray<string> command, CancellationToken cancellationToken)
    {
        await SendAsync(command, cancellationToken);
        return await ReplyAsync(cancellationToken);
    }

    public async Task SendAsync(ImmutableArray<string> command, CancellationToken cancellationToken)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"*{command.Length}\r\n");
        foreach (var part in command) text.Append(CultureInfo.InvariantCulture, $"${Encoding.UTF8.GetByteCount(part)}\r\n{part}\r\n");
        await _writing.WaitAsync(cancellationToken);
        try
        {
            await _stream.WriteAsync(Encoding.UTF8.GetBytes(text.ToString()), cancellationToken);
        }
        catch (IOException broken)
        {
            throw RedisException.Broken(broken);
        }
        finally
        {
            _writing.Release();
        }
    }

    public async Task<RedisReply> ReplyAsync(CancellationToken cancellationToken)
    {
        var line = await LineAsync(cancellationToken);
        if (line.Length == 0) throw new RedisException(RedisFault.Protocol, "Redis answered an empty line", null);

        var rest = line[1..];
        switch (line[0])
        {
            case '+': return new RedisReply.Status(rest);
            case '-': return new RedisReply.Refusal(rest);
            case ':': return new RedisReply.Number(Count(rest, long.MaxValue));
            case '$': return await BulkAsync((int)Count(rest, LongestBulk), cancellationToken);
            case '*':
                var items = ImmutableArray.CreateBuilder<RedisReply>();
                for (var left = Count(rest, 1_000_000); left > 0; left--) items.Add(await ReplyAsync(cancellationToken));
                return new RedisReply.List(items.ToImmutable());
            default: throw new RedisException(RedisFault.Protocol, $"Redis answered '{line[..Math.Min(line.Length, 40)]}'; is it a Redis?", null);
        }
    }

    /// <summary>A line without its end.</summary>
    public async Task<string> LineAsync(CancellationToken cancellationToken)
    {
        var line = new StringBuilder();
        while (true)
        {
            if (_position == _filled) await FillAsync(cancellationToken);
            var at = _buffer.AsSpan(_position, _filled - _position).IndexOf((byte)'\n');
            line.Append(Encoding.UTF8.GetString(_buffer, _position, at < 0 ? _filled - _position : at));
            _position = at < 0 ? _filled : _position + at + 1;
            if (at >= 0) return line.ToString().TrimEnd('\r');
            if (line.Length > LongestLine) throw new RedisException(RedisFault.Protocol, "Redis sent a line without end; is it a Redis?", null);
        }
    }

    /// <summary>Bytes as they come, first those that were read ahead.</summary>
    /// <returns>0: Redis has closed the connection.</returns>
    public async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        if (_position == _filled) return await ReceiveAsync(buffer, cancellationToken);

        var count = Math.Min(buffer.Length, _filled - _position);
        _buffer.AsMemory(_position, count).CopyTo(buffer);
        _position += count;
        return count;
    }

    public async ValueTask DisposeAsync()
    {
        await _stream.DisposeAsync();
        _socket.Dispose();
        _writing.Dispose();
    }

    private async Task LogInAsync(RedisEndpoint endpoint, CancellationToken cancellationToken)
    {
        if (endpoint.Password is not { } password) return;

        ImmutableArray<string> command = endpoint.User is { } user ? ["AUTH", user, password.Reveal()] : ["AUTH", password.Reveal()];
        if (await TryAskAsync(command, cancellationToken) is not RedisReply.Refusal refusal) return;
        // A password for a server that wants none is no obstacle.
        if (refusal.Message.Contains("without any password", StringComparison.Ordinal)) return;

        throw new RedisException(RedisFault.WrongPassword, $"Redis at {endpoint} refused {(endpoint.User is null ? "the password" : $"the user {endpoint.User}")}: {refusal.Message}", null);
    }

    private async Task<RedisReply> BulkAsync(int length, CancellationToken cancellationToken)
    {
        if (length < 0) return new RedisReply.Nothing();

        var bytes = new byte[length + 2];
        for (var read = 0; read < bytes.Length;)
        {
            var count = await ReadAsync(bytes.AsMemory(read), cancellationToken);
            if (count == 0) throw RedisException.Broken(null);
            read += count;
        }

        return new RedisReply.Bulk(bytes.AsMemory(0, length));
    }

    private async ValueTask FillAsync(CancellationToken cancellationToken)
    {
        _position = _filled = 0;
        _filled = await ReceiveAsync(_buffer, cancellationToken);
        if (_filled == 0) throw RedisException.Broken(null);
    }

    private async ValueTask<int> ReceiveAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(Silence, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        try
        {
            return await _stream.ReadAsync(buffer, either.Token);
        }
        catch (IOException broken)
        {
            throw RedisException.Broken(broken);
        }
        catch (OperationCanceledException silent) when (!cancellationToken.IsCancellationRequested)
        {
            throw new RedisException(RedisFault.Broken, $"Redis has said nothing for {Silence.TotalSeconds:0} s", silent);
        }
    }

    private static long Count(string text, long most) =>
        long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var count) && count <= most
            ? count
            : throw new RedisException(RedisFault.Protocol, $"Redis answered the length '{text}'", null);
}
