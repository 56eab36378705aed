using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Logging;
using Orchestrator.Backups.Keeping;
using Orchestrator.Backups.Pipeline;
using Orchestrator.Stacks;

namespace Orchestrator.Backups.Volumes;

/// <param name="Directory">Where the indexes of the last backups are kept, readable by the daemon alone.</param>
public sealed record VolumeSourceOptions(string Directory);

/// <summary>
/// The files of a service's volumes, as they lie on this host: incremental by content. Each set has an index of everything; the contents lie in packs beside the
/// sets, which later sets refer to. A file that grows or vanishes meanwhile is told and is no failure: the files are those of the time at which each was read,
/// not of one moment.
/// </summary>
public sealed partial class VolumeSource(VolumeSourceOptions options, TimeProvider time, ILogger<VolumeSource> logger) : IBackupSource
{
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    public string Kind => "volume";

    public Task<ImmutableArray<BackupFinding>> CheckAsync(BackupSubject subject, CancellationToken cancellationToken)
    {
        var mounts = MountsOf(subject);
        var findings = mounts.Where(mount => mount.Directory is null || !Directory.Exists(mount.Directory)).Select(mount => new BackupFinding(
            Blocking: true,
            $"{subject.Service.Name}: the files of the volume at {mount.Target} cannot be seen on this host{(mount.Directory is null ? "" : $" ({mount.Directory})")}",
            "The daemon must run on the engine's host, as root; volumes of a remote driver cannot be backed up as files."));
        if (mounts.IsEmpty)
        {
            findings = [new BackupFinding(Blocking: true, $"{subject.Service.Name}: it has a backup of kind volume, and no volume", "Mount a named volume, or take x-basmalin.backup away.")];
        }

        return Task.FromResult<ImmutableArray<BackupFinding>>([.. findings]);
    }

    public async Task<BackupPart> BackupAsync(BackupSubject subject, BackupWriter writer, CancellationToken cancellationToken)
    {
        var facts = ImmutableSortedDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        var fingerprints = ImmutableSortedDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        var objects = ImmutableArray.CreateBuilder<BackupObject>();
        foreach (var (place, (target, directory)) in MountsOf(subject).Index())
        {
            if (directory is null || !Directory.Exists(directory))
                throw new BackupFailedException($"{subject.Service.Name}: the files of the volume at {target} cannot be seen on this host", "The daemon must run on the engine's host, as root.");

            var name = string.Create(CultureInfo.InvariantCulture, $"{subject.Service.Name}/volume-{place}");
            var digest = new VolumeDigest(target);
            try
            {
                objects.AddRange(await BackupAsync(subject, writer, new Mount(name, target, directory), digest, facts, cancellationToken));
            }
            catch (IOException failure)
            {
                throw new BackupFailedException($"{subject.Service.Name}: the volume at {target} could not be read: {failure.Message}", "See whether its disk is well, and run the backup again.", failure);
            }

            facts[$"mount.{place}"] = target;
            fingerprints.AddRange(digest.Fingerprints);
        }

        return new BackupPart
        {
            Service = subject.Service.Name,
            Kind = Kind,
            Objects = [.. objects.DistinctBy(item => item.Key)],
            Facts = facts.ToImmutable(),
            Fingerprints = fingerprints.ToImmutable(),
        };
    }

    public RecoverySection? Recovery(BackupPart part) => VolumeRecovery.Section(part);

    public async Task RestoreAsync(BackupPart part, RestoreTarget target, BackupReader reader, CancellationToken cancellationToken)
    {
        foreach (var (fact, mount) in part.Facts.Where(fact => fact.Key.StartsWith("mount.", StringComparison.Ordinal)))
        {
            var place = fact["mount.".Length..];
            if (!target.Directories.TryGetValue(mount, out var directory))
                throw new BackupFailedException($"{part.Service}: the set has the files of {mount}, and the service has no volume there now", $"Mount a volume at {mount} again, or restore with the release of the set.");

            var index = part.Objects.FirstOrDefault(item => item.Key.Contains($"/volume-{place}.index", StringComparison.Ordinal))
                ?? throw new BackupFailedException($"{part.Service}: the index of {mount} is not in the set", "Choose another set ('basmalin backup list').");
            await new VolumeRestore(directory, part, reader).RunAsync(index, cancellationToken);
        }
    }

    public async Task<ImmutableSortedDictionary<string, string>> FingerprintsAsync(BackupSubject subject, CancellationToken cancellationToken)
    {
        var all = ImmutableSortedDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        foreach (var (target, directory) in MountsOf(subject))
        {
            if (directory is null) continue;

            var digest = new VolumeDigest(target);
            await using var nowhere = new StreamWriter(Stream.Null);
            using var look = new VolumeCopy(writer: null, "", nowhere, new KnownContent(), digest, time.GetUtcNow());
            await look.RunAsync(directory, cancellationToken);
            all.AddRange(digest.Fingerprints);
        }

        return all.ToImmutable();
    }

    private async Task<IReadOnlyList<BackupObject>> BackupAsync(
        BackupSubject subject, BackupWriter writer, Mount mount, VolumeDigest digest, ImmutableSortedDictionary<string, string>.Builder facts, CancellationToken cancellationToken)
    {
        var kept = KeptIndex(subject, mount.Target);
        var pending = $"{kept}.{Guid.NewGuid():n}";
        try
        {
            var known = await KnownContent.LoadAsync(kept, writer, cancellationToken);
            IReadOnlyList<VolumePack> packs;
            var settings = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite };
            await using (var index = new StreamWriter(pending, Encoding.ASCII, settings))
            {
                using var copy = new VolumeCopy(writer, mount.Name, index, known, digest, time.GetUtcNow());
                packs = await copy.RunAsync(mount.Directory, cancellationToken);
                Note(subject, mount, copy, facts);
            }

            var stored = await writer.WriteAsync(
                $"{mount.Name}.index",
                async (content, token) =>
                {
                    await using var lines = File.OpenRead(pending);
                    await lines.CopyToAsync(content, token);
                },
                cancellationToken);
            File.Move(pending, kept, overwrite: true);
            return [stored, .. packs.Select(pack => pack.Stored)];
        }
        finally
        {
            File.Delete(pending);
        }
    }

    private void Note(BackupSubject subject, Mount mount, VolumeCopy copy, ImmutableSortedDictionary<string, string>.Builder facts)
    {
        facts[$"files {mount.Target}"] = copy.Files.ToString(CultureInfo.InvariantCulture);
        facts[$"copied {mount.Target}"] = copy.Copied.ToString(CultureInfo.InvariantCulture);
        if (copy.Notes.Count == 0) return;

        facts[$"notes {mount.Target}"] = string.Create(CultureInfo.InvariantCulture, $"{copy.Notes.Count}: {string.Join("; ", copy.Notes.First)}");
        LogNotes(subject.Service.Name, mount.Target, copy.Notes.Count, copy.Notes.First[0]);
    }

    private string KeptIndex(BackupSubject subject, string target)
    {
        var directory = Path.Combine(options.Directory, subject.Stack, subject.Service.Name);
        Directory.CreateDirectory(directory, Private);
        return Path.Combine(directory, $"{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(target)))[..16]}.index");
    }

    private static ImmutableArray<(string Target, string? Directory)> MountsOf(BackupSubject subject) =>
    [
        .. subject.Service.Container.Mounts.Where(mount => mount.Kind == MountKind.Volume)
            .Select(mount => (mount.Target, subject.Container.Directories.GetValueOrDefault(mount.Target))).OrderBy(mount => mount.Target, StringComparer.Ordinal),
    ];

    [LoggerMessage(EventId = 5420, Level = LogLevel.Warning, Message = "{Service}: {Count} files of the volume at {Mount} could not be kept as they were; the first: {First}")]
    private partial void LogNotes(string service, string mount, int count, string first);

    /// <param name="Name">Begins the names of its objects.</param>
    private sealed record Mount(string Name, string Target, string Directory);
}
