using System.Globalization;
using StackExchange.Redis;

namespace GardenApp.Redis;

/// <summary>Turns <c>redis://[user]:password@host:port/db</c> (or <c>rediss://</c> for TLS) into the client's options.</summary>
internal static class RedisUrl
{
    /// <summary>Null when the URL makes no sense. What is wrong is never quoted: the URL may hold a password.</summary>
    internal static ConfigurationOptions? ToOptions(string url)
    {
        if (!Uri.TryCreate(url, UriKind.Absolute, out var uri) || uri.Scheme is not ("redis" or "rediss") || uri.Host.Length == 0) return null;
        var path = uri.AbsolutePath.Trim('/');
        var database = 0;
        if (path.Length > 0 && !int.TryParse(path, NumberStyles.None, CultureInfo.InvariantCulture, out database)) return null;

        var user = uri.UserInfo.Split(':', 2);
        var options = new ConfigurationOptions
        {
            EndPoints = { { uri.Host.Trim('[', ']'), uri.Port > 0 ? uri.Port : 6379 } },
            User = user is [{ Length: > 0 } name, _] ? Uri.UnescapeDataString(name) : null,
            Password = user is [_, { Length: > 0 } password] ? Uri.UnescapeDataString(password) : null,
            DefaultDatabase = database,
            Ssl = uri.Scheme == "rediss",
            ClientName = "GardenApp",
            // Start without it, go on without it, and come back by itself.
            AbortOnConnectFail = false,
            ConnectTimeout = 2000,
            // A command is answered or refused; it never waits in a queue for a server that is away.
            BacklogPolicy = BacklogPolicy.FailFast,
        };
        return options;
    }
}
