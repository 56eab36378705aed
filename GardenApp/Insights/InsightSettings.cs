using GardenApp.Hosting;

namespace GardenApp.Insights;

/// <summary>Who gives advice.</summary>
public sealed record InsightSettings
{
    /// <summary><c>rules</c> (offline, the default), <c>openai</c> or <c>anthropic</c>; the latter two name the dialect, not the company.</summary>
    public string Provider { get; init; } = "rules";

    /// <summary>Base address of the service, without the path of the method.</summary>
    public Uri? Address { get; init; }

    public string Model { get; init; } = "";

    internal string? ApiKey { get; init; }

    /// <summary>How long one attempt may take.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(10);

    internal static InsightSettings Read(SettingsReader reader)
    {
        var provider = reader.Text("INSIGHTS_PROVIDER", "rules");
        var (address, model) = provider switch
        {
            "openai" => ("https://api.openai.com", "gpt-4o-mini"),
            "anthropic" => ("https://api.anthropic.com", "claude-3-5-haiku-latest"),
            _ => ("", ""),
        };
        if (provider is not ("rules" or "openai" or "anthropic")) reader.Report($"INSIGHTS_PROVIDER must be rules, openai or anthropic, not '{provider}'");

        Uri? uri = null;
        var text = reader.Text("INSIGHTS_URL", address);
        if (text.Length > 0 && (!Uri.TryCreate(text, UriKind.Absolute, out uri) || uri.Scheme is not ("http" or "https"))) reader.Report("INSIGHTS_URL must be an http or https address");
        var key = reader.Secret("INSIGHTS_API_KEY");
        if (provider is "openai" or "anthropic" && key is null) reader.Report($"INSIGHTS_PROVIDER={provider} needs INSIGHTS_API_KEY or INSIGHTS_API_KEY_FILE");
        return new InsightSettings
        {
            Provider = provider,
            Address = uri,
            Model = reader.Text("INSIGHTS_MODEL", model),
            ApiKey = key,
            Timeout = TimeSpan.FromSeconds(reader.Number("INSIGHTS_TIMEOUT_SECONDS", 0.1, 120) ?? 10),
        };
    }

    // The generated one would print the key.
    private bool PrintMembers(System.Text.StringBuilder builder)
    {
        builder.Append(System.Globalization.CultureInfo.InvariantCulture, $"Provider = {Provider}, Address = {Address}, Model = {Model}");
        return true;
    }
}
