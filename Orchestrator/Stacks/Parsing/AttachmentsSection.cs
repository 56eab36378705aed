using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;

namespace Orchestrator.Stacks.Parsing;

/// <summary><c>networks</c> of a service.</summary>
internal static class AttachmentsSection
{
    public static ImmutableArray<Sited<NetworkAttachment>> Read(Field? field, string servicePath)
    {
        var attachments = ImmutableArray.CreateBuilder<Sited<NetworkAttachment>>();
        if (field is { IsMap: true } map)
        {
            foreach (var (key, value) in map.Members("networks"))
            {
                if (value.IsBroken) continue;

                attachments.Add(new(value.IsNull ? new NetworkAttachment(key, [], null, null) : Long(key, value), value.Path));
            }
        }
        else if (field is { } list)
        {
            var seen = new HashSet<string>(StringComparer.Ordinal);
            foreach (var item in list.Items("a list of networks, or a mapping"))
            {
                if (item.NonEmpty("the name of a network") is not { } key) continue;
                if (seen.Add(key)) attachments.Add(new(new NetworkAttachment(key, [], null, null), item.Path));
                else item.Error($"the network '{key}' is named twice");
            }
        }

        if (attachments.Count == 0) attachments.Add(new(new NetworkAttachment("default", [], null, null), servicePath));
        return attachments.ToImmutable();
    }

    private static NetworkAttachment Long(string key, Field field)
    {
        if (field.Section("the options of an attachment") is not { } section) return new NetworkAttachment(key, [], null, null);

        var aliases = section.Take("aliases")?.Strings("a list of names") ?? [];
        var ipv4 = Address(section.Take("ipv4_address"), AddressFamily.InterNetwork, "an IPv4 address");
        var ipv6 = Address(section.Take("ipv6_address"), AddressFamily.InterNetworkV6, "an IPv6 address");
        section.Finish(UnsupportedKeys.Attachment);
        return new NetworkAttachment(key, [.. aliases.Distinct()], ipv4, ipv6);
    }

    private static string? Address(Field? field, AddressFamily family, string expected)
    {
        if (field is not { } present || present.Text(expected) is not { } text) return null;
        if (IPAddress.TryParse(text, out var address) && address.AddressFamily == family) return address.ToString();

        present.Expected(expected);
        return null;
    }
}
