using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Net;

namespace Orchestrator.Stacks.Parsing;

/// <summary>The top-level <c>networks</c>, <c>volumes</c>, <c>secrets</c> and <c>configs</c>.</summary>
internal sealed class ObjectsSection(string stack)
{
    public NetworkSpec Network(string key, Field field)
    {
        if (!TryOpen(key, field, out var section)) return new NetworkSpec { Key = key, Name = $"{stack}_{key}" };

        var (name, external) = Identity(key, section);
        var spec = new NetworkSpec
        {
            Key = key,
            Name = name,
            External = external,
            Driver = section.Take("driver")?.NonEmpty("a driver, e.g. bridge"),
            Internal = section.Take("internal")?.Flag() ?? false,
            Attachable = section.Take("attachable")?.Flag() ?? false,
            EnableIPv6 = section.Take("enable_ipv6")?.Flag() ?? false,
            DriverOptions = section.Take("driver_opts") is { } options ? ContainerSection.Options(options) : ImmutableSortedDictionary<string, string>.Empty,
            Labels = section.Take("labels")?.Labels() ?? ImmutableSortedDictionary<string, string>.Empty,
            Pools = section.Take("ipam") is { } ipam ? Pools(ipam) : [],
        };
        if (external) OnlyName(section, "driver", "internal", "attachable", "enable_ipv6", "driver_opts", "labels", "ipam");
        section.Finish(UnsupportedKeys.Network);
        return spec;
    }

    public VolumeSpec Volume(string key, Field field)
    {
        if (!TryOpen(key, field, out var section)) return new VolumeSpec { Key = key, Name = $"{stack}_{key}" };

        var (name, external) = Identity(key, section);
        var spec = new VolumeSpec
        {
            Key = key,
            Name = name,
            External = external,
            Driver = section.Take("driver")?.NonEmpty("a driver, e.g. local"),
            DriverOptions = section.Take("driver_opts") is { } options ? ContainerSection.Options(options) : ImmutableSortedDictionary<string, string>.Empty,
            Labels = section.Take("labels")?.Labels() ?? ImmutableSortedDictionary<string, string>.Empty,
        };
        if (external) OnlyName(section, "driver", "driver_opts", "labels");
        section.Finish();
        return spec;
    }

    /// <param name="what">secret or config.</param>
    public FileObjectSpec FileObject(string what, string key, Field field)
    {
        var sources = what == "config" ? "file, environment, content or external" : "file, environment or external";
        if (!TryOpen(key, field, out var section))
        {
            if (field.IsNull) field.Reading.Error(field.Path, $"the {what} has no content", $"expected one of {sources}");
            return new FileObjectSpec { Key = key, Name = $"{stack}_{key}" };
        }

        var (name, external) = Identity(key, section);
        string? path = null;
        if (section.Take("file") is { } file && file.NonEmpty("the path of a file") is { } written) file.Reading.TryPath(file, written, out path);
        var variable = section.Take("environment")?.NonEmpty("the name of a variable");
        var content = what == "config" ? section.Take("content")?.Text("a text") : null;
        var given = FileSources.Count(source => section.Has(source)) + (external ? 1 : 0);
        if (given != 1) section.Error($"expected exactly one of {sources}, found {(given == 0 ? "none" : given)}");
        section.Finish(what == "secret" ? WithContent : UnsupportedKeys.FileObject);
        return new FileObjectSpec { Key = key, Name = name, File = path, EnvironmentVariable = variable, Content = content, External = external };
    }

    private static readonly string[] FileSources = ["file", "environment", "content"];

    private static readonly Dictionary<string, string> WithContent = new(UnsupportedKeys.FileObject)
    {
        ["content"] = "a secret does not belong into the Compose file: use file, environment or external",
    };

    /// <returns>False when there is nothing below the key; a wrong value has been reported.</returns>
    private static bool TryOpen(string key, Field field, [NotNullWhen(true)] out Section? section)
    {
        section = null;
        if (!Names.IsObject(key)) field.Reading.Error(field.Path, "this is not a name", "letters, digits, '_', '.' and '-', starting with a letter or digit");
        if (!field.IsNull) section = field.Section("a mapping");
        return section is not null;
    }

    private (string Name, bool External) Identity(string key, Section section)
    {
        var name = section.Take("name")?.NonEmpty("a name");
        var external = false;
        if (section.Take("external") is { } field)
        {
            // The form with a name in it is that of the first Compose files.
            if (field.IsMap && field.Section("true, false or a name") is { } old)
            {
                external = true;
                var inner = old.Take("name")?.NonEmpty("a name");
                if (name is not null && inner is not null && name != inner) field.Error("external.name and name say different things", "keep name");
                name ??= inner;
                old.Finish();
            }
            else
            {
                external = field.Flag() ?? false;
            }
        }

        return (name ?? (external ? key : $"{stack}_{key}"), external);
    }

    private static void OnlyName(Section section, params ReadOnlySpan<string> others)
    {
        foreach (var key in others)
        {
            if (section.Take(key) is { } field) field.Reading.Error(field.Path, $"'{key}' does not go with external", "somebody else made it; only its name is used");
        }
    }

    private static ImmutableArray<IpamPool> Pools(Field field)
    {
        if (field.Section("address pools") is not { } section) return [];

        if (section.Take("driver") is { } driver && driver.NonEmpty("default") is { } word && word != "default")
            driver.Error($"the address driver '{word}' is not supported", "remove it: the engine's own is used");

        var pools = ImmutableArray.CreateBuilder<IpamPool>();
        foreach (var item in section.Take("config")?.Items("a list of pools") ?? [])
        {
            if (item.Section("subnet, gateway, ip_range") is not { } pool) continue;

            pools.Add(new IpamPool(Network(pool.Take("subnet")), Address(pool.Take("gateway")), Network(pool.Take("ip_range"))));
            pool.Finish(UnsupportedKeys.IpamPool);
        }

        section.Finish(UnsupportedKeys.Ipam);
        return pools.ToImmutable();
    }

    private static string? Network(Field? field)
    {
        const string expected = "a network in CIDR notation, e.g. 172.28.0.0/16";
        if (field is not { } present || present.Text(expected) is not { } text) return null;
        if (IPNetwork.TryParse(text, out _)) return text;

        present.Expected(expected);
        return null;
    }

    private static string? Address(Field? field)
    {
        const string expected = "an IP address";
        if (field is not { } present || present.Text(expected) is not { } text) return null;
        if (IPAddress.TryParse(text, out _)) return text;

        present.Expected(expected);
        return null;
    }
}
