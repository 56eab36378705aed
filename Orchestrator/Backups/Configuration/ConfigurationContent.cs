using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using Orchestrator.Secrets;

namespace Orchestrator.Backups.Configuration;

/// <summary>What of a stack lies in no volume: what it is made of, and what it must know. Only ever written into the stream of an encrypted object.</summary>
public sealed record ConfigurationContent
{
    public required string Stack { get; init; }

    /// <summary>State and releases, as the journal exports them.</summary>
    public required string Record { get; init; }

    public ImmutableArray<KeptSecret> Secrets { get; init; } = [];

    /// <summary>Files of the host that the release mounts, and the daemon's certificates.</summary>
    public ImmutableArray<ConfigurationFile> Files { get; init; } = [];

    /// <summary>The daemon's own settings file; null: there was none.</summary>
    public string? Settings { get; init; }

    internal async Task WriteAsync(Stream target, CancellationToken cancellationToken)
    {
        await using var json = new Utf8JsonWriter(target);
        json.WriteStartObject();
        json.WriteNumber("format", 1);
        json.WriteString("stack", Stack);
        // The manifest tells the hash of this object to whoever sees the store: without chance in it, a short secret could be guessed and tried.
        json.WriteString("salt", Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32)));
        json.WritePropertyName("record");
        json.WriteRawValue(Record);
        json.WriteStartArray("secrets");
        foreach (var secret in Secrets)
        {
            json.WriteStartObject();
            json.WriteString("name", secret.Name);
            json.WriteNumber("version", secret.Version);
            json.WriteBoolean("removed", secret.Removed);
            json.WriteString("createdAt", secret.CreatedAt.ToString("O", CultureInfo.InvariantCulture));
            json.WriteString("value", secret.Value.Reveal());
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteStartArray("files");
        foreach (var file in Files)
        {
            json.WriteStartObject();
            json.WriteString("path", file.Path);
            json.WriteString("mode", Convert.ToString((int)file.Mode, 8));
            json.WriteBase64String("content", file.Content.AsSpan());
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteString("settings", Settings);
        json.WriteEndObject();
        await json.FlushAsync(cancellationToken);
    }

    /// <exception cref="JsonException">It is no such text.</exception>
    internal static async Task<ConfigurationContent> ReadAsync(Stream source, CancellationToken cancellationToken)
    {
        using var json = await JsonDocument.ParseAsync(source, cancellationToken: cancellationToken);
        var root = json.RootElement;
        if (root.GetProperty("format").GetInt32() != 1) throw new JsonException("a newer version of the program wrote it");

        return new ConfigurationContent
        {
            Stack = Text(root, "stack"),
            Record = root.GetProperty("record").GetRawText(),
            Secrets = [.. root.GetProperty("secrets").EnumerateArray().Select(item => new KeptSecret(
                Text(item, "name"), item.GetProperty("version").GetInt32(), item.GetProperty("removed").GetBoolean(), item.GetProperty("createdAt").GetDateTimeOffset(), new Secret(Text(item, "value"))))],
            Files = [.. root.GetProperty("files").EnumerateArray().Select(item => new ConfigurationFile(
                Text(item, "path"), (UnixFileMode)Convert.ToInt32(Text(item, "mode"), 8), [.. item.GetProperty("content").GetBytesFromBase64()]))],
            Settings = root.GetProperty("settings").GetString(),
        };
    }

    private static string Text(JsonElement of, string name) => of.GetProperty(name).GetString() ?? throw new JsonException($"{name} is null");
}

/// <param name="Path">Absolute, on the host.</param>
public sealed record ConfigurationFile(string Path, UnixFileMode Mode, ImmutableArray<byte> Content);
