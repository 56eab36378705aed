using System.Collections.Immutable;
using System.Globalization;
using System.Net;

namespace Orchestrator.Stacks.Parsing;

/// <summary><c>ports</c> and <c>expose</c>.</summary>
internal static class PortsSection
{
    /// <summary>A range is unrolled; more than this per service is a mistake.</summary>
    private const int MostPorts = 1000;

    private const string Short = "[ADDRESS:][HOST:]CONTAINER[/PROTOCOL], e.g. \"8080:80\", \"127.0.0.1:8080:80/tcp\" or \"3000-3005:3000-3005\"";

    private readonly record struct Range(int From, int To)
    {
        public int Count => To - From + 1;
    }

    public static ImmutableArray<Sited<PublishedPort>> Published(Field field)
    {
        var ports = ImmutableArray.CreateBuilder<Sited<PublishedPort>>();
        foreach (var item in field.Items("a list of ports"))
        {
            var some = item.IsMap ? Long(item) : FromText(item);
            ports.AddRange(some.Select(port => new Sited<PublishedPort>(port, item.Path)));
            if (ports.Count <= MostPorts) continue;

            item.Error($"a service publishes at most {MostPorts} ports");
            break;
        }

        return ports.ToImmutable();
    }

    public static ImmutableArray<int> Exposed(Field field)
    {
        var ports = new SortedSet<int>();
        foreach (var item in field.Items("a list of container ports"))
        {
            const string expected = "a container port, e.g. \"3000\"";
            if (item.NonEmpty(expected) is not { } text) continue;

            var slash = text.IndexOf('/', StringComparison.Ordinal);
            if (slash >= 0 && !IsProtocol(text[(slash + 1)..])) item.Expected(expected, "protocols: tcp, udp, sctp");
            else if (!TryRange(slash < 0 ? text : text[..slash], 1, out var range) || range.Count > MostPorts) item.Expected(expected);
            else ports.UnionWith(Enumerable.Range(range.From, range.Count));
        }

        return [.. ports];
    }

    private static PublishedPort[] FromText(Field field)
    {
        if (field.NonEmpty(Short) is not { } text) return [];

        var slash = text.LastIndexOf('/');
        var protocol = slash < 0 ? "tcp" : text[(slash + 1)..].ToLowerInvariant();
        if (!IsProtocol(protocol)) return Refuse(field, "protocols: tcp, udp, sctp");
        if (!TrySplit(slash < 0 ? text : text[..slash], out var address, out var host, out var container))
            return Refuse(field, "an IPv6 address stands in brackets: [::1]:8080:80");

        if (address is not null && !IPAddress.TryParse(address, out _)) return Refuse(field, "the first part must be an IP address");
        if (!TryRange(container, 1, out var inside)) return Refuse(field, "ports run from 1 to 65535");
        if (host.Length == 0) return Unroll(field, Canonical(address), null, inside, protocol);
        return TryRange(host, 0, out var outside)
            ? Unroll(field, Canonical(address), outside, inside, protocol)
            : Refuse(field, "ports run from 1 to 65535");
    }

    private static PublishedPort[] Long(Field field)
    {
        if (field.Section("a port") is not { } section) return [];

        var protocol = section.Take("protocol")?.OneOf("a protocol", "tcp", "udp", "sctp") ?? "tcp";
        section.Take("mode")?.OneOf("a mode; both mean the same on one engine", "host", "ingress");
        section.Take("name")?.Text("a name");
        section.Take("app_protocol")?.Text("a protocol's name");
        string? address = null;
        if (section.Take("host_ip") is { } ip && ip.NonEmpty("an IP address") is { } written)
        {
            if (IPAddress.TryParse(written, out _)) address = written;
            else ip.Expected("an IP address");
        }

        Range? outside = null;
        var broken = false;
        if (section.Take("published") is { } published)
        {
            const string expected = "a port of the host, e.g. 8080";
            if (published.Text(expected) is { } text && TryRange(text, 0, out var range)) outside = range;
            else
            {
                published.Expected(expected);
                broken = true;
            }
        }

        var target = section.TakeEvenIfNull("target");
        section.Finish();
        if (target is null)
        {
            section.Error("'target' is missing: the port inside the container");
            return [];
        }

        if (target.Value.Whole(1, 65535) is not { } port || broken) return [];

        return Unroll(field, Canonical(address), outside, new Range((int)port, (int)port), protocol);
    }

    private static PublishedPort[] Unroll(Field field, string? address, Range? outside, Range inside, string protocol)
    {
        if (inside.Count > MostPorts || outside?.Count > MostPorts)
        {
            field.Error($"a service publishes at most {MostPorts} ports");
            return [];
        }

        if (outside is { } host && host.Count != inside.Count)
        {
            field.Error(
                $"{host.Count} host port{(host.Count == 1 ? "" : "s")} cannot lead to {inside.Count} container port{(inside.Count == 1 ? "" : "s")}",
                "both sides must be ranges of the same length; leave the host's side out to let the engine choose");
            return [];
        }

        return Enumerable.Range(0, inside.Count)
            .Select(index => new PublishedPort(address, outside is { } range ? range.From + index : 0, inside.From + index, protocol))
            .ToArray();
    }

    private static bool TrySplit(string text, out string? address, out string host, out string container)
    {
        address = null;
        host = "";
        var rest = text;
        if (text.StartsWith('['))
        {
            var close = text.IndexOf(']', StringComparison.Ordinal);
            container = "";
            if (close < 0 || close + 1 >= text.Length || text[close + 1] != ':') return false;

            address = text[1..close];
            rest = text[(close + 2)..];
        }

        var parts = rest.Split(':');
        container = parts[^1];
        if (parts.Length >= 2) host = parts[^2];
        if (parts.Length == 3 && address is null) address = parts[0];
        return parts.Length <= (text.StartsWith('[') ? 2 : 3);
    }

    private static bool TryRange(string text, int lowest, out Range range)
    {
        var dash = text.IndexOf('-', StringComparison.Ordinal);
        range = default;
        if (!TryPort(dash < 0 ? text : text[..dash], lowest, out var from)) return false;

        var to = from;
        if (dash >= 0 && (!TryPort(text[(dash + 1)..], lowest, out to) || to < from)) return false;

        range = new Range(from, to);
        return true;
    }

    private static bool TryPort(string text, int lowest, out int port) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out port) && port >= lowest && port <= 65535;

    private static bool IsProtocol(string text) => text is "tcp" or "udp" or "sctp";

    private static string? Canonical(string? address) => address is null ? null : IPAddress.Parse(address).ToString();

    private static PublishedPort[] Refuse(Field field, string hint)
    {
        field.Expected(Short, hint);
        return [];
    }
}
