using System.Collections.Frozen;

namespace Orchestrator.Stacks.Parsing;

/// <summary>Keys that Compose knows and that are not carried out, with what to do instead. They are refused: dropping one would run something else than was asked for.</summary>
internal static class UnsupportedKeys
{
    private const string NotNeeded = "remove it; nothing that runs on one engine needs it";
    private const string EngineDefault = "remove it: containers keep the engine's default";
    private const string NotSwarm = "remove it: it speaks to a scheduler of many machines";
    private const string ByColours = "remove it: x-basmalin (gate, drain, bake, warm) says how a service is replaced";

    public static readonly FrozenDictionary<string, string> TopLevel = new Dictionary<string, string>
    {
        ["include"] = "put the included services into this file",
        ["models"] = "run the model as a service",
    }.ToFrozenDictionary();

    public static readonly FrozenDictionary<string, string> Service = new Dictionary<string, string>
    {
        ["annotations"] = "use labels",
        ["attach"] = "remove it: nothing is attached to a terminal; 'basmalin logs' shows the output",
        ["blkio_config"] = EngineDefault,
        ["cgroup"] = EngineDefault,
        ["cgroup_parent"] = EngineDefault,
        ["cpu_count"] = "use cpus",
        ["cpu_percent"] = "use cpus",
        ["cpu_period"] = "use cpus",
        ["cpu_quota"] = "use cpus",
        ["cpu_rt_period"] = EngineDefault,
        ["cpu_rt_runtime"] = EngineDefault,
        ["cpu_shares"] = "use cpus",
        ["cpuset"] = "use cpus",
        ["credential_spec"] = "it is for Windows containers",
        ["develop"] = "remove it: it is for 'docker compose watch' on a developer's machine",
        ["device_cgroup_rules"] = "use devices",
        ["domainname"] = "use hostname",
        ["extends"] = "use a YAML anchor and a merge key (<<)",
        ["external_links"] = "join the other stack's network as an external one",
        ["gpus"] = "use devices",
        ["group_add"] = "use user, e.g. \"1000:1000\"",
        ["ipc"] = "use shm_size, or a volume that both services mount",
        ["isolation"] = "it is for Windows containers",
        ["label_file"] = "use labels",
        ["links"] = "remove it: services of a network reach each other by name; use networks with aliases for another name",
        ["mac_address"] = EngineDefault,
        ["mem_swappiness"] = EngineDefault,
        ["memswap_limit"] = "use mem_limit",
        ["models"] = "run the model as a service",
        ["network_mode"] = "use networks; a service that others must reach on the host publishes ports",
        ["oom_kill_disable"] = "use mem_limit",
        ["oom_score_adj"] = EngineDefault,
        ["pid"] = "each service has its own processes; talk over the network",
        ["post_start"] = "put it into the image's entrypoint",
        ["pre_stop"] = "handle stop_signal in the application",
        ["provider"] = "run the provider as a service",
        ["runtime"] = EngineDefault,
        ["scale"] = "use deploy.replicas",
        ["storage_opt"] = EngineDefault,
        ["use_api_socket"] = "mount the socket as a volume, knowing that it gives root on the host",
        ["userns_mode"] = EngineDefault,
        ["uts"] = EngineDefault,
        ["volumes_from"] = "name the volumes in both services",
    }.ToFrozenDictionary();

    public static readonly FrozenDictionary<string, string> Build = new Dictionary<string, string>
    {
        ["additional_contexts"] = "put what the build needs below the context",
        ["cache_from"] = "remove it: the engine keeps its own build cache",
        ["cache_to"] = "remove it: the engine keeps its own build cache",
        ["dockerfile_inline"] = "write the Dockerfile to a file",
        ["entitlements"] = NotNeeded,
        ["extra_hosts"] = EngineDefault,
        ["isolation"] = "it is for Windows containers",
        ["platforms"] = "use platform of the service; an image for several platforms is built in CI",
        ["privileged"] = NotNeeded,
        ["provenance"] = NotNeeded,
        ["sbom"] = NotNeeded,
        ["secrets"] = "build in CI and name the image; a secret never belongs into a layer",
        ["shm_size"] = EngineDefault,
        ["ssh"] = "build in CI and name the image",
        ["tags"] = "use image: the built image gets that name",
        ["ulimits"] = EngineDefault,
    }.ToFrozenDictionary();

    public static readonly FrozenDictionary<string, string> Deploy = new Dictionary<string, string>
    {
        ["endpoint_mode"] = NotSwarm,
        ["placement"] = NotSwarm,
        ["rollback_config"] = ByColours,
        ["update_config"] = ByColours,
    }.ToFrozenDictionary();

    public static readonly FrozenDictionary<string, string> Reservations = new Dictionary<string, string>
    {
        ["devices"] = "use devices of the service",
        ["generic_resources"] = NotSwarm,
    }.ToFrozenDictionary();

    public static readonly FrozenDictionary<string, string> Healthcheck = new Dictionary<string, string>
    {
        ["start_interval"] = "remove it: engines before version 25 have none; x-basmalin.gate probes every second by itself",
    }.ToFrozenDictionary();

    public static readonly FrozenDictionary<string, string> Attachment = new Dictionary<string, string>
    {
        ["driver_opts"] = EngineDefault,
        ["gw_priority"] = EngineDefault,
        ["interface_name"] = EngineDefault,
        ["link_local_ips"] = EngineDefault,
        ["mac_address"] = EngineDefault,
        ["priority"] = "name the networks in the order in which they are to be joined",
    }.ToFrozenDictionary();

    public static readonly FrozenDictionary<string, string> Network = new Dictionary<string, string>
    {
        ["enable_ipv4"] = EngineDefault,
    }.ToFrozenDictionary();

    public static readonly FrozenDictionary<string, string> Ipam = new Dictionary<string, string>
    {
        ["options"] = EngineDefault,
    }.ToFrozenDictionary();

    public static readonly FrozenDictionary<string, string> IpamPool = new Dictionary<string, string>
    {
        ["aux_addresses"] = "narrow the pool with ip_range",
    }.ToFrozenDictionary();

    public static readonly FrozenDictionary<string, string> Mount = new Dictionary<string, string>
    {
        ["cluster"] = NotSwarm,
        ["image"] = "copy the files from the image into a volume at start",
    }.ToFrozenDictionary();

    public static readonly FrozenDictionary<string, string> MountVolume = new Dictionary<string, string>
    {
        ["labels"] = "put the labels on the top-level volume",
        ["subpath"] = "mount the whole volume, or use several volumes",
    }.ToFrozenDictionary();

    public static readonly FrozenDictionary<string, string> MountBind = new Dictionary<string, string>
    {
        ["recursive"] = EngineDefault,
        ["selinux"] = "label the directory on the host with chcon",
    }.ToFrozenDictionary();

    public static readonly FrozenDictionary<string, string> FileObject = new Dictionary<string, string>
    {
        ["driver"] = NotSwarm,
        ["driver_opts"] = NotSwarm,
        ["labels"] = "remove it: nothing on one engine carries them",
        ["template_driver"] = "use ${VARIABLES} in content",
    }.ToFrozenDictionary();

    public static readonly FrozenDictionary<string, string> EnvFile = new Dictionary<string, string>
    {
        ["format"] = "put values in single quotes: nothing is special in them",
    }.ToFrozenDictionary();
}
