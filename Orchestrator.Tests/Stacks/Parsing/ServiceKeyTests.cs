using System.Collections.Immutable;
using Orchestrator.Stacks;
using Orchestrator.Stacks.Parsing;

namespace Orchestrator.Tests.Stacks.Parsing;

/// <summary>Every key of a service: what it becomes, in its short and its long form, and how a wrong one is reported.</summary>
internal sealed class ServiceKeyTests
{
    private static IEnumerable<TestCaseData> Forms()
    {
        static TestCaseData Form(string keys, Func<ServiceSpec, object?> value, object? expected) => new TestCaseData(keys, value, expected).SetArgDisplayNames(keys);

        yield return Form("command: dotnet app.dll --x 'a b'", s => Words(s.Container.Command), "dotnet|app.dll|--x|a b");
        yield return Form("command: [sh, -c, \"a b\"]", s => Words(s.Container.Command), "sh|-c|a b");
        yield return Form("command:", s => s.Container.Command, null);
        yield return Form("command: []", s => Words(s.Container.Command), "");
        yield return Form("entrypoint: \"\"", s => Words(s.Container.Entrypoint), "");
        yield return Form("entrypoint: [/bin/x]", s => Words(s.Container.Entrypoint), "/bin/x");
        yield return Form("environment: { A: 1, B: true, C: text, D: \"\", E: }", s => Pairs(s.Container.Environment), "A=1|B=true|C=text|D=");
        yield return Form("environment: [ A=1, \"B=a=b\", C=, D ]", s => Pairs(s.Container.Environment), "A=1|B=a=b|C=");
        yield return Form("environment: [ A=1, A=2 ]", s => Pairs(s.Container.Environment), "A=2");
        yield return Form("labels: { a.b: c, n: 1 }", s => Pairs(s.Container.Labels), "a.b=c|n=1");
        yield return Form("labels: [ a.b=c, n ]", s => Pairs(s.Container.Labels), "a.b=c|n=");
        yield return Form("expose: [ \"3000\", 8080/tcp, 5000-5002 ]", s => Words(s.Expose), "3000|5000|5001|5002|8080");
        yield return Form("user: 1000:1000", s => s.Container.User, "1000:1000");
        yield return Form("working_dir: /app", s => s.Container.WorkingDir, "/app");
        yield return Form("hostname: web-1", s => s.Container.Hostname, "web-1");
        yield return Form("container_name: garden_app.1", s => s.Container.ContainerName, "garden_app.1");
        yield return Form("stop_grace_period: 1m30s", s => s.Container.StopGracePeriod, TimeSpan.FromSeconds(90));
        yield return Form("image: b:1", s => s.Image, "b:1");
        yield return Form("stop_signal: SIGINT", s => s.Container.StopSignal, "SIGINT");
        yield return Form("init: true", s => s.Container.Init, true);
        yield return Form("read_only: true", s => s.Container.ReadOnly, true);
        yield return Form("privileged: \"true\"", s => s.Container.Privileged, true);
        yield return Form("tty: yes", s => s.Container.Tty, true);
        yield return Form("stdin_open: on", s => s.Container.StdinOpen, true);
        yield return Form("cap_add: [ NET_ADMIN ]\ncap_drop: [ ALL ]", s => $"{Words(s.Container.CapAdd)}-{Words(s.Container.CapDrop)}", "NET_ADMIN-ALL");
        yield return Form("security_opt: [ no-new-privileges:true, seccomp:unconfined ]", s => Words(s.Container.SecurityOpt), "no-new-privileges:true|seccomp:unconfined");
        yield return Form("extra_hosts: [ \"a:10.0.0.1\", \"b=::1\", \"c:host-gateway\", \"d=[::2]\" ]", s => Words(s.Container.ExtraHosts), "a:10.0.0.1|b:::1|c:host-gateway|d:::2");
        yield return Form("extra_hosts: { a: 10.0.0.1, b: [ \"::1\", 10.0.0.2 ] }", s => Words(s.Container.ExtraHosts), "a:10.0.0.1|b:::1|b:10.0.0.2");
        yield return Form("dns: 9.9.9.9", s => Words(s.Container.Dns), "9.9.9.9");
        yield return Form("dns: [ 9.9.9.9, \"2620:fe::fe\" ]", s => Words(s.Container.Dns), "9.9.9.9|2620:fe::fe");
        yield return Form("dns_search: [ a.example ]\ndns_opt: [ \"ndots:1\" ]", s => $"{Words(s.Container.DnsSearch)}-{Words(s.Container.DnsOptions)}", "a.example-ndots:1");
        yield return Form("sysctls: { net.core.somaxconn: 1024 }", s => Pairs(s.Container.Sysctls), "net.core.somaxconn=1024");
        yield return Form("sysctls: [ net.core.somaxconn=1024 ]", s => Pairs(s.Container.Sysctls), "net.core.somaxconn=1024");
        yield return Form("ulimits: { nproc: 65535, nofile: { soft: 20000, hard: 40000 }, core: -1 }", s => Words(s.Container.Ulimits),
            "UlimitSpec { Name = nproc, Soft = 65535, Hard = 65535 }|UlimitSpec { Name = nofile, Soft = 20000, Hard = 40000 }|UlimitSpec { Name = core, Soft = -1, Hard = -1 }");
        yield return Form("devices: [ /dev/a, \"/dev/a:/dev/b\", \"/dev/a:r\", \"/dev/a:/dev/b:rw\", { source: /dev/c } ]",
            s => string.Join('|', s.Container.Devices.Select(d => $"{d.Host} {d.Container} {d.Permissions}")),
            "/dev/a /dev/a rwm|/dev/a /dev/b rwm|/dev/a /dev/a r|/dev/a /dev/b rw|/dev/c /dev/c rwm");
        yield return Form("logging: { driver: syslog, options: { tag: x, max-size: 10m } }", s => $"{s.Container.Logging!.Driver} {Pairs(s.Container.Logging.Options)}", "syslog max-size=10m|tag=x");
        yield return Form("logging: { options: { max-file: 3 } }", s => $"{s.Container.Logging!.Driver} {Pairs(s.Container.Logging.Options)}", "json-file max-file=3");
        yield return Form("tmpfs: /run", s => Pairs(s.Container.Tmpfs), "/run=");
        yield return Form("tmpfs: [ \"/run:size=64m,mode=1777\", /tmp/ ]", s => Pairs(s.Container.Tmpfs), "/run=size=64m,mode=1777|/tmp=");
        yield return Form("platform: linux/arm64", s => s.Platform, "linux/arm64");
        yield return Form("pull_policy: if_not_present", s => s.Pull, PullPolicy.Missing);
        yield return Form("pull_policy: always", s => s.Pull, PullPolicy.Always);
        yield return Form("restart: \"no\"", s => s.Container.Restart, new RestartPolicy("no", 0));
        yield return Form("restart: no", s => s.Container.Restart, new RestartPolicy("no", 0));
        yield return Form("restart: on-failure:3", s => s.Container.Restart, new RestartPolicy("on-failure", 3));
        yield return Form("deploy: { restart_policy: { condition: on-failure, max_attempts: 2 } }", s => s.Container.Restart, new RestartPolicy("on-failure", 2));
        yield return Form("deploy: { restart_policy: {} }", s => s.Container.Restart, new RestartPolicy("always", 0));
        yield return Form("deploy: { restart_policy: { condition: none } }", s => s.Container.Restart, new RestartPolicy("no", 0));
        yield return Form("deploy: { replicas: 3, mode: replicated }", s => s.Replicas, 3);
        yield return Form("mem_limit: 64m\nmem_reservation: 32m\ncpus: 1.5\npids_limit: 100\nshm_size: 1gb", s => s.Container.Resources,
            new ResourceLimits { Memory = 64 << 20, MemoryReservation = 32 << 20, Cpus = 1.5m, Pids = 100, ShmSize = 1 << 30 });
        yield return Form("deploy: { resources: { limits: { cpus: '0.5', memory: 64M, pids: 10 }, reservations: { memory: 32M } } }", s => s.Container.Resources,
            new ResourceLimits { Memory = 64 << 20, MemoryReservation = 32 << 20, Cpus = 0.5m, Pids = 10 });
        yield return Form("pids_limit: -1", s => s.Container.Resources, new ResourceLimits());
        yield return Form("healthcheck: { test: curl -f http://x/, interval: 10s, timeout: 2s, retries: 5, start_period: 1m }",
            s => $"{Words(s.Container.Healthcheck!.Test)} {s.Container.Healthcheck.Interval} {s.Container.Healthcheck.Timeout} {s.Container.Healthcheck.Retries} {s.Container.Healthcheck.StartPeriod}",
            "CMD-SHELL|curl -f http://x/ 00:00:10 00:00:02 5 00:01:00");
        yield return Form("healthcheck: { test: [ CMD, a, b ] }", s => Words(s.Container.Healthcheck!.Test), "CMD|a|b");
        yield return Form("healthcheck: { test: [ NONE ] }", s => s.Container.Healthcheck!.Disabled, true);
        yield return Form("healthcheck: { disable: true }", s => s.Container.Healthcheck!.Disabled, true);
        yield return Form("healthcheck: { interval: 5s }", s => s.Container.Healthcheck!.Test.IsEmpty, true);
        yield return Form("x-anything: { at: [ all ] }", s => s.BasMalin, null);
        yield return Form("healthcheck: { x-y: 1, disable: true }\ndeploy: { x-y: 1 }\nlogging: { x-y: 1 }", s => s.Replicas, 1);
    }

    [TestCaseSource(nameof(Forms))]
    public void A_key_is_read_in_each_of_its_forms(string keys, Func<ServiceSpec, object?> value, object? expected)
    {
        var file = keys.StartsWith("image:", StringComparison.Ordinal) ? $"services:\n  app:\n    {keys}\n" : Compose.AppFile(keys);

        Assert.That(value(Compose.Stack(file).Find("app")!), Is.EqualTo(expected));
    }

    [TestCase("command: a 'b", "4:14 services.app.command: this cannot be split into words: a quote (') is left open (write the command as a list)")]
    [TestCase("command: { a: b }", "4:14 services.app.command: expected a command: a text or a list of texts, found a mapping")]
    [TestCase("command: [ [a] ]", "4:16 services.app.command[0]: expected a text, found a list")]
    [TestCase("environment: A=1", "4:18 services.app.environment: expected variables: a mapping or a list of NAME=value, found 'A=1'")]
    [TestCase("environment: { A: [1] }", "4:23 services.app.environment.A: expected a text, a number or true/false, found a list")]
    [TestCase("environment: [ =1 ]", "4:20 services.app.environment[0]: a name must stand before '='")]
    [TestCase("environment: { A: 1, A: 2 }", "4:26 services.app.environment.A: the key stands twice: here and at 4:20 (keep one of them)")]
    [TestCase("labels: { basmalin.stack: x }", "4:31 services.app.labels.basmalin.stack: the label 'basmalin.stack' is reserved (labels that start with 'basmalin.' say what belongs to BasMalin)")]
    [TestCase("expose: [ 0 ]", "4:15 services.app.expose[0]: expected a container port, e.g. \"3000\", found '0'")]
    [TestCase("expose: [ 80/icmp ]", "4:15 services.app.expose[0]: expected a container port, e.g. \"3000\", found '80/icmp' (protocols: tcp, udp, sctp)")]
    [TestCase("hostname: -x-", "4:15 services.app.hostname: expected a host name of letters, digits, '-' and '.', found '-x-'")]
    [TestCase("container_name: a b", "4:21 services.app.container_name: expected a name of letters, digits, '_', '.' and '-' that starts with a letter or digit, found 'a b'")]
    [TestCase("stop_grace_period: 10", "4:24 services.app.stop_grace_period: expected a duration such as 500ms, 10s or 1m30s, found '10' (add the unit, e.g. 's' for seconds)")]
    [TestCase("stop_signal: SIG TERM", "4:18 services.app.stop_signal: expected a signal, e.g. SIGTERM, found 'SIG TERM'")]
    [TestCase("init: maybe", "4:11 services.app.init: expected true or false, found 'maybe'")]
    [TestCase("cap_add: [ net admin ]", "4:16 services.app.cap_add[0]: expected a capability, e.g. NET_BIND_SERVICE or ALL, found 'net admin'")]
    [TestCase("security_opt: [ \"seccomp:./p.json\" ]", "4:21 services.app.security_opt[0]: a seccomp profile in a file is not supported (remove it (the engine's own profile is in force), or seccomp:unconfined)")]
    [TestCase("extra_hosts: [ nothing ]", "4:20 services.app.extra_hosts[0]: expected HOST:ADDRESS or HOST=ADDRESS, e.g. \"db.example:10.0.0.5\" or \"host.docker.internal:host-gateway\", found 'nothing'")]
    [TestCase("dns: example.org", "4:10 services.app.dns: expected the IP address of a name server, found 'example.org'")]
    [TestCase("ulimits: { nofile: { soft: 1 } }", "4:24 services.app.ulimits.nofile: a limit needs both 'soft' and 'hard' (or one number for both)")]
    [TestCase("ulimits: { nofile: { soft: 2, hard: 1 } }", "4:24 services.app.ulimits.nofile: the soft limit is above the hard one")]
    [TestCase("devices: [ tty ]", "4:16 services.app.devices[0]: expected HOST[:CONTAINER[:PERMISSIONS]], e.g. \"/dev/ttyUSB0:/dev/ttyUSB0:rwm\", found 'tty' (both paths must be absolute)")]
    [TestCase("logging: { drver: x }", "4:16 services.app.logging.drver: unknown key 'drver' (did you mean 'driver'?)")]
    [TestCase("pull_policy: daily", "4:18 services.app.pull_policy: expected a pull policy: always, never, missing, if_not_present, build, found 'daily'")]
    [TestCase("pull_policy: build", "4:18 services.app.pull_policy: pull_policy: build needs a 'build'")]
    [TestCase("restart: allways", "4:14 services.app.restart: expected no, always, unless-stopped, on-failure or on-failure:N, found 'allways' (did you mean 'always'?)")]
    [TestCase("deploy: { replicas: 101 }", "4:25 services.app.deploy.replicas: expected a whole number from 0 to 100, found '101'")]
    [TestCase("deploy: { mode: global }", "4:21 services.app.deploy.mode: the mode 'global' is not supported (remove it: there is one engine, and a job is a service that others depend on with service_completed_successfully)")]
    [TestCase("deploy: { update_config: { parallelism: 1 } }", "4:15 services.app.deploy.update_config: 'update_config' is a Compose key that is not supported (remove it: x-basmalin (gate, drain, bake, warm) says how a service is replaced)")]
    [TestCase("deploy: { resources: { reservations: { devices: [] } } }", "4:44 services.app.deploy.resources.reservations.devices: 'devices' is a Compose key that is not supported (use devices of the service)")]
    [TestCase("restart: always\ndeploy: { restart_policy: {} }", "4:14 services.app.restart: restart and deploy.restart_policy both say what happens after an exit (keep one of them)")]
    [TestCase("mem_limit: 64m\ndeploy: { resources: { limits: { memory: 65m } } }", "4:5 services.app.mem_limit: mem_limit and deploy.resources.limits.memory say different things (keep one of them)")]
    [TestCase("mem_limit: 64m\nmem_reservation: 65m", "5:5 services.app.mem_reservation: the reservation of memory is larger than its limit")]
    [TestCase("mem_limit: 64 apples", "4:16 services.app.mem_limit: expected a size such as 64m, 1.5gb or 1G, found '64 apples'")]
    [TestCase("cpus: 0", "4:11 services.app.cpus: expected a number of cores above 0, e.g. 0.5, found '0'")]
    [TestCase("healthcheck: { test: [ curl, x ] }", "4:26 services.app.healthcheck.test: expected a command: a text, or a list that starts with CMD, CMD-SHELL or NONE, found a list that starts with 'curl' ([\"CMD\", \"curl\", …])")]
    [TestCase("healthcheck: { test: [ CMD-SHELL, a, b ] }", "4:26 services.app.healthcheck.test: CMD-SHELL takes one text, the shell's command line (use CMD for a list of words, or join the words)")]
    [TestCase("healthcheck: { retries: 0 }", "4:29 services.app.healthcheck.retries: expected a whole number from 1 to 2147483647, found '0'")]
    [TestCase("healthcheck: { interval: 10us }", "4:30 services.app.healthcheck.interval: expected at least 1ms, found '10us'")]
    [TestCase("healthcheck: { start_interval: 1s }", "4:20 services.app.healthcheck.start_interval: 'start_interval' is a Compose key that is not supported (remove it: engines before version 25 have none; x-basmalin.gate probes every second by itself)")]
    [TestCase("imagee: x", "4:5 services.app.imagee: unknown key 'imagee' (did you mean 'image'?)")]
    [TestCase("enviroment: {}", "4:5 services.app.enviroment: unknown key 'enviroment' (did you mean 'environment'?)")]
    [TestCase("quux: {}", "4:5 services.app.quux: unknown key 'quux' (see the list of supported keys in docs/compose.md)")]
    [TestCase("network_mode: host", "4:5 services.app.network_mode: 'network_mode' is a Compose key that is not supported (use networks; a service that others must reach on the host publishes ports)")]
    [TestCase("user: \"\"", "4:11 services.app.user: expected a user, e.g. \"1000:1000\", found an empty text")]
    [TestCase("working_dir: \"/a\\0\"", "4:18 services.app.working_dir: a text cannot hold a NUL character")]
    public void A_wrong_value_is_reported_at_its_place_with_what_was_expected(string keys, string expected) =>
        Assert.That(Compose.Errors(Compose.ReadApp(keys)), Is.EqualTo(new[] { expected }));

    [Test]
    public void Every_Compose_key_that_is_not_supported_says_so_and_what_to_do_instead()
    {
        foreach (var (key, instead) in UnsupportedKeys.Service)
        {
            Assert.That(Compose.Errors(Compose.ReadApp($"{key}: x")), Is.EqualTo(new[]
            {
                $"4:5 services.app.{key}: '{key}' is a Compose key that is not supported ({instead})",
            }));
        }
    }

    [TestCase("nginx")]
    [TestCase("library/nginx:1.27-alpine")]
    [TestCase("localhost:5000/garden/app:1.4.0_rc.1")]
    [TestCase("ghcr.io/some-org/app__x@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef")]
    [TestCase("Registry.Example/app")]
    [TestCase("[::1]:5000/app:x")]
    public void An_image_reference_is_accepted_as_the_engine_would(string image) =>
        Assert.That(Compose.Stack($"services: {{ a: {{ image: \"{image}\" }} }}").Services[0].Image, Is.EqualTo(image));

    [TestCase("Nginx", "the name of a repository is written in lower case")]
    [TestCase("nginx:", null)]
    [TestCase("a b", null)]
    [TestCase("nginx@sha256:12", null)]
    [TestCase("http://x/y", null)]
    [TestCase("/x", null)]
    [TestCase("a//b", null)]
    public void What_is_no_image_reference_is_refused(string image, string? hint) =>
        Assert.That(Compose.Read($"services: {{ a: {{ image: \"{image}\" }} }}").Errors.Single(), Is.EqualTo(new Finding(
            FindingSeverity.Error, "compose.yml", 1, 25, "services.a.image", $"expected an image, e.g. registry.example/app:1.4.0, found '{image}'", hint)));

    [Test]
    public void A_variable_without_a_value_is_passed_on_from_the_environment_or_left_out()
    {
        var app = Compose.App("environment: [ A, B ]\nbuild: { context: ., args: [ A, B, C=1 ] }", "", ("A", "from outside"));

        Assert.That(Pairs(app.Container.Environment), Is.EqualTo("A=from outside"));
        Assert.That(Pairs(app.Build!.Args), Is.EqualTo("A=from outside|C=1"));
    }

    private static string Words(ImmutableArray<string>? items) => string.Join('|', items!.Value);

    private static string Words<T>(ImmutableArray<T> items) => string.Join('|', items);

    private static string Pairs(ImmutableSortedDictionary<string, string> pairs) => string.Join('|', pairs.Select(pair => $"{pair.Key}={pair.Value}"));
}
