using System.Security.Cryptography;
using GardenApp.Hosting;

namespace GardenApp.Uploads;

/// <summary>
/// The bytes on the volume. A file is named by the id that was made for it and by nothing that came over the network, so no name can
/// lead out of the folder.
/// </summary>
internal sealed class UploadFiles
{
    private readonly string _folder;

    public UploadFiles(GardenSettings settings) => _folder = settings.UploadsFolder;

    /// <summary>Writes a stream to disk and returns its size and hash; null when it is longer than allowed. What is half written never gets its name.</summary>
    internal async Task<(long Size, string Sha256)?> WriteAsync(Guid id, Stream content, long largest, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(_folder);
        var partial = $"{PathOf(id)}.part";
        var length = 0L;
        try
        {
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            await using (var file = new FileStream(partial, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0, useAsync: true))
            {
                var buffer = new byte[80 * 1024];
                for (int read; (read = await content.ReadAsync(buffer, cancellationToken)) > 0;)
                {
                    length += read;
                    if (length > largest) return null;
                    hash.AppendData(buffer.AsSpan(0, read));
                    await file.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
                }
                file.Flush(flushToDisk: true);
            }
            File.Move(partial, PathOf(id), overwrite: true);
            return (length, Convert.ToHexStringLower(hash.GetHashAndReset()));
        }
        finally
        {
            File.Delete(partial);
        }
    }

    /// <summary>Null when the volume does not have it.</summary>
    internal FileStream? OpenRead(Guid id)
    {
        try
        {
            return new FileStream(PathOf(id), FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, bufferSize: 0, useAsync: true);
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    /// <summary>Already gone is fine.</summary>
    internal void Delete(Guid id)
    {
        if (Directory.Exists(_folder)) File.Delete(PathOf(id));
    }

    private string PathOf(Guid id) => Path.Combine(_folder, id.ToString("N"));
}
