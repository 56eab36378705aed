using System.Collections.Immutable;
using Orchestrator.Backups.Keeping;
using Orchestrator.Backups.Pipeline;
using Orchestrator.Docker;
using Orchestrator.Stacks;

namespace Orchestrator.Backups;

/// <summary>One kind of data: how it is copied, and how a copy becomes a volume again.</summary>
public interface IBackupSource
{
    /// <summary>See <see cref="BackupPart.Kind"/>.</summary>
    string Kind { get; }

    /// <summary>What is missing for backups of this service, each with the exact line or command that mends it. Empty: nothing.</summary>
    Task<ImmutableArray<BackupFinding>> CheckAsync(BackupSubject subject, CancellationToken cancellationToken);

    /// <summary>Copies the data as it is now into the writer. Reports through it; throws <see cref="BackupFailedException"/> where nothing whole could be had.</summary>
    Task<BackupPart> BackupAsync(BackupSubject subject, BackupWriter writer, CancellationToken cancellationToken);

    /// <summary>
    /// Lays a copy into an empty directory that is to become the service's volume, ready for the service's own image to start on: owner and modes
    /// as the image wants them, and brought to the wanted point by what is laid out (recovery settings, a cut append-only file), not by us waiting.
    /// </summary>
    Task RestoreAsync(BackupPart part, RestoreTarget target, BackupReader reader, CancellationToken cancellationToken);

    /// <summary>What the recovery card says of this part; null: nothing, since it is no data.</summary>
    RecoverySection? Recovery(BackupPart part) => null;

    /// <summary>Fingerprints of a running (restored or live) service, as a backup takes them now.</summary>
    Task<ImmutableSortedDictionary<string, string>> FingerprintsAsync(BackupSubject subject, CancellationToken cancellationToken);

    /// <summary>The same, taken in the way in which those of the part were: an older version of this program may have had another.</summary>
    Task<ImmutableSortedDictionary<string, string>> FingerprintsLikeAsync(BackupPart part, BackupSubject subject, CancellationToken cancellationToken) => FingerprintsAsync(subject, cancellationToken);
}

/// <summary>A service that has data, as it runs.</summary>
public sealed record BackupSubject
{
    public required string Stack { get; init; }

    public required ServiceSpec Service { get; init; }

    /// <summary>Its running container; live, or of a drill.</summary>
    public required ObservedContainer Container { get; init; }

    /// <summary>The pinned image that it runs.</summary>
    public required string Image { get; init; }

    /// <summary>Where the daemon reaches it.</summary>
    public required string Address { get; init; }

    public BackupSpec Backup => Service.BasMalin?.Backup ?? throw new InvalidOperationException($"{Service.Name} has no backup.");
}

/// <summary>Where a copy is laid, and to which moment.</summary>
public sealed record RestoreTarget
{
    public required string Stack { get; init; }

    public required ServiceSpec Service { get; init; }

    /// <summary>The pinned image that will start on it.</summary>
    public required string Image { get; init; }

    /// <summary>The container's mount target → the empty directory on this host behind the new volume.</summary>
    public required ImmutableSortedDictionary<string, string> Directories { get; init; }

    public required RestorePoint Point { get; init; }

    /// <summary>Is told, for people, where the data goes to another moment than the one that was asked for. Nobody need listen.</summary>
    public Action<string> Say { get; init; } = static _ => { };
}

/// <summary>The moment that a restore goes to.</summary>
public abstract record RestorePoint
{
    private RestorePoint()
    {
    }

    /// <summary>The set itself: the consistent moment at which it was taken.</summary>
    public sealed record OfSet : RestorePoint;

    /// <summary>All that was received.</summary>
    public sealed record Latest : RestorePoint;

    /// <summary>The last consistent state not later than this.</summary>
    public sealed record At(DateTimeOffset Time) : RestorePoint;

    /// <summary>A named point: for PostgreSQL a restore point or an LSN (<c>0/1A2B3C4D</c>), for Redis an offset (<c>REPLID:OFFSET</c>), keyed by service.</summary>
    public sealed record Position(ImmutableSortedDictionary<string, string> OfService) : RestorePoint;
}

/// <param name="Blocking">True: there can be no backup until it is mended.</param>
public sealed record BackupFinding(bool Blocking, string What, string Hint);
