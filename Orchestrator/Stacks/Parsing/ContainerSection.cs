using System.Collections.Immutable;
using System.Net;

namespace Orchestrator.Stacks.Parsing;

/// <summary>The keys of a service that become the container's own configuration.</summary>
internal static class ContainerSection
{
    private const string NamesOrPairs = "a mapping or a list of NAME=value";

    public static ContainerSettings Read(Section service) => new()
    {
        Command = service.Take("command")?.Command(),
        Entrypoint = service.Take("entrypoint")?.Command(),
        Environment = EnvironmentSection.Read(service),
        Labels = service.Take("labels")?.Labels() ?? ImmutableSortedDictionary<string, string>.Empty,
        Healthcheck = service.Take("healthcheck") is { } healthcheck ? HealthcheckSection.Read(healthcheck) : null,
        User = service.Take("user")?.NonEmpty("a user, e.g. \"1000:1000\""),
        WorkingDir = service.Take("working_dir")?.NonEmpty("a path in the container"),
        Hostname = service.Take("hostname") is { } hostname ? Names.Hostname(hostname) : null,
        ContainerName = service.Take("container_name") is { } name ? Names.Container(name) : null,
        StopGracePeriod = service.Take("stop_grace_period")?.Duration() ?? TimeSpan.FromSeconds(10),
        StopSignal = service.Take("stop_signal") is { } signal ? Signal(signal) : null,
        ReadOnly = service.Take("read_only")?.Flag() ?? false,
        Init = service.Take("init")?.Flag(),
        Privileged = service.Take("privileged")?.Flag() ?? false,
        Tty = service.Take("tty")?.Flag() ?? false,
        StdinOpen = service.Take("stdin_open")?.Flag() ?? false,
        CapAdd = Capabilities(service.Take("cap_add")),
        CapDrop = Capabilities(service.Take("cap_drop")),
        SecurityOpt = service.Take("security_opt") is { } options ? SecurityOptions(options) : [],
        ExtraHosts = service.Take("extra_hosts") is { } hosts ? ExtraHosts(hosts) : [],
        Dns = service.Take("dns") is { } dns ? Dns(dns) : [],
        DnsSearch = service.Take("dns_search")?.StringOrStrings("a domain or a list of domains") ?? [],
        DnsOptions = service.Take("dns_opt")?.Strings("a list of options") ?? [],
        Sysctls = service.Take("sysctls")?.Dictionary(NamesOrPairs) ?? ImmutableSortedDictionary<string, string>.Empty,
        Ulimits = service.Take("ulimits") is { } ulimits ? Ulimits(ulimits) : [],
        Devices = service.Take("devices") is { } devices ? Devices(devices) : [],
        Logging = service.Take("logging") is { } logging ? Logging(logging) : null,
    };

    private static string? Signal(Field field)
    {
        const string expected = "a signal, e.g. SIGTERM";
        if (field.NonEmpty(expected) is not { } text) return null;
        if (text.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '+' or '-')) return text;

        field.Expected(expected);
        return null;
    }

    private static ImmutableArray<string> Capabilities(Field? field)
    {
        if (field is not { } present) return [];

        foreach (var item in present.IsList ? present.Items("") : [])
        {
            if (item.IsScalar && item.Text("") is { } name && !name.All(letter => char.IsAsciiLetterOrDigit(letter) || letter == '_'))
                item.Expected("a capability, e.g. NET_BIND_SERVICE or ALL");
        }

        return present.Strings("a list of capabilities");
    }

    private static ImmutableArray<string> SecurityOptions(Field field)
    {
        var options = ImmutableArray.CreateBuilder<string>();
        foreach (var item in field.Items("a list of options"))
        {
            if (item.NonEmpty("an option, e.g. no-new-privileges:true") is not { } option) continue;
            if (option.StartsWith("seccomp", StringComparison.Ordinal) && !option.EndsWith("unconfined", StringComparison.Ordinal))
                item.Error("a seccomp profile in a file is not supported", "remove it (the engine's own profile is in force), or seccomp:unconfined");
            else options.Add(option);
        }

        return options.ToImmutable();
    }

    private static ImmutableArray<string> ExtraHosts(Field field)
    {
        const string expected = "HOST:ADDRESS or HOST=ADDRESS, e.g. \"db.example:10.0.0.5\" or \"host.docker.internal:host-gateway\"";
        var hosts = ImmutableArray.CreateBuilder<string>();
        if (field.IsMap)
        {
            foreach (var (host, value) in field.Members(expected))
            {
                var addresses = value.IsList ? value.Items(expected) : [value];
                foreach (var address in addresses)
                {
                    if (address.NonEmpty("an address") is { } text) Add(address, host, text);
                }
            }
        }
        else
        {
            foreach (var item in field.Items("a mapping or a list"))
            {
                if (item.NonEmpty(expected) is not { } text) continue;

                var split = text.IndexOf('=', StringComparison.Ordinal);
                if (split < 0) split = text.IndexOf(':', StringComparison.Ordinal);
                if (split <= 0) item.Expected(expected);
                else Add(item, text[..split], text[(split + 1)..]);
            }
        }

        return hosts.ToImmutable();

        void Add(Field place, string host, string address)
        {
            var bare = address.StartsWith('[') && address.EndsWith(']') ? address[1..^1] : address;
            if (bare != "host-gateway" && !IPAddress.TryParse(bare, out _)) place.Expected(expected, "the second part must be an IP address or host-gateway");
            else hosts.Add($"{host}:{bare}");
        }
    }

    private static ImmutableArray<string> Dns(Field field)
    {
        foreach (var item in field.IsList ? field.Items("") : [field])
        {
            if (item.IsScalar && item.Text("") is { } text && !IPAddress.TryParse(text, out _)) item.Expected("the IP address of a name server");
        }

        return field.StringOrStrings("an address or a list of addresses");
    }

    private static ImmutableArray<UlimitSpec> Ulimits(Field field)
    {
        var limits = ImmutableArray.CreateBuilder<UlimitSpec>();
        foreach (var (name, value) in field.Members("a mapping of names to limits, e.g. nofile: 65535"))
        {
            if (!value.IsMap)
            {
                if (value.Whole(-1, long.MaxValue) is { } both) limits.Add(new UlimitSpec(name, both, both));
                continue;
            }

            if (value.Section("soft and hard") is not { } section) continue;

            var soft = section.Take("soft")?.Whole(-1, long.MaxValue);
            var hard = section.Take("hard")?.Whole(-1, long.MaxValue);
            section.Finish();
            if (!section.Has("soft") || !section.Has("hard")) section.Error("a limit needs both 'soft' and 'hard'", "or one number for both");
            else if (soft > hard && hard >= 0) section.Error("the soft limit is above the hard one");
            else if (soft is { } low && hard is { } high) limits.Add(new UlimitSpec(name, low, high));
        }

        return limits.ToImmutable();
    }

    private static ImmutableArray<DeviceSpec> Devices(Field field)
    {
        const string expected = "HOST[:CONTAINER[:PERMISSIONS]], e.g. \"/dev/ttyUSB0:/dev/ttyUSB0:rwm\"";
        var devices = ImmutableArray.CreateBuilder<DeviceSpec>();
        foreach (var item in field.Items("a list of devices"))
        {
            if (item.IsMap && item.Section(expected) is { } section)
            {
                var source = section.Take("source")?.NonEmpty("a device of the host");
                var target = section.Take("target")?.NonEmpty("a path in the container");
                var permissions = section.Take("permissions")?.NonEmpty("letters of rwm");
                section.Finish();
                if (!section.Has("source")) section.Error("'source' is missing: a device of the host");
                if (source is not null) Add(item, source, target ?? source, permissions ?? "rwm");
            }
            else if (item.NonEmpty(expected) is { } text)
            {
                var parts = text.Split(':');
                if (parts.Length > 3) item.Expected(expected);
                else if (parts.Length == 2 && IsPermissions(parts[1])) Add(item, parts[0], parts[0], parts[1]);
                else Add(item, parts[0], parts.Length > 1 ? parts[1] : parts[0], parts.Length > 2 ? parts[2] : "rwm");
            }
        }

        return devices.ToImmutable();

        void Add(Field place, string host, string container, string permissions)
        {
            if (!host.StartsWith('/') || !container.StartsWith('/')) place.Expected(expected, "both paths must be absolute");
            else if (!IsPermissions(permissions)) place.Expected(expected, "permissions are letters of rwm");
            else devices.Add(new DeviceSpec(host, container, permissions));
        }
    }

    private static bool IsPermissions(string text) => text.Length is > 0 and <= 3 && text.All(letter => letter is 'r' or 'w' or 'm');

    private static LoggingSpec? Logging(Field field)
    {
        if (field.Section("a driver and its options") is not { } section) return null;

        var driver = section.Take("driver")?.NonEmpty("the name of a driver, e.g. json-file");
        var options = section.Take("options") is { } some ? Options(some) : ImmutableSortedDictionary<string, string>.Empty;
        section.Finish();
        return new LoggingSpec(driver ?? "json-file", options);
    }

    public static ImmutableSortedDictionary<string, string> Options(Field field)
    {
        var options = ImmutableSortedDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        foreach (var (name, value) in field.Members("a mapping of options"))
        {
            if (!value.IsNull && value.Text("a text or a number") is { } text) options[name] = text;
        }

        return options.ToImmutable();
    }
}
