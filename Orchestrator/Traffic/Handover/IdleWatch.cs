using System.IO.Pipelines;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;

namespace Orchestrator.Traffic.Handover;

/// <summary>
/// What the server reads of one client, so that an idle connection is not closed just when a request arrives on it. Between the server's decision that a
/// connection is idle and the end of its socket lie several hand-overs between threads; on a busy machine those are milliseconds, and a POST that comes
/// meanwhile cannot be repeated. Here the last look and the end of the socket's sending side are one act.
/// </summary>
internal sealed class IdleWatch(IDuplexPipe transport) : PipeReader, IDuplexPipe
{
    private readonly PipeReader _input = transport.Input;
    private bool _idle;

    public PipeReader Input => this;

    public PipeWriter Output => transport.Output;

    /// <summary>
    /// The server has stopped to read: what it was waiting for was called off and nothing had come, so nobody is owed an answer. False after
    /// everything else that ends a connection, such as an answer that said so or a request that was refused.
    /// </summary>
    public bool EndedIdle => _idle;

    /// <summary>Ends the sending side, so that the client knows; unless it has sent something, which is then to be served.</summary>
    /// <returns>True: something has come.</returns>
    public bool EndUnlessAsked(ConnectionContext connection)
    {
        _idle = false;
        if (connection.ConnectionClosed.IsCancellationRequested || connection.Features.Get<IConnectionSocketFeature>()?.Socket is not { } socket)
            return false;

        try
        {
            if (HasRead() || socket.Available > 0 || HasRead())
                return true;

            socket.Shutdown(SocketShutdown.Send);
            return false;
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            return false;           // the client has left
        }
    }

    public override bool TryRead(out ReadResult result)
    {
        var read = _input.TryRead(out result);
        _idle = read && result.IsCanceled && result.Buffer.IsEmpty;
        return read;
    }

    public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        var reading = _input.ReadAsync(cancellationToken);
        return reading.IsCompletedSuccessfully ? new ValueTask<ReadResult>(Note(reading.Result)) : WaitAsync(reading);
    }

    public override void AdvanceTo(SequencePosition consumed) => _input.AdvanceTo(consumed);

    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined) => _input.AdvanceTo(consumed, examined);

    public override void CancelPendingRead() => _input.CancelPendingRead();

    public override void Complete(Exception? exception = null) => _input.Complete(exception);

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<ReadResult> WaitAsync(ValueTask<ReadResult> reading) => Note(await reading);

    private ReadResult Note(ReadResult result)
    {
        _idle = result.IsCanceled && result.Buffer.IsEmpty;
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
}
