using System.Collections.Immutable;
using System.Net;

namespace Orchestrator.Stacks.Parsing;

/// <summary><c>x-basmalin.route.preview</c>: who may see a colour that does not have the traffic.</summary>
internal static class PreviewSection
{
    private const string Example = "e.g. { hosts: [preview.garden.example], key_sha256: … }";

    /// <param name="hosts">The route's own.</param>
    public static RoutePreviewSpec? Read(Field field, ImmutableArray<string> hosts)
    {
        if (field.Section("hosts, key_sha256 and allow") is not { } section) return null;

        var own = section.Take("hosts") is { } some ? Hosts(some, hosts) : [];
        var key = section.Take("key_sha256") is { } digest ? Digest(digest) : null;
        var allow = section.Take("allow") is { } networks ? Networks(networks) : [];
        if (!section.Has("key_sha256") && !section.Has("allow"))
            section.Error("a preview is open to nobody: 'key_sha256' or 'allow' says who may see what is not released", Example);
        section.Finish(strict: true);
        return new RoutePreviewSpec(own, key, allow);
    }

    private static ImmutableArray<string> Hosts(Field field, ImmutableArray<string> hosts)
    {
        var own = RouteSection.Hosts(field);
        foreach (var host in own)
        {
            if (host.Contains('*', StringComparison.Ordinal)) field.Error($"'{host}' is not one name: a preview has exact names", "preview.garden.example");
            else if (hosts.Contains(host)) field.Error($"'{host}' is one of the route's own hosts", "a preview has a host of its own, e.g. preview.garden.example");
        }

        return own;
    }

    private static string? Digest(Field field)
    {
        const string expected = "the SHA-256 of the key, as 64 hexadecimal digits";
        if (field.NonEmpty(expected) is not { } text) return null;
        if (text.Length == 64 && text.All(char.IsAsciiHexDigit)) return text.ToLowerInvariant();

        // Not shown: whoever misunderstands it has written the key itself.
        field.Error($"expected {expected}", "key=$(openssl rand -hex 16); printf %s \"$key\" | sha256sum");
        return null;
    }

    private static ImmutableArray<string> Networks(Field field)
    {
        const string expected = "a network or an address, e.g. 10.0.0.0/8 or 192.0.2.7";
        var networks = ImmutableArray.CreateBuilder<string>();
        foreach (var item in field.IsScalar ? [field] : field.Items($"a list: {expected}"))
        {
            if (item.NonEmpty(expected) is not { } text) continue;
            if (IPNetwork.TryParse(text, out var network)) networks.Add($"{network}");
            else if (IPAddress.TryParse(text, out var address)) networks.Add($"{new IPNetwork(address, address.GetAddressBytes().Length * 8)}");
            else item.Expected(expected);
        }

        if (field.IsList && field.Items(expected).Count == 0) field.Expected(expected, "0.0.0.0/0 for everybody");
        return networks.ToImmutable();
    }
}
