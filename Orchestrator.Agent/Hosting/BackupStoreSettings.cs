using System.Collections.Immutable;
using System.Text.RegularExpressions;
using Orchestrator.Agent.Hosting.Settings;

namespace Orchestrator.Agent.Hosting;

/// <summary>Reads <c>backups.stores:</c>.</summary>
internal static partial class BackupStoreSettings
{
    /// <summary>The name of the directory that needs no entry.</summary>
    public const string Local = "local";

    private const string NameExpected = "1 to 40 of a-z, 0-9 and -, beginning with a letter";

    private static readonly string[] OfBuckets = ["endpoint", "bucket", "region", "prefix", "access_key_file", "secret_key_file", "path_style", "sign_payload", "most_parts", "storage_class"];

    public static ImmutableArray<BackupStoreOptions> Read(SettingSection backups)
    {
        var names = new HashSet<string>(StringComparer.Ordinal) { Local };
        var stores = ImmutableArray.CreateBuilder<BackupStoreOptions>();
        foreach (var section in backups.Sections("stores"))
        {
            var name = section.Value("name", "", NameExpected, Name);
            if (section.Text("name") is null) section.Refuse("name", "is missing: each store is called by its name, in lists, metrics and alerts");
            else if (name.Length > 0 && !names.Add(name)) section.Refuse("name", $"'{name}' is the name of another store");
            if (Place(section, name) is { } store) stores.Add(store);
            section.Done();
        }

        return stores.ToImmutable();
    }

    private static BackupStoreOptions? Place(SettingSection section, string name)
    {
        var directory = section.Value<string?>("directory", null, SettingValues.PathExpected, SettingValues.AbsolutePath);
        var bucket = Bucket(section);
        var isBucket = OfBuckets.Any(key => section.Text(key) is not null);
        if (section.Text("directory") is null)
        {
            if (isBucket) return bucket is null ? null : new() { Name = name, Bucket = bucket };
            section.Refuse("directory", "is missing: a store is a directory, or a bucket with endpoint, bucket, access_key_file and secret_key_file");
            return null;
        }

        foreach (var key in OfBuckets.Where(key => section.Text(key) is not null)) section.Refuse(key, "is of a bucket, and this store is a directory: leave one of them out");
        return directory is null || isBucket ? null : new() { Name = name, Directory = directory };
    }

    private static BackupBucketOptions? Bucket(SettingSection section)
    {
        var endpoint = section.Value<Uri?>("endpoint", null, "an address that begins with https:// or http://", SettingValues.Web);
        var bucket = section.Value("bucket", "", "a bucket's name: 3 to 63 of a-z, 0-9, . and -", BucketName);
        var read = new BackupBucketOptions
        {
            Endpoint = endpoint ?? new Uri("https://unset.invalid"),
            Name = bucket,
            Region = section.Value("region", "us-east-1", "a region's name", SettingValues.AnyText),
            Prefix = section.Value("prefix", "", "letters, digits and . _ = - in parts with / between them, none of them . or ..", Prefix),
            AccessKeyFile = KeyFile(section, "access_key_file"),
            SecretKeyFile = KeyFile(section, "secret_key_file"),
            PathStyle = section.Value("path_style", true, "true or false", bool.TryParse),
            SignPayload = section.Value("sign_payload", true, "true or false", bool.TryParse),
            MostParts = section.Value("most_parts", 1000, "a number from 100 to 10000", SettingValues.Number(100, 10_000)),
            StorageClass = section.Value<string?>("storage_class", null, "a storage class as the server calls it, e.g. STANDARD_IA", StorageClass),
        };
        if (!OfBuckets.Any(key => section.Text(key) is not null)) return null;

        if (section.Text("directory") is not null) return null;
        foreach (var key in new[] { "endpoint", "bucket", "access_key_file", "secret_key_file" })
        {
            if (section.Text(key) is null) section.Refuse(key, "is missing: a bucket needs endpoint, bucket, access_key_file and secret_key_file");
        }

        if (!read.SignPayload && endpoint is { Scheme: "http" }) section.Refuse("sign_payload", "may be false over https only: nothing else would protect the body");
        return endpoint is null || bucket.Length == 0 ? null : read;
    }

    private static string KeyFile(SettingSection section, string key)
    {
        var file = section.Value<string?>(key, null, SettingValues.PathExpected, SettingValues.AbsolutePath);
        if (file is not null && BackupKeyFile.Problem(file) is { } problem) section.Refuse(key, problem);
        return file ?? "";
    }

    private static bool Name(string text, out string value)
    {
        value = text;
        return NamePattern().IsMatch(text);
    }

    private static bool BucketName(string text, out string value)
    {
        value = text;
        return BucketPattern().IsMatch(text);
    }

    private static bool Prefix(string text, out string value)
    {
        value = text.Trim('/');
        return PrefixPattern().IsMatch(value) && !value.Split('/').Any(part => part is "." or "..");
    }

    private static bool StorageClass(string text, out string? value)
    {
        value = text;
        return StorageClassPattern().IsMatch(text);
    }

    [GeneratedRegex("^[a-z][a-z0-9-]{0,39}$")]
    private static partial Regex NamePattern();

    [GeneratedRegex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")]
    private static partial Regex BucketPattern();

    [GeneratedRegex("^[A-Za-z0-9._=-]+(/[A-Za-z0-9._=-]+)*$")]
    private static partial Regex PrefixPattern();

    [GeneratedRegex("^[A-Z][A-Z0-9_]{0,63}$")]
    private static partial Regex StorageClassPattern();
}
