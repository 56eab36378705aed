using System.Buffers.Text;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Orchestrator.Agent.Hosting.Settings;
using Orchestrator.Certificates;

namespace Orchestrator.Agent.Hosting;

/// <summary>Reads <c>edge.acme</c>, and the files that it names.</summary>
internal static class AcmeSettingsReader
{
    private const string KeyExpected = "a file with a key in base64url";

    /// <returns>Null when there is none, or when it is wrong, which has been reported.</returns>
    public static AcmeOptions? Read(SettingSection section)
    {
        var directory = section.Value<Uri?>("directory", null, "an address that begins with https://", Secure);
        var email = section.Value<string?>("email", null, "an address such as ops@garden.example", Email);
        var agreed = section.Value("terms_agreed", false, "true or false", Flag);
        var root = section.Value<string?>("root", null, SettingValues.PathExpected, SettingValues.AbsolutePath);
        var account = Account(section.Section("eab"));
        section.Done();
        if (section.Text("directory") is null)
        {
            if (email is not null || agreed || root is not null || account is not null)
                section.Refuse("directory", "is missing: which authority is meant?");
            return null;
        }

        if (!agreed) section.Refuse("terms_agreed", "must be true: read the authority's terms of service and agree to them first");
        if (root is not null && Try(() => Roots(root)) is { } problem) section.Refuse("root", $"{root}: {problem}");
        return directory is null ? null : new AcmeOptions { Directory = directory, Email = email, TermsAgreed = agreed, Root = root, Eab = account };
    }

    /// <exception cref="DaemonStartException">A file has gone, or is not what it was when the settings were checked.</exception>
    public static AcmeSettings Translate(AcmeOptions options)
    {
        try
        {
            return new AcmeSettings
            {
                Directory = options.Directory,
                Email = options.Email,
                TermsAgreed = options.TermsAgreed,
                ExternalAccount = options.Eab is { } account ? new ExternalAccount(account.Kid, Key(account.KeyFile)) : null,
                Roots = options.Root is { } root ? Roots(root) : [],
            };
        }
        catch (Exception exception) when (IsUnreadable(exception))
        {
            throw new DaemonStartException($"A file of edge.acme cannot be read: {exception.Message}", exception);
        }
    }

    private static ExternalAccountOptions? Account(SettingSection section)
    {
        var kid = section.Value<string?>("kid", null, "the key's name", AnyText);
        var file = section.Value<string?>("key_file", null, SettingValues.PathExpected, SettingValues.AbsolutePath);
        section.Done();
        if (kid is null && file is not null) section.Refuse("kid", "is missing: the authority gives it out with the key");
        if (kid is not null && section.Text("key_file") is null)
            section.Refuse("key_file", "is missing: the authority gives the key out with its name");
        if (file is not null && Try(() => Key(file)) is { } problem) section.Refuse("key_file", $"{file}: {problem}");
        return kid is null || file is null ? null : new ExternalAccountOptions { Kid = kid, KeyFile = file };
    }

    private static byte[] Key(string file)
    {
        var key = Base64Url.DecodeFromChars(File.ReadAllText(file).AsSpan().Trim());
        return key.Length > 0 ? key : throw new FormatException("it is empty");
    }

    private static X509Certificate2Collection Roots(string file)
    {
        var roots = new X509Certificate2Collection();
        roots.ImportFromPemFile(file);
        return roots.Count > 0 ? roots : throw new FormatException("there is no certificate in PEM in it");
    }

    private static string? Try(Func<object> read)
    {
        try
        {
            read();
            return null;
        }
        catch (FormatException exception)
        {
            // What stands in a key's file is not repeated.
            return exception.Message.StartsWith("there is", StringComparison.Ordinal) ? exception.Message : $"expected {KeyExpected}";
        }
        catch (Exception exception) when (IsUnreadable(exception))
        {
            return exception is FileNotFoundException or DirectoryNotFoundException ? "there is no such file" : exception.Message;
        }
    }

    private static bool IsUnreadable(Exception exception) =>
        exception is IOException or UnauthorizedAccessException or FormatException or CryptographicException;

    private static bool Secure(string text, out Uri? address) =>
        SettingValues.Web(text, out address) && address.Scheme == Uri.UriSchemeHttps;

    private static bool Email(string text, out string? email)
    {
        email = text;
        return System.Net.Mail.MailAddress.TryCreate(text, out var parsed) && parsed.Address == text && !text.AsSpan().ContainsAny(" ,?:");
    }

    private static bool AnyText(string text, out string? value)
    {
        value = text;
        return text.Length > 0;
    }

    private static bool Flag(string text, out bool value) => bool.TryParse(text, out value);
}
