using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Orchestrator.Traffic.Requests;

/// <summary>The file that the access log goes to. When it is moved away or cut, as rotation does, the next lines go to a new one.</summary>
internal sealed class AccessFile(string path, TimeProvider time) : IAsyncDisposable
{
    private static readonly TimeSpan Between = TimeSpan.FromSeconds(1);
    private static readonly byte[] LineEnd = [(byte)'\n'];

    private readonly ArrayBufferWriter<byte> _buffer = new(64 * 1024);
    private readonly Utf8JsonWriter _json = new(Stream.Null, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
    private Stream? _stream;
    private long _looked;

    public void Add(AccessEntry entry)
    {
        _json.Reset(_buffer);
        entry.WriteTo(_json);
        _json.Flush();
        _buffer.Write(LineEnd);
    }

    /// <summary>Writes what was added; it is gone from memory even when this fails.</summary>
    public async Task FlushAsync()
    {
        try
        {
            await LookAsync();
            _stream ??= Open();
            await _stream.WriteAsync(_buffer.WrittenMemory);
            await _stream.FlushAsync();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            await CloseAsync();
            throw;
        }
        finally
        {
            _buffer.ResetWrittenCount();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await CloseAsync();
        await _json.DisposeAsync();
    }

    private Stream Open() => path == AccessLogOptions.Stdout
        ? Console.OpenStandardOutput()
        : new FileStream(path, new FileStreamOptions
        {
            Mode = FileMode.Append,
            Access = FileAccess.Write,
            Share = FileShare.ReadWrite | FileShare.Delete,
            BufferSize = 0,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead,
        });

    // Whoever has another length is another file: nobody else writes to ours. What cannot seek, such as a pipe, has none, and is never rotated.
    private async Task LookAsync()
    {
        if (_stream is not FileStream { CanSeek: true } file || (_looked != 0 && time.GetElapsedTime(_looked) < Between))
            return;

        _looked = time.GetTimestamp();
        var there = new FileInfo(path);
        if (!there.Exists || there.Length != file.Length)
            await CloseAsync();
    }

    private async Task CloseAsync()
    {
        if (_stream is not null)
            await _stream.DisposeAsync();
        _stream = null;
    }
}
