using System.Collections.Immutable;

namespace Orchestrator.Stacks.Parsing;

/// <summary><c>x-basmalin.route</c>.</summary>
internal static class RouteSection
{
    public static RouteSpec? Read(Field field)
    {
        if (field.IsNull) return new RouteSpec();
        if (field.Section("hosts, path, port, …") is not { } section) return null;

        var hosts = section.Take("hosts") is { } some ? Hosts(some) : [];
        var path = section.Take("path") is { } prefix ? Prefix(prefix) : null;
        var port = (int?)section.Take("port")?.Whole(1, 65535) ?? 0;
        var preview = section.Take("preview") is { } wanted ? PreviewSection.Read(wanted, hosts) : null;
        var (tls, https, redirected) = RouteTlsSection.Take(section, hosts, preview?.Hosts ?? []);
        var route = new RouteSpec { Hosts = hosts, Path = path ?? "/", Port = port, Tls = tls, Https = https, RedirectHosts = redirected, Preview = preview };
        var spec = RouteRulesSection.Read(section, route);
        section.Finish(strict: true);
        return spec;
    }

    public static ImmutableArray<string> Hosts(Field field)
    {
        const string expected = "a host, or a list of hosts";
        var hosts = ImmutableArray.CreateBuilder<string>();
        foreach (var item in field.IsScalar ? [field] : field.Items(expected))
        {
            const string host = "a host: garden.example, *.garden.example, or * for any";
            if (item.NonEmpty(host) is not { } text) continue;

            var name = text.ToLowerInvariant();
            if (HintFor(name) is { } hint) item.Expected(host, hint);
            else if (hosts.Contains(name)) item.Error($"the host '{name}' is named twice");
            else hosts.Add(name);
        }

        if (field is { IsList: true, Node: Yaml.SequenceNode { Items.IsEmpty: true } }) field.Error("the list of hosts is empty", "hosts: [\"*\"] for any host, or leave the key out");
        return hosts.ToImmutable();
    }

    /// <returns>Null when it is a host.</returns>
    private static string? HintFor(string host)
    {
        if (host == "*") return null;
        if (host.Contains("://", StringComparison.Ordinal)) return "leave the scheme out: a route answers on every listener of the edge";
        if (host.Contains('/', StringComparison.Ordinal)) return "the path goes into route.path";
        if (host.Contains(':', StringComparison.Ordinal)) return "leave the port out: the edge decides where it listens; an IPv6 address is not a host name";
        if (host.Any(letter => !char.IsAscii(letter))) return "write an international name in its ASCII form (xn--…)";

        var name = host.StartsWith("*.", StringComparison.Ordinal) ? host[2..] : host;
        if (name.Contains('*', StringComparison.Ordinal)) return "a wildcard stands for exactly one label, the first: *.garden.example";
        return name.Length <= 253 && name.Split('.').All(IsLabel) ? null : "labels of letters, digits, '_' and '-', separated by dots";
    }

    private static bool IsLabel(string label) =>
        label.Length is > 0 and <= 63 && label[0] != '-' && label[^1] != '-' && label.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '_');

    public static string? Prefix(Field field)
    {
        const string expected = "a path that starts with '/', e.g. /api";
        if (field.NonEmpty(expected) is not { } text) return null;

        var valid = text.StartsWith('/') && !text.Contains("//", StringComparison.Ordinal) && text.IndexOfAny(['?', '#', '*', ' ', '\\', '\n', '\r']) < 0;
        if (valid) return text.Length > 1 ? text.TrimEnd('/') : text;

        field.Expected(expected, "a prefix on segment boundaries; no wildcard, no query");
        return null;
    }
}
