using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using Docker.DotNet.Models;
using Orchestrator.Stacks;
using EngineRestartPolicy = Docker.DotNet.Models.RestartPolicy;

namespace Orchestrator.Docker;

/// <summary>A container request in the engine's words. Pure.</summary>
internal static class ContainerParameters
{
    private static readonly LoggingSpec DefaultLogging = new(
        "json-file", ImmutableSortedDictionary<string, string>.Empty.Add("max-size", "10m").Add("max-file", "3"));

    /// <summary>A setting that a later version of this program adds, and that nobody uses, must not change the fingerprint.</summary>
    private static readonly JsonSerializerOptions FingerprintForm = new() { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };

    /// <param name="imageEntrypoint">The entrypoint of the image; needed when <see cref="NeedsImageEntrypoint"/>.</param>
    public static CreateContainerParameters From(ContainerRequest request, IList<string>? imageEntrypoint)
    {
        var settings = request.Settings;
        var (entrypoint, command) = Process(request, imageEntrypoint);
        var parameters = new CreateContainerParameters
        {
            Name = request.Name,
            Platform = request.Platform,
            Image = request.Image,
            Env = [.. settings.Environment.Select(variable => $"{variable.Key}={variable.Value}")],
            Labels = new Dictionary<string, string>(request.Labels) { [Docker.Labels.Request] = Fingerprint(request) },
            Hostname = settings.Hostname ?? "",
            User = settings.User ?? "",
            WorkingDir = settings.WorkingDir ?? "",
            Tty = settings.Tty,
            OpenStdin = settings.StdinOpen,
            StopSignal = settings.StopSignal,
            // Whole seconds are all that the engine takes; half a second of grace must not become none.
            StopTimeout = TimeSpan.FromSeconds(Math.Ceiling(settings.StopGracePeriod.TotalSeconds)),
            Healthcheck = Healthcheck(settings.Healthcheck),
            ExposedPorts = request.Ports.Select(port => $"{port.ContainerPort}/{port.Protocol}")
                .Concat(request.Expose.Select(port => $"{port}/tcp"))
                .Distinct(StringComparer.Ordinal)
                .ToDictionary(port => port, _ => default(EmptyStruct)),
            HostConfig = Host(request),
            NetworkingConfig = request.Networks is [var first, ..]
                ? new NetworkingConfig { EndpointsConfig = new Dictionary<string, EndpointSettings> { [first.Network] = Endpoint(first) } }
                : null,
        };
        // Left unset they are the image's; the client's types just do not say that they may be.
        if (entrypoint is not null) parameters.Entrypoint = entrypoint;
        if (command is not null) parameters.Cmd = command;
        return parameters;
    }

    /// <summary>
    /// "No command, but the image's entrypoint" cannot be said to the engine: it takes an empty command for a missing one, unless an entrypoint comes with it.
    /// </summary>
    public static bool NeedsImageEntrypoint(ContainerRequest request) => Command(request) is { IsEmpty: true } && request.Settings.Entrypoint is null;

    /// <summary>SHA-256 over all of the request: equal exactly when the same container was asked for.</summary>
    public static string Fingerprint(ContainerRequest request) =>
        // Not what is told for the day on which the journal is lost: it changes without the container being made anew.
        Convert.ToHexStringLower(SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(request with { Labels = request.Labels.RemoveRange([Docker.Labels.Routes, Docker.Labels.Volumes]) }, FingerprintForm)));

    public static EndpointSettings Endpoint(NetworkJoin join) => new()
    {
        Aliases = [.. join.Aliases],
        IPAMConfig = join is { Ipv4Address: null, Ipv6Address: null }
            ? null
            : new EndpointIPAMConfig { IPv4Address = join.Ipv4Address ?? "", IPv6Address = join.Ipv6Address ?? "" },
    };

    private static ImmutableArray<string>? Command(ContainerRequest request) => request.CommandOverride ?? request.Settings.Command;

    private static (IList<string>? Entrypoint, IList<string>? Command) Process(ContainerRequest request, IList<string>? imageEntrypoint)
    {
        IList<string>? command = Command(request) is { } given ? [.. given] : null;
        IList<string>? entrypoint = request.Settings.Entrypoint is { } own ? [.. own] : null;
        if (command is { Count: 0 })
        {
            entrypoint ??= imageEntrypoint;
            // One empty word is how the engine is told "none at all", and with nothing to run it says so.
            if (entrypoint is null or { Count: 0 }) entrypoint = [""];
        }

        return (entrypoint, command);
    }

    private static HealthcheckConfig? Healthcheck(HealthcheckSpec? spec) => spec switch
    {
        null => null,
        { Disabled: true } => new HealthcheckConfig { Test = ["NONE"] },
        _ => new HealthcheckConfig
        {
            Test = spec.Test.IsDefaultOrEmpty ? null : [.. spec.Test],
            Interval = spec.Interval,
            Timeout = spec.Timeout,
            StartPeriod = spec.StartPeriod,
            Retries = spec.Retries,
        },
    };

    private static HostConfig Host(ContainerRequest request)
    {
        var settings = request.Settings;
        var resources = settings.Resources;
        var logging = settings.Logging ?? DefaultLogging;
        return new HostConfig
        {
            NetworkMode = request switch
            {
                { NetworkOf: { } other } => $"container:{other.Value}",
                { Networks: [var first, ..] } => first.Network,
                _ => "default",
            },
            PortBindings = request.Ports
                .GroupBy(port => $"{port.ContainerPort}/{port.Protocol}", StringComparer.Ordinal)
                .ToDictionary(group => group.Key, IList<PortBinding> (group) => [.. group.Select(Binding)]),
            Binds = [.. request.Mounts.Where(IsShortBind).Select(ShortBind)],
            Mounts = [.. request.Mounts.Where(mount => !IsShortBind(mount)).Select(Mount)],
            Tmpfs = settings.Tmpfs,
            RestartPolicy = new EngineRestartPolicy
            {
                Name = Restart(settings.Restart.Name),
                MaximumRetryCount = settings.Restart.Name == "on-failure" ? settings.Restart.MaximumRetryCount : 0,
            },
            ReadonlyRootfs = settings.ReadOnly,
            Init = settings.Init,
            Privileged = settings.Privileged,
            CapAdd = [.. settings.CapAdd],
            CapDrop = [.. settings.CapDrop],
            SecurityOpt = [.. settings.SecurityOpt],
            ExtraHosts = [.. settings.ExtraHosts],
            DNS = [.. settings.Dns],
            DNSSearch = [.. settings.DnsSearch],
            DNSOptions = [.. settings.DnsOptions],
            Sysctls = settings.Sysctls,
            Ulimits = [.. settings.Ulimits.Select(limit => new Ulimit { Name = limit.Name, Soft = limit.Soft, Hard = limit.Hard })],
            Devices = [.. settings.Devices.Select(device => new DeviceMapping
            {
                PathOnHost = device.Host,
                PathInContainer = device.Container,
                CgroupPermissions = device.Permissions,
            })],
            LogConfig = new LogConfig { Type = logging.Driver, Config = logging.Options },
            Memory = resources.Memory ?? 0,
            MemoryReservation = resources.MemoryReservation ?? 0,
            NanoCPUs = (long)((resources.Cpus ?? 0) * 1_000_000_000m),
            PidsLimit = resources.Pids,
            ShmSize = resources.ShmSize ?? 0,
        };
    }

    private static PortBinding Binding(PublishedPort port) => new()
    {
        HostIP = port.HostAddress ?? "",
        HostPort = port.HostPort == 0 ? "" : port.HostPort.ToString(CultureInfo.InvariantCulture),
    };

    /// <summary>
    /// Only the old short form makes a missing directory on engines before API 1.42, and it cannot say a path with a colon.
    /// </summary>
    private static bool IsShortBind(MountSpec mount) =>
        mount is { Kind: MountKind.Bind, CreateHostPath: true, Source: { } source } && !source.Contains(':') && !mount.Target.Contains(':');

    private static string ShortBind(MountSpec mount)
    {
        var options = new List<string>(2);
        if (mount.ReadOnly) options.Add("ro");
        if (mount.Propagation is { } propagation) options.Add(propagation);
        return options.Count == 0 ? $"{mount.Source}:{mount.Target}" : $"{mount.Source}:{mount.Target}:{string.Join(',', options)}";
    }

    private static Mount Mount(MountSpec mount) => mount.Kind switch
    {
        MountKind.Bind => new Mount
        {
            Type = "bind",
            Source = mount.Source ?? "",
            Target = mount.Target,
            ReadOnly = mount.ReadOnly,
            BindOptions = new BindOptions { Propagation = mount.Propagation, CreateMountpoint = mount.CreateHostPath ? true : null },
        },
        _ => new Mount
        {
            Type = "volume",
            Source = mount.Source ?? "",
            Target = mount.Target,
            ReadOnly = mount.ReadOnly,
            VolumeOptions = mount.NoCopy ? new VolumeOptions { NoCopy = true } : null,
        },
    };

    private static RestartPolicyKind Restart(string name) => name switch
    {
        "always" => RestartPolicyKind.Always,
        "on-failure" => RestartPolicyKind.OnFailure,
        "unless-stopped" => RestartPolicyKind.UnlessStopped,
        _ => RestartPolicyKind.No,
    };
}
