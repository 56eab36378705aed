using System.Text;
using System.Text.Json;
using Docker.DotNet.Models;

namespace Orchestrator.Docker;

/// <summary>
/// The registries' credentials as <c>docker login</c> leaves them: <c>config.json</c> with <c>auths</c>, <c>credsStore</c> and <c>credHelpers</c>.
/// Read anew for every pull, because a login may have happened since.
/// </summary>
internal sealed class RegistryCredentials(DockerEngineOptions options, CredentialHelper helper)
{
    /// <summary>The name that Docker Hub's credentials are kept under.</summary>
    private const string DockerHubKey = "https://index.docker.io/v1/";

    /// <summary>What was found for a registry.</summary>
    /// <param name="Auth">Null: go without.</param>
    /// <param name="Problem">Why there are none, when somebody meant there to be some; null otherwise.</param>
    public sealed record Found(AuthConfig? Auth, string? Problem);

    /// <param name="registry">Its host, with its port; <c>docker.io</c> for Docker Hub.</param>
    public async Task<Found> FindAsync(string registry, CancellationToken cancellationToken)
    {
        Found? found = null;
        var unreadable = await ReadAsync(async config => found = await FindAsync(config, registry, cancellationToken), cancellationToken);
        return found ?? new Found(null, unreadable);
    }

    /// <summary>The credentials for every registry that the file names: a build may start from any of them.</summary>
    public async Task<(IReadOnlyDictionary<string, AuthConfig> Known, string? Problem)> AllAsync(CancellationToken cancellationToken)
    {
        var known = new Dictionary<string, AuthConfig>(StringComparer.Ordinal);
        string? problem = null;
        var unreadable = await ReadAsync(
            async config =>
            {
                foreach (var server in Names(config, "auths").Concat(Names(config, "credHelpers")).Distinct(StringComparer.Ordinal))
                {
                    var (auth, why) = await FindAsync(config, server == DockerHubKey ? "docker.io" : Host(server), cancellationToken);
                    if (auth is not null) known[server] = auth;
                    problem ??= why;
                }
            },
            cancellationToken);
        return (known, unreadable ?? problem);
    }

    /// <returns>Why the file could not be read; null when it could, or when there is none.</returns>
    private async Task<string?> ReadAsync(Func<JsonElement, Task> read, CancellationToken cancellationToken)
    {
        var path = Path.Combine(Directory(), "config.json");
        if (!File.Exists(path)) return null;
        try
        {
            await using var file = File.OpenRead(path);
            using var json = await JsonDocument.ParseAsync(file, new JsonDocumentOptions { AllowTrailingCommas = true, CommentHandling = JsonCommentHandling.Skip }, cancellationToken);
            await read(json.RootElement);
            return null;
        }
        catch (Exception exception) when (exception is JsonException or IOException or UnauthorizedAccessException or InvalidOperationException)
        {
            return $"{path} could not be read ({exception.Message})";
        }
    }

    private static IEnumerable<string> Names(JsonElement config, string property) =>
        config.TryGetProperty(property, out var value) ? value.EnumerateObject().Select(entry => entry.Name) : [];

    private async Task<Found> FindAsync(JsonElement config, string registry, CancellationToken cancellationToken)
    {
        var key = registry == "docker.io" ? DockerHubKey : registry;
        string? problem = null;
        if (HelperFor(config, key, registry) is { } name)
        {
            var (auth, why) = await helper.GetAsync(name, key, cancellationToken);
            if (auth is not null) return new Found(auth, null);
            problem = why;
        }

        if (!config.TryGetProperty("auths", out var auths)) return new Found(null, problem);
        foreach (var entry in auths.EnumerateObject().Where(entry => SameHost(entry.Name, key)))
        {
            if (Decode(entry.Value, key, out var wrong) is { } auth) return new Found(auth, null);
            problem ??= wrong;
        }

        return new Found(null, problem);
    }

    private string Directory() =>
        options.CredentialsDirectory
        ?? Environment.GetEnvironmentVariable("DOCKER_CONFIG")
        ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".docker");

    private static string? HelperFor(JsonElement config, string key, string registry)
    {
        if (config.TryGetProperty("credHelpers", out var helpers))
        {
            foreach (var name in (string[])[key, registry])
            {
                if (helpers.TryGetProperty(name, out var own)) return own.GetString();
            }
        }

        return config.TryGetProperty("credsStore", out var store) && store.GetString() is { Length: > 0 } all ? all : null;
    }

    private static AuthConfig? Decode(JsonElement entry, string server, out string? problem)
    {
        problem = null;
        string? Text(string name) => entry.TryGetProperty(name, out var value) ? value.GetString() : null;

        if (Text("identitytoken") is { Length: > 0 } identity) return new AuthConfig { ServerAddress = server, IdentityToken = identity };
        if (Text("registrytoken") is { Length: > 0 } token) return new AuthConfig { ServerAddress = server, RegistryToken = token };
        if (Text("auth") is not { Length: > 0 } encoded) return null;

        var buffer = new byte[encoded.Length];
        if (Convert.TryFromBase64String(encoded, buffer, out var length)
            && Encoding.UTF8.GetString(buffer, 0, length).TrimEnd('\0').Split(':', 2) is [var user, var password])
            return new AuthConfig { ServerAddress = server, Username = user, Password = password };

        problem = $"the credentials for {server} in config.json are not base64 of user:password";
        return null;
    }

    /// <summary>Old logins are kept under an address, new ones under the bare host.</summary>
    private static bool SameHost(string entry, string key) => string.Equals(Host(entry), Host(key), StringComparison.OrdinalIgnoreCase);

    private static string Host(string address)
    {
        var begin = address.IndexOf("://", StringComparison.Ordinal) is >= 0 and var scheme ? scheme + 3 : 0;
        var rest = address[begin..];
        return rest.IndexOf('/', StringComparison.Ordinal) is >= 0 and var slash ? rest[..slash] : rest;
    }
}
