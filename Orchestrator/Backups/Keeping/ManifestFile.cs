using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Orchestrator.Backups.Stores;

namespace Orchestrator.Backups.Keeping;

/// <summary>A manifest as it lies in a store: plain JSON, and beside it its hash in the form that <c>sha256sum -c</c> checks.</summary>
public static class ManifestFile
{
    /// <summary>The newest <see cref="BackupManifest.Format"/> that is understood.</summary>
    public const int NewestFormat = 3;

    private const long MostBytes = 256L << 20;

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        IgnoreReadOnlyProperties = true,
        Converters = { new SetIdConverter() },
    };

    public static byte[] Write(BackupManifest manifest) => JsonSerializer.SerializeToUtf8Bytes(manifest, Json);

    /// <exception cref="BackupFailedException">It is none, or of a newer format.</exception>
    public static BackupManifest Parse(ReadOnlySpan<byte> bytes, string where)
    {
        try
        {
            var manifest = JsonSerializer.Deserialize<BackupManifest>(bytes, Json) ?? throw new JsonException("it is empty");
            if (manifest.Format is >= 1 and <= NewestFormat) return manifest;

            throw new BackupFailedException(
                $"{where}: the set was written in format {manifest.Format} by version {manifest.Program}, and this program knows up to {NewestFormat}.",
                "Use that version or a later one.");
        }
        catch (JsonException failure)
        {
            throw new BackupFailedException($"{where}: this is no manifest: {failure.Message}", "Restore from another store, or another set.", failure);
        }
    }

    public static string HashOf(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));

    /// <summary>Reads a set's manifest and holds it against its hash.</summary>
    /// <exception cref="BackupFailedException">It is not what was written.</exception>
    /// <exception cref="BackupStoreException">It cannot be had.</exception>
    internal static async Task<BackupManifest> ReadAsync(IBackupStore store, string stack, BackupSetId set, CancellationToken cancellationToken)
    {
        var prefix = BackupLayout.Set(stack, set);
        var bytes = await ReadAsync(store, prefix + BackupLayout.Manifest, cancellationToken);
        var hash = Encoding.ASCII.GetString(await ReadAsync(store, prefix + BackupLayout.ManifestHash, cancellationToken));
        var where = $"{store.Name}: {prefix}{BackupLayout.Manifest}";
        if (!hash.StartsWith(HashOf(bytes), StringComparison.Ordinal))
            throw new BackupFailedException($"{where} is not what was written: its hash is another.", "Restore from another store, or another set.");

        var manifest = Parse(bytes, where);
        return manifest.Id == set && manifest.Stack == stack
            ? manifest
            : throw new BackupFailedException($"{where} is that of {manifest.Stack}'s set {manifest.Id}.", "Somebody has moved it. Restore from another store.");
    }

    internal static byte[] HashLine(ReadOnlySpan<byte> bytes) => Encoding.ASCII.GetBytes($"{HashOf(bytes)}  {BackupLayout.Manifest}\n");

    internal static async Task PutAsync(IBackupStore store, string key, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        await using var pending = await store.CreateAsync(StoreKeys.Check(key), cancellationToken);
        await pending.Content.WriteAsync(content, cancellationToken);
        await pending.PublishAsync(HashOf(content.Span), cancellationToken);
    }

    private static async Task<byte[]> ReadAsync(IBackupStore store, string key, CancellationToken cancellationToken)
    {
        try
        {
            await using var content = await store.OpenAsync(key, 0, cancellationToken);
            using var bytes = new MemoryStream();
            var buffer = new byte[64 * 1024];
            for (int count; (count = await content.ReadAsync(buffer, cancellationToken)) > 0;)
            {
                if (bytes.Length + count > MostBytes) throw new BackupStoreException(store.Name, $"{key} is longer than a manifest can be", null);
                bytes.Write(buffer, 0, count);
            }

            return bytes.ToArray();
        }
        catch (IOException failure)
        {
            throw new BackupStoreException(store.Name, $"{key} cannot be read: {failure.Message}", failure);
        }
    }

    private sealed class SetIdConverter : JsonConverter<BackupSetId>
    {
        public override BackupSetId Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => new(reader.GetString() ?? "");

        public override void Write(Utf8JsonWriter writer, BackupSetId value, JsonSerializerOptions options) => writer.WriteStringValue(value.Value);
    }
}
