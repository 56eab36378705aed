using System.Collections.Immutable;
using Orchestrator.Stacks;

namespace Orchestrator.Tests.Stacks.Parsing;

internal sealed class TopLevelTests
{
    private string _directory = "";

    [SetUp]
    public void MakeDirectory() => _directory = Directory.CreateTempSubdirectory("basmalin-compose-").FullName;

    [TearDown]
    public void RemoveDirectory() => Directory.Delete(_directory, recursive: true);

    [Test]
    public void Networks_are_read_with_all_of_their_keys()
    {
        var stack = Compose.Stack("""
            services:
              a:
                image: a
                networks:
                  front: { aliases: [ web, www, web ], ipv4_address: 172.28.0.5, ipv6_address: "fd00::5" }
                  back:
                  old:
              b: { image: b, networks: [ back, default ] }
            networks:
              front:
                driver: bridge
                driver_opts: { com.docker.network.bridge.name: br-x, mtu: 1400 }
                internal: true
                attachable: true
                enable_ipv6: true
                labels: [ tier=front ]
                ipam: { driver: default, config: [ { subnet: 172.28.0.0/16, gateway: 172.28.0.1, ip_range: 172.28.1.0/24 } ] }
              back: { name: shared-back, external: true }
              old: { external: { name: elder } }
              default: { name: plain }
            """);

        var front = stack.Networks[0];
        Assert.That((front.Name, front.Driver, front.Internal, front.Attachable, front.EnableIPv6), Is.EqualTo(("garden_front", "bridge", true, true, true)));
        Assert.That(front.DriverOptions["mtu"], Is.EqualTo("1400"));
        Assert.That(front.Labels["tier"], Is.EqualTo("front"));
        Assert.That(front.Pools, Is.EqualTo(new[] { new IpamPool("172.28.0.0/16", "172.28.0.1", "172.28.1.0/24") }));
        Assert.That(stack.Networks.Skip(1).Select(network => (network.Name, network.External)), Is.EqualTo(new[] { ("shared-back", true), ("elder", true), ("plain", false) }));

        var attachment = stack.Services[0].Networks[0];
        Assert.That(attachment.Aliases, Is.EqualTo(new[] { "web", "www" }));
        Assert.That((attachment.Ipv4Address, attachment.Ipv6Address), Is.EqualTo(("172.28.0.5", "fd00::5")));
    }

    [Test]
    public void A_service_without_networks_joins_the_default_one() =>
        Assert.That(Compose.App("user: x").Networks.Single() is { Key: "default", Aliases.IsEmpty: true }, Is.True);

    [Test]
    public void Volumes_are_read_with_all_of_their_keys()
    {
        var stack = Compose.Stack("""
            services: { a: { image: a, volumes: [ "one:/1", "two:/2", "three:/3" ] } }
            volumes:
              one:
              two: { driver: local, driver_opts: { type: nfs, o: "addr=10.0.0.1" }, labels: { a: b }, name: second }
              three: { external: true }
              four: {}
            """);

        Assert.That(stack.Volumes.Select(volume => (volume.Key, volume.Name, volume.External)), Is.EqualTo(new[]
        {
            ("one", "garden_one", false), ("two", "second", false), ("three", "three", true),
        }));
        Assert.That(stack.Volumes[1].DriverOptions["type"], Is.EqualTo("nfs"));
    }

    [Test]
    public void What_no_service_uses_is_noted_and_not_created() =>
        Assert.That(Compose.Notes(Compose.ReadApp("user: x", "volumes:\n  data:\nnetworks:\n  back:\nsecrets:\n  s: { file: ./none }\n")), Is.EqualTo(new[]
        {
            "6:3 volumes.data: no service uses it: it is not created",
            "8:3 networks.back: no service uses it: it is not created",
            "10:3 secrets.s: no service uses it: it is not created",
        }));

    [Test]
    public void Secrets_and_configurations_are_read_in_both_forms()
    {
        File.WriteAllText(Path.Combine(_directory, "key.txt"), "x");
        var result = ComposeReader.Read(Source("""
            name: garden
            services:
              a:
                image: a
                secrets: [ key, { source: token, target: api-token, uid: "1000", gid: 1000, mode: 0440 } ]
                configs: [ motd, { source: conf, target: /etc/app.conf } ]
            secrets:
              key: { file: ./key.txt }
              token: { environment: TOKEN }
            configs:
              motd: { content: "hello $WHO" }
              conf: { external: true, name: shared-conf }
            """) with
        { Environment = ImmutableDictionary<string, string>.Empty.Add("TOKEN", "t").Add("WHO", "you") });

        Assert.That(result.Errors, Is.Empty);
        var app = result.Stack!.Services[0].Container;
        Assert.That(app.Secrets, Is.EqualTo(new[]
        {
            new FileGrant("key", "/run/secrets/key", null, null, 292), new FileGrant("token", "/run/secrets/api-token", "1000", "1000", 288),
        }));
        Assert.That(app.Configs, Is.EqualTo(new[] { new FileGrant("motd", "/motd", null, null, 292), new FileGrant("conf", "/etc/app.conf", null, null, 292) }));
        Assert.That(result.Stack.Secrets, Is.EqualTo(new[]
        {
            new FileObjectSpec { Key = "key", Name = "garden_key", File = Path.Combine(_directory, "key.txt") },
            new FileObjectSpec { Key = "token", Name = "garden_token", EnvironmentVariable = "TOKEN" },
        }));
        Assert.That(result.Stack.Configs, Is.EqualTo(new[]
        {
            new FileObjectSpec { Key = "motd", Name = "garden_motd", Content = "hello you" },
            new FileObjectSpec { Key = "conf", Name = "shared-conf", External = true },
        }));
    }

    [TestCase("secrets:\n  s:\n", "7:3 secrets.s: the secret has no content (expected one of file, environment or external)")]
    [TestCase("secrets:\n  s: {}\n", "7:6 secrets.s: expected exactly one of file, environment or external, found none")]
    [TestCase("secrets:\n  s: { file: /etc/hostname, environment: HOME }\n", "7:6 secrets.s: expected exactly one of file, environment or external, found 2|7:29 secrets.s.environment: the variable HOME is not set (set HOME in the environment or in .env)")]
    [TestCase("secrets:\n  s: { file: /no/such/file }\n", "7:8 secrets.s.file: the file /no/such/file does not exist (a relative path starts at the directory of the Compose file)")]
    [TestCase("secrets:\n  s: { content: x }\n", "7:8 secrets.s.content: 'content' is a Compose key that is not supported (a secret does not belong into the Compose file: use file, environment or external)")]
    [TestCase("secret:\n  s: { external: true }\n", "5:16 services.app.secrets[0]: there is no secret 's' (declare it at the top level: secrets: { s: })|6:1 secret: unknown key 'secret' (did you mean 'secrets'?)")]
    public void A_wrong_secret_is_reported(string secrets, string expected) =>
        Assert.That(string.Join('|', Compose.Errors(Compose.ReadApp("user: x\nsecrets: [ \"s\" ]", secrets))), Is.EqualTo(expected));

    [TestCase("mode: 440", "services.app.secrets[0].mode: expected permission bits in octal, e.g. 0440, found '440' (write 0440: without the zero it is a decimal number)")]
    [TestCase("mode: 0999", "services.app.secrets[0].mode: expected permission bits in octal, e.g. 0440, found '0999'")]
    [TestCase("uid: root", "services.app.secrets[0].uid: expected a whole number from 0 to 4294967295, found 'root'")]
    public void A_wrong_grant_is_reported(string option, string expected) =>
        Assert.That(Compose.Errors(Compose.ReadApp($"secrets: [ {{ source: s, {option} }} ]", "secrets: { s: { external: true } }")).Single(), Does.EndWith(expected));

    [TestCase("include: [ x ]", "6:1 include: 'include' is a Compose key that is not supported (put the included services into this file)")]
    [TestCase("servces: {}", "6:1 servces: unknown key 'servces' (did you mean 'services'?)")]
    [TestCase("networks: { n: { driver: } }\nvolumes: { v: { drivr: x } }", "7:17 volumes.v.drivr: unknown key 'drivr' (did you mean 'driver'?)")]
    [TestCase("networks: { n: { ipam: { config: [ { subnet: 10.0.0.1 } ] } } }", "6:46 networks.n.ipam.config[0].subnet: expected a network in CIDR notation, e.g. 172.28.0.0/16, found '10.0.0.1'")]
    [TestCase("networks: { n: { external: true, driver: x } }", "6:34 networks.n.driver: 'driver' does not go with external (somebody else made it; only its name is used)")]
    [TestCase("volumes: { \"a b\": }", "6:12 volumes.a b: this is not a name (letters, digits, '_', '.' and '-', starting with a letter or digit)")]
    [TestCase("volumes: [ a ]", "6:10 volumes: expected a mapping, found a list")]
    public void A_wrong_top_level_is_reported(string rest, string expected) =>
        Assert.That(Compose.Errors(Compose.ReadApp("user: x\nread_only: true", rest)), Is.EqualTo(new[] { expected }));

    [TestCase("name: other", null, "other")]
    [TestCase("", null, "garden")]
    [TestCase("name: other", "mine", "mine")]
    [TestCase("name: \"${STACK:-from_env}\"", null, "from_env")]
    public void The_stack_is_called_by_the_caller_the_file_or_the_directory(string line, string? given, string expected)
    {
        var result = ComposeReader.Read(Compose.Source($"{line}\nservices: {{ a: {{ image: x }} }}") with { StackName = given });

        Assert.That(result.Errors, Is.Empty);
        Assert.That(result.Stack!.Name, Is.EqualTo(expected));
        Assert.That(result.Stack.Networks[0].Name, Is.EqualTo($"{expected}_default"));
    }

    [Test]
    public void A_directory_is_normalised_as_Compose_does() =>
        Assert.That(ComposeReader.Read(Compose.Source("services: { a: { image: x } }") with { Directory = "/srv/_My Garden.App-2/" }).Stack!.Name, Is.EqualTo("mygardenapp-2"));

    [TestCase("name: My App", "1:1 name: the name is not a name for a stack: a name consists of lower-case letters, digits, '-' and '_' and starts with a letter or digit ('myapp' would do)")]
    [TestCase("name: aaaaaaaaaabbbbbbbbbbccccccccccddddddddddx", "1:1 name: the name is not a name for a stack: the name has 41 characters; at most 40 fit into the names of containers (say 'name: garden' at the top of the file)")]
    [TestCase("name: \"\"", "1:1 name: the name is not a name for a stack: the name is empty (say 'name: garden' at the top of the file)")]
    public void A_wrong_name_is_refused(string line, string expected) =>
        Assert.That(Compose.Errors(Compose.Read($"{line}\nservices: {{ a: {{ image: x }} }}")), Is.EqualTo(new[] { expected }));

    [Test]
    public void A_directory_without_a_usable_name_asks_for_one() =>
        Assert.That(ComposeReader.Read(Compose.Source("services: { a: { image: x } }") with { Directory = "/" }).Errors.Single().Hint, Is.EqualTo("say 'name: garden' at the top of the file"));

    [Test]
    public void Variables_come_from_the_environment_then_from_the_env_file_beside_it()
    {
        File.WriteAllText(Path.Combine(_directory, ".env"), "A=env\nB=file-$A\n");
        File.WriteAllText(Path.Combine(_directory, "app.env"), "X=${B}\nY=from file\nPASSED\nA=app\n");
        var result = ComposeReader.Read(Source("""
            services:
              a:
                image: "i:${A}"
                user: ${B}
                env_file: [ app.env, { path: none.env, required: false } ]
                environment: [ Y=wins, B ]
            """) with
        { Environment = ImmutableDictionary<string, string>.Empty.Add("A", "outside").Add("PASSED", "on") });

        Assert.That(result.Findings, Is.Empty);
        var app = result.Stack!.Services[0];
        Assert.That((app.Image, app.Container.User), Is.EqualTo(("i:outside", "file-outside")));
        Assert.That(string.Join('|', app.Container.Environment.Select(pair => $"{pair.Key}={pair.Value}")), Is.EqualTo("A=app|B=file-outside|PASSED=on|X=file-outside|Y=wins"));
    }

    [Test]
    public void A_problem_in_a_file_that_is_pointed_to_names_that_file()
    {
        File.WriteAllText(Path.Combine(_directory, ".env"), "A B\n");
        File.WriteAllText(Path.Combine(_directory, "app.env"), "\nX='secret\n");
        File.WriteAllBytes(Path.Combine(_directory, "binary.env"), [0xFF, 0xFE, 0xFD]);
        var result = ComposeReader.Read(Source("services:\n  a:\n    image: x\n    env_file: [ app.env, gone.env, binary.env ]\n"));

        Assert.That(result.Stack, Is.Null);
        Assert.That(result.Errors.Select(error => error.ToString()), Is.EqualTo(new[]
        {
            "compose.yml:4:26: error: services.a.env_file[1]: 'gone.env': the file does not exist (a relative path starts at the directory of the Compose file)",
            "compose.yml:4:36: error: services.a.env_file[2]: 'binary.env': the file is not UTF-8 text (save it as UTF-8)",
            ".env:1:3: error: A: expected '=' after A (a name consists of letters, digits, '_', '.' and '-')",
            "app.env:2:3: error: X: the quote ' of X is never closed",
        }));
    }

    [Test]
    public void A_build_is_read_in_both_forms()
    {
        var stack = Compose.Stack("""
            services:
              a: { build: ./a }
              b:
                image: b:1
                build: { context: .., dockerfile: docker/b.Dockerfile, target: run, args: { V: 1 }, labels: [ x=y ], network: host, no_cache: true, pull: true }
            """);
        var directory = Compose.Source("").Directory;

        Assert.That(stack.Services[0].Image, Is.EqualTo("garden-a"));
        Assert.That(stack.Services[0].Build, Is.EqualTo(new BuildSpec { Context = Path.Combine(directory, "a") }));
        var build = stack.Services[1].Build!;
        Assert.That((build.Context, build.Dockerfile, build.Target, build.Network, build.NoCache, build.PullBases), Is.EqualTo((
            Path.GetDirectoryName(directory), "docker/b.Dockerfile", "run", "host", true, true)));
        Assert.That((build.Args["V"], build.Labels["x"]), Is.EqualTo(("1", "y")));
    }

    [TestCase("build: https://github.com/x/y.git", "3:12 services.a.build: a build from a remote address is not supported (clone it and name the directory, or build in CI and name the image)")]
    [TestCase("build: { contxt: . }", "3:14 services.a.build.contxt: unknown key 'contxt' (did you mean 'context'?)")]
    [TestCase("build: { ssh: [ default ] }", "3:14 services.a.build.ssh: 'ssh' is a Compose key that is not supported (build in CI and name the image)")]
    [TestCase("user: x", "2:3 services.a: the service has neither an image nor a build (image: registry.example/app:1.4.0, or build: .)")]
    public void A_wrong_build_is_reported(string keys, string expected) =>
        Assert.That(Compose.Errors(Compose.Read($"services:\n  a:\n    {keys}\n")), Is.EqualTo(new[] { expected }));

    [TestCase("services:\n", "1:1 services: there is no service (a Compose file has at least one service)")]
    [TestCase("services: {}\n", "1:1 services: there is no service (a Compose file has at least one service)")]
    [TestCase("services: [ a ]\n", "1:11 services: expected a mapping of services, found a list")]
    [TestCase("x-a: 1\n", "1:1 : 'services' is missing (a Compose file has at least one service)")]
    [TestCase("services:\n  a:\n", "2:3 services.a: the service is empty (it needs an image or a build)")]
    [TestCase("services:\n  a: x\n", "2:6 services.a: expected a service, found 'x'")]
    [TestCase("services:\n  -a: { image: x }\n", "2:3 services.-a: this is not a name for a service (letters, digits, '_', '.' and '-', starting with a letter or digit, at most 63 of them)")]
    public void A_file_without_services_is_refused(string content, string expected) =>
        Assert.That(Compose.Errors(Compose.Read(content)), Is.EqualTo(new[] { expected }));

    private ComposeSource Source(string content) => Compose.Source(content) with { Directory = _directory, StackName = "garden" };
}
