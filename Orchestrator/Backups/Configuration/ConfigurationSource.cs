using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using Orchestrator.Backups.Keeping;
using Orchestrator.Backups.Pipeline;
using Orchestrator.Journal;
using Orchestrator.Journal.Sqlite;
using Orchestrator.Secrets;

namespace Orchestrator.Backups.Configuration;

/// <param name="Workplace">A directory that only the daemon can enter, for the copy of the journal on its way.</param>
/// <param name="SettingsFile">The daemon's settings; null: it has none.</param>
public sealed record ConfigurationSourceOptions(string Workplace, string? SettingsFile)
{
    /// <summary>Where the account at the authority and the certificates that it issued lie; null: nowhere.</summary>
    public string? CertificateDirectory { get; init; }
}

/// <summary>
/// What rebuilds a stack on an empty machine beside its data: releases with their routes, secrets, the files that it mounts, the daemon's settings, its
/// account and certificates at the authority, and its journal. Secrets are opened by the daemon's key ring and go into the encrypting stream as they are read; on no disk are they in the clear. In the copy of
/// the journal they are sealed with the daemon's key, which is in no backup.
/// </summary>
public sealed class ConfigurationSource(IJournal journal, SecretStore secrets, SqliteDatabase database, ConfigurationSourceOptions options) : IBackupSource
{
    private const string ContentName = "configuration.json";
    private const string JournalName = "journal.db";
    private const long LargestFile = 1024 * 1024;

    public string Kind => "configuration";

    public async Task<ImmutableArray<BackupFinding>> CheckAsync(BackupSubject subject, CancellationToken cancellationToken)
    {
        var record = await StackExport.TakeAsync(journal, subject.Stack, cancellationToken);
        return
        [
            .. record.Files.Where(path => !File.Exists(path) || new FileInfo(path).Length > LargestFile).Select(path => new BackupFinding(
                Blocking: false, $"{path}, which the stack mounts, {(File.Exists(path) ? "is larger than 1 MiB" : "is not there")}: it is not in the backup", "Keep it in a volume, or elsewhere.")),
        ];
    }

    public async Task<BackupPart> BackupAsync(BackupSubject subject, BackupWriter writer, CancellationToken cancellationToken)
    {
        var record = await StackExport.TakeAsync(journal, subject.Stack, cancellationToken);
        var content = new ConfigurationContent
        {
            Stack = subject.Stack,
            Record = StackExport.Write(record),
            Secrets = await secrets.ExportAsync(subject.Stack, cancellationToken),
            Files = [.. record.Files.Concat(Certificates()).Where(path => File.Exists(path) && new FileInfo(path).Length <= LargestFile)
                .Select(path => new ConfigurationFile(path, File.GetUnixFileMode(path), [.. File.ReadAllBytes(path)]))],
            Settings = options.SettingsFile is { } settings && File.Exists(settings) ? await File.ReadAllTextAsync(settings, cancellationToken) : null,
        };
        var stored = await writer.WriteAsync($"{subject.Service.Name}/{ContentName}", content.WriteAsync, cancellationToken);
        return new BackupPart
        {
            Service = subject.Service.Name,
            Kind = Kind,
            Objects = [stored, await CopyJournalAsync(subject, writer, cancellationToken)],
            Facts = ImmutableSortedDictionary<string, string>.Empty.Add("release", Number(record.Current)),
            Fingerprints = Fingerprints(record, content.Secrets.Length),
        };
    }

    public RecoverySection? Recovery(BackupPart part) => new(
        "The stack itself",
        """
           restore.sh lays TARGET/@stack/configuration.json down: the releases with their images, settings and routes, the files of
           the host that the stack mounts (base64), and the values of its secrets IN THE CLEAR: remove TARGET when you are done.
           TARGET/@stack/journal.db is the daemon's journal, a database of SQLite; its secrets are sealed with the lost host's key.
        """);

    /// <summary>Lays the journal, and the stack's record, into the directory given for <c>/</c>. Secrets are not laid on a disk: <see cref="ReadAsync"/> gives them.</summary>
    public async Task RestoreAsync(BackupPart part, RestoreTarget target, BackupReader reader, CancellationToken cancellationToken)
    {
        var directory = target.Directories.Values.FirstOrDefault() ?? throw new BackupFailedException("There is no directory for the stack's configuration.", "Give one.");
        var content = await ReadAsync(part, reader, cancellationToken);
        var mode = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite };
        await using (var record = new StreamWriter(Path.Combine(directory, "stack.json"), mode)) await record.WriteAsync(content.Record.AsMemory(), cancellationToken);
        await using var file = new FileStream(Path.Combine(directory, JournalName), mode);
        await reader.ReadAsync(Of(part, JournalName), (stream, token) => stream.CopyToAsync(file, token), cancellationToken);
    }

    /// <summary>Counts, since a hash of what may hold a short secret would tell it.</summary>
    public async Task<ImmutableSortedDictionary<string, string>> FingerprintsAsync(BackupSubject subject, CancellationToken cancellationToken) => Fingerprints(
        await StackExport.TakeAsync(journal, subject.Stack, cancellationToken), (await secrets.ExportAsync(subject.Stack, cancellationToken)).Length);

    /// <summary>What a set says of its stack, secrets included: for a recovery, never for a log or a file.</summary>
    /// <exception cref="BackupFailedException">It is damaged, or of a newer version of the program.</exception>
    public static async Task<ConfigurationContent> ReadAsync(BackupPart part, BackupReader reader, CancellationToken cancellationToken)
    {
        ConfigurationContent? content = null;
        try
        {
            await reader.ReadAsync(Of(part, ContentName), async (stream, token) => content = await ConfigurationContent.ReadAsync(stream, token), cancellationToken);
        }
        catch (Exception unreadable) when (unreadable is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            throw new BackupFailedException("The configuration in the set cannot be read.", "Use the version of the program that made the set, or a newer one.", unreadable);
        }

        return content ?? throw new BackupFailedException("The configuration in the set cannot be read.", "Choose another set.");
    }

    /// <summary>So that a new machine need not ask for all of them at once, which authorities limit.</summary>
    private IEnumerable<string> Certificates() =>
        options.CertificateDirectory is { } directory && Directory.Exists(directory) ? Directory.EnumerateFiles(directory, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal) : [];

    private async Task<BackupObject> CopyJournalAsync(BackupSubject subject, BackupWriter writer, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(options.Workplace, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var copy = Path.Combine(options.Workplace, $"journal-{Guid.NewGuid():n}.db");
        try
        {
            await database.CopyAsync(copy, cancellationToken);
            return await writer.WriteAsync(
                $"{subject.Service.Name}/{JournalName}",
                async (content, token) =>
                {
                    await using var file = File.OpenRead(copy);
                    await file.CopyToAsync(content, token);
                },
                cancellationToken);
        }
        finally
        {
            File.Delete(copy);
        }
    }

    private static BackupObject Of(BackupPart part, string name) => part.Objects.FirstOrDefault(item => item.Key.Contains($"/{name}", StringComparison.Ordinal))
        ?? throw new BackupFailedException($"{name} is not in the set.", "Choose another set ('basmalin backup list').");

    private static ImmutableSortedDictionary<string, string> Fingerprints(StackRecord record, int secrets) => ImmutableSortedDictionary<string, string>.Empty
        .Add("releases", Number(record.Count)).Add("current release", Number(record.Current)).Add("secrets", Number(secrets));

    private static string Number(int number) => number.ToString(CultureInfo.InvariantCulture);
}
