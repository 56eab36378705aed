using Orchestrator.Agent.Hosting.Settings;

namespace Orchestrator.Agent.Hosting;

/// <summary>Reads <c>edge:</c>.</summary>
internal static class EdgeSettings
{
    public static EdgeOptions Read(SettingSection section, EdgeOptions defaults)
    {
        var edge = new EdgeOptions
        {
            Http = section.List("http", defaults.Http, ListenAddress.Expected, SettingValues.Listen),
            Https = section.List("https", defaults.Https, ListenAddress.Expected, SettingValues.Listen),
            HttpsPort = section.Value("https_port", defaults.HttpsPort, "a port from 1 to 65535", Port),
            Certificates = section.Value<string?>("certificates", defaults.Certificates, SettingValues.PathExpected, SettingValues.AbsolutePath),
            Acme = AcmeSettingsReader.Read(section.Section("acme")),
        };
        edge = EdgeRequestSettings.Read(section, edge);
        section.Done();
        CheckTls(section, edge);
        return edge;
    }

    private static void CheckTls(SettingSection section, EdgeOptions edge)
    {
        if (edge.Certificates is { } directory && !Directory.Exists(directory)) section.Refuse("certificates", $"there is no directory {directory}");
        if (!edge.Https.IsEmpty)
        {
            if (edge.Certificates is null && edge.Acme is null)
                section.Refuse("https", "nothing to prove itself with: set edge.certificates or edge.acme");
            return;
        }

        const string needless = "has no meaning without edge.https";
        if (edge.Certificates is not null) section.Refuse("certificates", needless);
        if (edge.Acme is not null) section.Refuse("acme", needless);
        if (edge.HttpsPort is not null) section.Refuse("https_port", needless);
    }

    private static bool Port(string text, out int? port)
    {
        var valid = SettingValues.Number(1, ushort.MaxValue)(text, out var number);
        port = valid ? number : null;
        return valid;
    }
}
