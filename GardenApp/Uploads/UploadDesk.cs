using GardenApp.Gardens;
using GardenApp.Hosting;

namespace GardenApp.Uploads;

/// <summary>Takes a file in: first the bytes to the volume, then the row, so that every row has its file.</summary>
internal sealed class UploadDesk
{
    private readonly GardenSettings _settings;
    private readonly UploadFiles _files;
    private readonly UploadStore _store;
    private readonly GardenStore _gardens;
    private readonly TimeProvider _time;

    public UploadDesk(GardenSettings settings, UploadFiles files, UploadStore store, GardenStore gardens, TimeProvider time)
    {
        _settings = settings;
        _files = files;
        _store = store;
        _gardens = gardens;
        _time = time;
    }

    /// <summary>Bytes.</summary>
    internal long Largest => _settings.LargestUpload;

    internal async Task<Received> ReceiveAsync(string owner, string name, string contentType, Guid? gardenId, Stream content, CancellationToken cancellationToken)
    {
        if (gardenId is { } garden && await _gardens.FindAsync(garden, cancellationToken) is null) return new Received.NoSuchGarden();
        var now = _time.GetUtcNow();
        var id = Guid.CreateVersion7(now);
        if (await _files.WriteAsync(id, content, Largest, cancellationToken) is not var (size, sha256)) return new Received.TooLarge();
        try
        {
            // Microseconds, as PostgreSQL keeps them: what is answered now is what is read later.
            var created = new DateTimeOffset(now.Ticks - now.Ticks % TimeSpan.TicksPerMicrosecond, TimeSpan.Zero);
            var upload = new Upload { Id = id, Owner = owner, GardenId = gardenId, FileName = name, ContentType = contentType, Size = size, Sha256 = sha256, CreatedAt = created };
            await _store.AddAsync(upload, cancellationToken);
            return new Received.Stored(upload);
        }
        catch
        {
            _files.Delete(id);
            throw;
        }
    }
}
