using Npgsql;

namespace GardenApp.Database;

/// <summary>Turns <c>postgres://user:password@host:port/database?sslmode=require</c> into Npgsql's connection string.</summary>
internal static class DatabaseUrl
{
    /// <summary>Null when the URL makes no sense. What is wrong is never quoted: the URL holds a password.</summary>
    internal static string? ToConnectionString(string url)
    {
        if (!Uri.TryCreate(url, UriKind.Absolute, out var uri) || uri.Scheme is not ("postgres" or "postgresql") || uri.Host.Length == 0) return null;
        var user = uri.UserInfo.Split(':', 2);
        var builder = new NpgsqlConnectionStringBuilder
        {
            Host = uri.Host.Trim('[', ']'),
            Port = uri.Port > 0 ? uri.Port : 5432,
            Username = Uri.UnescapeDataString(user[0]),
            Password = user.Length > 1 ? Uri.UnescapeDataString(user[1]) : null,
            Database = Uri.UnescapeDataString(uri.AbsolutePath.TrimStart('/')),
            ApplicationName = "GardenApp",
            // A database that is not there must cost a request seconds, not the usual quarter of a minute.
            Timeout = 5,
            CommandTimeout = 15,
            MaxPoolSize = 50,
        };
        if (builder.Username.Length == 0 || builder.Database.Length == 0) return null;
        return TryAddOptions(builder, uri.Query) ? builder.ConnectionString : null;
    }

    private static bool TryAddOptions(NpgsqlConnectionStringBuilder builder, string query)
    {
        foreach (var option in query.TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            if (option.Split('=', 2) is not [var name, var value]) return false;
            try
            {
                builder[name.Equals("sslmode", StringComparison.OrdinalIgnoreCase) ? "SSL Mode" : Uri.UnescapeDataString(name)] =
                    Uri.UnescapeDataString(value).Replace("-", "", StringComparison.Ordinal);
            }
            catch (Exception exception) when (exception is ArgumentException or KeyNotFoundException or FormatException)
            {
                return false;
            }
        }
        return true;
    }
}
