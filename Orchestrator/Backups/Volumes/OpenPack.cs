using System.Formats.Tar;
using System.Globalization;
using Orchestrator.Backups.Pipeline;

namespace Orchestrator.Backups.Volumes;

/// <summary>
/// A pack that is being written: a tar whose members are called by numbers, since one content may stand for many names. The writer wants to be called back
/// for content and the walk through the volume wants to call, so the call back waits here until the walk has filled the pack.
/// </summary>
internal sealed class OpenPack : IAsyncDisposable
{
    private readonly TaskCompletionSource<Stream> _opened = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _filled = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Task<BackupObject> _stored;
    private TarWriter? _tar;

    private OpenPack(int number, BackupWriter writer, string name, CancellationToken cancellationToken)
    {
        (Number, Name) = (number, name);
        _stored = writer.WriteAsync(
            name,
            async (content, token) =>
            {
                _opened.TrySetResult(content);
                await _filled.Task.WaitAsync(token);
            },
            cancellationToken);
    }

    public int Number { get; }

    /// <summary>As the writer knows it.</summary>
    public string Name { get; }

    public int Members { get; private set; }

    /// <summary>Plain bytes so far.</summary>
    public long Bytes { get; private set; }

    public static async Task<OpenPack> StartAsync(int number, BackupWriter writer, string name, CancellationToken cancellationToken)
    {
        var pack = new OpenPack(number, writer, name, cancellationToken);
        await Task.WhenAny(pack._opened.Task, pack._stored);
        if (pack._stored.IsCompleted) await pack._stored;           // it failed before it asked
        pack._tar = new TarWriter(await pack._opened.Task, leaveOpen: true);
        return pack;
    }

    /// <returns>The member's name in the pack.</returns>
    public async Task<int> AddAsync(Stream content, long size, bool sparse, CancellationToken cancellationToken)
    {
        var tar = _tar ?? throw new InvalidOperationException("The pack was not started.");
        var member = ++Members;
        var name = member.ToString(CultureInfo.InvariantCulture);
        TarEntry entry = sparse
            ? new PaxTarEntry(TarEntryType.RegularFile, $"GNUSparseFile.0/{name}", SparseAttributes(name, size))
            : new GnuTarEntry(TarEntryType.RegularFile, name);
        entry.Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        entry.DataStream = content;
        await tar.WriteEntryAsync(entry, cancellationToken);
        Bytes += content.Length + 512;
        return member;
    }

    public async Task<BackupObject> CloseAsync()
    {
        try
        {
            if (_tar is not null) await _tar.DisposeAsync();
            _filled.TrySetResult();
        }
        catch (Exception failure)
        {
            _filled.TrySetException(failure);
        }

        return await _stored;
    }

    /// <summary>Gives it up: nothing of it is kept.</summary>
    public async Task AbandonAsync(Exception why)
    {
        _filled.TrySetException(why);
        await _stored.ContinueWith(static stored => _ = stored.Exception, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
    }

    /// <summary>What was neither closed nor given up is given up.</summary>
    public async ValueTask DisposeAsync() => await AbandonAsync(new OperationCanceledException("The pack was left before it was full."));

    private static Dictionary<string, string> SparseAttributes(string name, long size) => new()
    {
        ["GNU.sparse.major"] = "1",
        ["GNU.sparse.minor"] = "0",
        ["GNU.sparse.name"] = name,
        ["GNU.sparse.realsize"] = size.ToString(CultureInfo.InvariantCulture),
    };
}
