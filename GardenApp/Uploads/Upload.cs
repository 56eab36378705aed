namespace GardenApp.Uploads;

/// <summary>A file that somebody keeps here.</summary>
public sealed record Upload
{
    public required Guid Id { get; init; }

    public required string Owner { get; init; }

    public Guid? GardenId { get; init; }

    /// <summary>What the user calls it; never a path.</summary>
    public required string FileName { get; init; }

    public required string ContentType { get; init; }

    /// <summary>Bytes.</summary>
    public required long Size { get; init; }

    /// <summary>SHA-256 of the bytes, in lower-case hex.</summary>
    public required string Sha256 { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }
}
