using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Orchestrator.Traffic.Requests;

/// <summary>Ends an attempt whose answer does not begin in time, counted from the last byte of the request: a slow upload is the client's business.</summary>
internal sealed class PhaseTimer : IDisposable
{
    private readonly TimeSpan _limit;
    private readonly CancellationTokenSource _expired;
    private readonly CancellationTokenRegistration _deadline;
    private volatile bool _stopped;

    /// <param name="deadline">Ends the attempt in any case.</param>
    public PhaseTimer(TimeSpan limit, TimeProvider time, CancellationToken deadline)
    {
        _limit = limit;
        _expired = new CancellationTokenSource(limit, time);
        _deadline = deadline.UnsafeRegister(static source => ((CancellationTokenSource?)source)?.Cancel(), _expired);
    }

    public CancellationToken Expired => _expired.Token;

    /// <summary>Begins anew with each part of the request's body.</summary>
    public void Follow(HttpContext context)
    {
        if (context.Features.Get<IHttpRequestBodyDetectionFeature>() is { CanHaveBody: true })
            context.Request.Body = new WatchedBody(context.Request.Body is WatchedBody { Inner: var inner } ? inner : context.Request.Body, this);
    }

    /// <summary>The answer has begun.</summary>
    public void Stop()
    {
        _stopped = true;
        _expired.CancelAfter(Timeout.InfiniteTimeSpan);
    }

    public void Dispose()
    {
        _stopped = true;
        _deadline.Dispose();
        _expired.Dispose();
    }

    private void Restart()
    {
        try
        {
            if (!_stopped)
                _expired.CancelAfter(_limit);
        }
        catch (ObjectDisposedException) when (_stopped)
        {
            // The attempt ended while the last part of the body came: nothing waits for this timer any more.
            return;
        }
    }

    private sealed class WatchedBody(Stream inner, PhaseTimer timer) : Stream
    {
        public Stream Inner => inner;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var read = await inner.ReadAsync(buffer, cancellationToken);
            timer.Restart();
            return read;
        }

        public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override void Flush() => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }
}
