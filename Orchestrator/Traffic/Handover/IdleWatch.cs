using System.Buffers;
using System.IO.Pipelines;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;

namespace Orchestrator.Traffic.Handover;

/// <summary>What became of a connection that the server has found idle.</summary>
internal enum IdleEnd
{
    /// <summary>Nothing: something has come on it, which is to be served; or its client has ended its side, which the server is to see.</summary>
    Asked,

    /// <summary>Nothing yet: its client has not been sent all of its last answer, and cannot ask before. Look again.</summary>
    Sending,

    /// <summary>Its client has left.</summary>
    Left,

    /// <summary>The client has been told that it ends.</summary>
    Ended,

    /// <summary>Somebody else has it now, and the client notices nothing.</summary>
    PassedOn,
}

/// <summary>
/// What passes between the server and one client, so that an idle connection is not closed just when a request arrives on it. Between the server's decision
/// that a connection is idle and the end of its socket lie several hand-overs between threads; on a busy machine those are milliseconds, and a POST that comes
/// meanwhile cannot be repeated. Here the last look and the end are one act. Where somebody takes idle connections there is no end at all.
/// </summary>
/// <param name="before">What passed on this connection when other processes had it.</param>
internal sealed class IdleWatch(IDuplexPipe transport, SocketCounts before) : PipeReader, IDuplexPipe
{
    private readonly PipeReader _input = transport.Input;
    private readonly CountedWriter _output = new(transport.Output);
    private ReadOnlySequence<byte> _buffer;
    private long _taken = before.Received;
    private bool _idle = true;
    private long _written;

    public PipeReader Input => this;

    public PipeWriter Output => _output;

    /// <summary>
    /// The server has stopped to read: what it was waiting for was called off and nothing had come, so nobody is owed an answer. False after
    /// everything else that ends a connection, such as an answer that said so or a request that was refused.
    /// </summary>
    public bool EndedIdle => _idle && _output.Bytes == _written;

    /// <summary>Passes the connection on, or ends its sending side, so that the client knows; unless it has sent something.</summary>
    /// <param name="keeping">Who takes it; null: nobody.</param>
    public IdleEnd End(ConnectionContext connection, SocketKeeping? keeping)
    {
        if (connection.ConnectionClosed.IsCancellationRequested || connection.Features.Get<IConnectionSocketFeature>()?.Socket is not { } socket)
            return IdleEnd.Left;

        var end = IdleEnd.Left;
        try
        {
            // What comes from now on waits in the kernel, and wakes nobody here: else it could be read between the last look and the passing on.
            if (keeping is not null) SharedSocket.Hush(socket);
            return end = Look(socket, keeping);
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException or IOException or OperationCanceledException)
        {
            return end;
        }
        finally
        {
            if (keeping is not null && end is not IdleEnd.PassedOn) SharedSocket.Wake(socket);
        }
    }

    public override bool TryRead(out ReadResult result)
    {
        var read = _input.TryRead(out result);
        _idle = false;
        if (read) Note(result);
        return read;
    }

    public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        _idle = false;
        var reading = _input.ReadAsync(cancellationToken);
        return reading.IsCompletedSuccessfully ? new ValueTask<ReadResult>(Note(reading.Result)) : WaitAsync(reading);
    }

    public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        if (!_buffer.IsEmpty) _taken += _buffer.Slice(_buffer.Start, consumed).Length;
        _buffer = default;
        _input.AdvanceTo(consumed, examined);
    }

    public override void CancelPendingRead() => _input.CancelPendingRead();

    public override void Complete(Exception? exception = null) => _input.Complete(exception);

    private IdleEnd Look(Socket socket, SocketKeeping? keeping)
    {
        if (HasRead() || socket.Available > 0 || HasRead())
            return IdleEnd.Asked;

        var counts = SocketCounts.Of(socket);
        if (counts is not null && counts.Received != _taken)
            return IdleEnd.Asked;           // it is on its way from the socket to where the server reads
        if (counts is not null && counts.Sent != before.Sent + _output.Bytes)
            return IdleEnd.Sending;

        if (keeping is not null && counts is not null)
            return PassOn(socket, keeping);

        socket.Shutdown(SocketShutdown.Send);
        return IdleEnd.Ended;
    }

    /// <summary>
    /// With this process's own descriptor closed nothing here can read any more, so what the kernel says then is final: has somebody here read what the server never
    /// saw, the client has to be told, since its request would be lost without a word.
    /// </summary>
    private IdleEnd PassOn(Socket socket, SocketKeeping keeping)
    {
        using var copy = SharedSocket.Duplicate(socket);
        SharedSocket.LetGo(socket, copy);
        SharedSocket.Wake(copy);
        if (SocketCounts.Of(copy)?.Received == _taken && keeping.KeepConnection(copy)) return IdleEnd.PassedOn;

        copy.Shutdown(SocketShutdown.Both);
        return IdleEnd.Ended;
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<ReadResult> WaitAsync(ValueTask<ReadResult> reading) => Note(await reading);

    private ReadResult Note(ReadResult result)
    {
        _buffer = result.Buffer;
        _idle = result.IsCanceled && result.Buffer.IsEmpty;
        _written = _output.Bytes;
        return result;
    }

    private bool HasRead()
    {
        if (!_input.TryRead(out var result))
            return false;

        var some = !result.Buffer.IsEmpty;
        _input.AdvanceTo(result.Buffer.Start);
        return some;
    }

    /// <summary>Knows how much was written: what the kernel has not been given yet waits here.</summary>
    private sealed class CountedWriter(PipeWriter inner) : PipeWriter
    {
        public long Bytes { get; private set; }

        public override bool CanGetUnflushedBytes => inner.CanGetUnflushedBytes;

        public override long UnflushedBytes => inner.UnflushedBytes;

        public override Memory<byte> GetMemory(int sizeHint = 0) => inner.GetMemory(sizeHint);

        public override Span<byte> GetSpan(int sizeHint = 0) => inner.GetSpan(sizeHint);

        public override void Advance(int bytes)
        {
            Bytes += bytes;
            inner.Advance(bytes);
        }

        public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default) => inner.FlushAsync(cancellationToken);

        public override ValueTask<FlushResult> WriteAsync(ReadOnlyMemory<byte> source, CancellationToken cancellationToken = default)
        {
            Bytes += source.Length;
            return inner.WriteAsync(source, cancellationToken);
        }

        public override void CancelPendingFlush() => inner.CancelPendingFlush();

        public override void Complete(Exception? exception = null) => inner.Complete(exception);
    }
}
