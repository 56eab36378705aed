using System.Buffers;
using System.Threading.Channels;

namespace Orchestrator.Backups.Pipeline;

/// <summary>A piece on its way to several stores; given back when the last of them is done with it.</summary>
internal sealed class TeeBlock(int users)
{
    public const int Size = 512 * 1024;

    private int _users = users;

    public byte[] Buffer { get; } = ArrayPool<byte>.Shared.Rent(Size);

    public int Length { get; set; }

    public void Release()
    {
        if (Interlocked.Decrement(ref _users) == 0) ArrayPool<byte>.Shared.Return(Buffer);
    }
}

/// <summary>One store's way for one object: a bounded queue, emptied into the store by a task of its own. A failure ends it, not the others.</summary>
internal sealed class StoreLane : IAsyncDisposable
{
    private const int QueuedBlocks = 8;

    private static readonly TimeSpan LettingGo = TimeSpan.FromSeconds(10);

    // Full: the writer waits, for so long as it is patient.
    private readonly Channel<TeeBlock> _queue = Channel.CreateBounded<TeeBlock>(new BoundedChannelOptions(QueuedBlocks) { SingleReader = true, SingleWriter = true });
    private readonly TimeSpan _patience;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _stopping;
    private readonly Task _pumping;
    private PendingObject? _pending;
    private Task _publishing = Task.CompletedTask;

    /// <param name="patience">How long the store may take nothing at all.</param>
    public StoreLane(IBackupStore store, string key, TimeSpan patience, TimeProvider time, CancellationToken cancellationToken)
    {
        (Store, Key, _patience, _time) = (store, key, patience, time);
        _stopping = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        _pumping = Task.Run(PumpAsync, CancellationToken.None);
    }

    public IBackupStore Store { get; }

    public string Key { get; }

    /// <summary>Null while all is well.</summary>
    public StoreFailure? Failure { get; private set; }

    /// <returns>False when the lane took nothing for the whole time; it has failed then.</returns>
    public async ValueTask<bool> SendAsync(TeeBlock block, CancellationToken cancellationToken)
    {
        if (_queue.Writer.TryWrite(block)) return true;

        using var impatience = new CancellationTokenSource(_patience, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(impatience.Token, cancellationToken);
        try
        {
            await _queue.Writer.WriteAsync(block, either.Token);
            return true;
        }
        catch (Exception failure) when (failure is OperationCanceledException or ChannelClosedException)
        {
            block.Release();
            cancellationToken.ThrowIfCancellationRequested();
            FailSlow();
            await _stopping.CancelAsync();
            return false;
        }
    }

    /// <summary>Waits until the store has all that was sent.</summary>
    public async Task CompleteAsync(CancellationToken cancellationToken)
    {
        _queue.Writer.TryComplete();
        var before = _queue.Reader.Count;
        while (!_pumping.IsCompleted && Failure is null)
        {
            try
            {
                await _pumping.WaitAsync(_patience, _time, cancellationToken);
            }
            catch (TimeoutException)
            {
                // Fewer are queued than a while ago: slow, but it goes on.
                var now = _queue.Reader.Count;
                if (now >= before) FailSlow();
                before = now;
            }
        }
    }

    /// <returns>Null when it failed.</returns>
    public async Task<StoredObject?> PublishAsync(BackupObject written, CancellationToken cancellationToken)
    {
        if (Failure is not null || _pending is null) return null;
        try
        {
            // On another thread: a directory forces it to the disk and reads it back on the caller's, while other stores wait.
            var publishing = Task.Run(() => _pending.PublishAsync(written.StoredHash, cancellationToken), cancellationToken);
            _publishing = publishing;
            var stored = await publishing.WaitAsync(cancellationToken);
            if (stored.Bytes == written.StoredBytes) return stored;

            Fail($"holds {stored.Bytes} bytes, and {written.StoredBytes} were sent");
            await Store.DeleteAsync(Key, cancellationToken);
        }
        catch (Exception failure) when (failure is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            Fail(Describe(failure));
        }

        return null;
    }

    /// <summary>Waits for the store to let go of what was begun, for a while: a directory on a server that is away may hold a write for ever, and with it nobody else.</summary>
    public async ValueTask DisposeAsync()
    {
        _queue.Writer.TryComplete();
        await _stopping.CancelAsync();
        try
        {
            // On another thread: a directory closes and deletes on the caller's.
            await Task.Run(LetGoAsync, CancellationToken.None).WaitAsync(LettingGo, _time);
        }
        catch (TimeoutException)
        {
            Fail($"did not come back for {LettingGo.TotalSeconds:0} s after it was told to end, and was left behind");
        }
    }

    private async Task LetGoAsync()
    {
        await _pumping;
        _stopping.Dispose();
        if (_pending is null) return;
        try
        {
            await _publishing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);       // whoever waited for it knows what came of it
            await _pending.DisposeAsync();
        }
        catch (Exception failure)
        {
            Fail(Describe(failure));        // what it left behind is swept later
        }
    }

    private async Task PumpAsync()
    {
        try
        {
            _pending = await Store.CreateAsync(Key, _stopping.Token);
            await foreach (var block in _queue.Reader.ReadAllAsync(_stopping.Token))
            {
                try
                {
                    await _pending.Content.WriteAsync(block.Buffer.AsMemory(0, block.Length), _stopping.Token);
                }
                finally
                {
                    block.Release();
                }
            }
        }
        catch (Exception failure)
        {
            Fail(Describe(failure));
        }

        // Nobody may wait for a lane that has ended.
        _queue.Writer.TryComplete();
        while (_queue.Reader.TryRead(out var rest)) rest.Release();
    }

    private void FailSlow() => Fail($"took nothing for {_patience.TotalSeconds:0} s and was left behind");

    private void Fail(string message) => Failure ??= new StoreFailure(Store.Name, Key, message);

    private string Describe(Exception failure)
    {
        var prefix = $"{Store.Name}: ";
        return failure.Message.StartsWith(prefix, StringComparison.Ordinal) ? failure.Message[prefix.Length..] : failure.Message;
    }
}
