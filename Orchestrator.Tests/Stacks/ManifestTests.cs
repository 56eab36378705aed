using System.Collections.Immutable;
using System.Text.Json;
using CsCheck;
using Orchestrator.Stacks;

namespace Orchestrator.Tests.Stacks;

/// <summary>A stack in the release manifest, and the hash that says whether a container must be made anew.</summary>
internal sealed class ManifestTests
{
    private static readonly Gen<string> Word = Gen.String[Gen.Char.AlphaNumeric, 0, 8];
    private static readonly Gen<ImmutableArray<string>> Words = Word.Array[0, 3].Select(words => words.ToImmutableArray());
    private static readonly Gen<ImmutableSortedDictionary<string, string>> Pairs =
        Gen.Select(Word, Gen.String).Array[0, 3].Select(pairs => pairs.DistinctBy(pair => pair.Item1).ToImmutableSortedDictionary(pair => pair.Item1, pair => pair.Item2, StringComparer.Ordinal));

    private static readonly Gen<TimeSpan> Time = Gen.Long[0, TimeSpan.TicksPerDay].Select(TimeSpan.FromTicks);

    private static readonly Gen<MountSpec> Mount =
        Gen.Select(Gen.Enum<MountKind>(), Word.Null(), Word, Gen.Bool, Gen.Bool).Select((kind, source, target, readOnly, create) =>
            new MountSpec(kind, source, target, readOnly, create) { NoCopy = readOnly, Propagation = source });

    private static readonly Gen<ContainerSettings> Container =
        Gen.Select(Words, Pairs, Mount.Array[0, 3], Time, Gen.Bool, Gen.Decimal[0.01m, 64], Gen.Long[0, 1L << 40]).Select((words, pairs, mounts, time, flag, cpus, bytes) => new ContainerSettings
        {
            Command = flag ? words : null,
            Entrypoint = flag ? null : words,
            Environment = pairs,
            Labels = pairs,
            Mounts = [.. mounts],
            Tmpfs = pairs,
            Secrets = [new FileGrant("s", "/run/secrets/s", null, "1", 292)],
            Healthcheck = new HealthcheckSpec { Disabled = flag, Test = words, Interval = time, Retries = 3 },
            Restart = new RestartPolicy("on-failure", 3),
            User = flag ? null : "1000",
            StopGracePeriod = time,
            Init = flag ? null : true,
            CapAdd = words,
            Ulimits = [new UlimitSpec("nofile", 1, -1)],
            Devices = [new DeviceSpec("/dev/a", "/dev/b", "rwm")],
            Logging = new LoggingSpec("json-file", pairs),
            Resources = new ResourceLimits { Cpus = cpus, Memory = bytes },
        });

    private static readonly Gen<BasMalinSpec> Extension = Gen.Select(Words, Time, Gen.Bool, Gen.Double.Unit).Select((words, time, flag, ratio) => new BasMalinSpec
    {
        Route = flag ? Route(words, time, ratio) : null,
        Gate = new GateSpec { Kind = GateKind.Http, Expect = [new StatusRange(200, 204), new StatusRange(404, 404)], Interval = time, Exec = words },
        Smoke = [new SmokeRequest("GET", "/", [new StatusRange(200, 200)], time, flag ? "x" : null)],
        Migrate = words,
        Shift = new ShiftSpec([10.5m, 100m], time),
        Bake = new BakeSpec { For = time, MaxErrorRatio = ratio, MaxP95Ratio = flag ? ratio : null },
        Backup = new BackupSpec { Kind = "redis", Keep = ImmutableSortedDictionary<string, int>.Empty.Add("daily", 3), BeforeDeploy = flag },
        Recycle = new RecycleSpec(flag ? 3 : null, "0 1 * * *"),
    });

    private static RouteSpec Route(ImmutableArray<string> words, TimeSpan time, double ratio) => new()
    {
        Hosts = words,
        Path = "/x",
        Port = 80,
        StripPrefix = ratio > 0.5,
        Http2 = ratio < 0.5,
        Pages = ImmutableSortedDictionary<string, string>.Empty.Add("502", "<h1>ä</h1>"),
        BodyLimit = time.Ticks,
        Static = [new StaticFolderSpec("/uploads", "v", "", time, ratio > 0.5)],
        Compress = ratio > 0.5 ? words : null,
        Timeouts = new RouteTimeoutsSpec(time, null, time),
        Rate = new RouteRateSpec(words.Length + 1, time, 3, ratio > 0.5),
        Headers = new RouteHeadersSpec { Secure = true, Set = ImmutableSortedDictionary<string, string>.Empty.Add("X-A", "b"), Remove = words },
    };

    private static readonly Gen<ServiceSpec> Service =
        Gen.Select(Word, Container, Extension, Gen.Bool, Gen.Enum<ServiceRole>(), Gen.Enum<PullPolicy>(), Pairs, Gen.Int[0, 100]).Select((name, container, extension, flag, role, pull, pairs, number) => new ServiceSpec
        {
            Name = name,
            Role = role,
            Coloured = flag,
            Replicas = number,
            Image = "x:1",
            Build = flag ? new BuildSpec { Context = "/x", Args = pairs } : null,
            Pull = pull,
            Container = container,
            Ports = [new PublishedPort(null, number, 80, "tcp"), new PublishedPort("::1", 0, 81, "udp")],
            Expose = [number, 9],
            Networks = [new NetworkAttachment("default", ["a"], null, "fd00::1")],
            DependsOn = [new Dependency("db", DependencyCondition.Healthy, flag, !flag)],
            BasMalin = flag ? null : extension,
        });

    private static readonly Gen<Stack> AnyStack = Gen.Select(Word, Service.Array[0, 3], Pairs, Gen.Bool).Select((name, services, pairs, flag) => new Stack
    {
        Name = name,
        Directory = "/srv/x",
        Services = [.. services],
        Networks = [new NetworkSpec { Key = "n", Name = "s_n", Internal = flag, DriverOptions = pairs, Pools = [new IpamPool("10.0.0.0/8", null, null)] }],
        Volumes = [new VolumeSpec { Key = "v", Name = "s_v", External = flag, Labels = pairs }],
        Secrets = [new FileObjectSpec { Key = "s", Name = "s_s", File = "/x" }],
        Configs = [new FileObjectSpec { Key = "c", Name = "s_c", Content = "ü\n\"<>&" }],
    });

    [Test]
    public void A_stack_reads_back_exactly_as_it_was_written() =>
        AnyStack.Sample(stack =>
        {
            var json = StackJson.Write(stack);
            return StackJson.Write(StackJson.Read(json)) == json;
        });

    [Test]
    public void A_stack_reads_back_with_the_same_hashes() =>
        Service.Sample(service =>
        {
            var stack = new Stack { Name = "s", Directory = "/", Services = [service] };
            return SpecHash.Of(StackJson.Read(StackJson.Write(stack)).Services[0]) == SpecHash.Of(service);
        });

    [TestCase("{\"name\":\"a\",\"directory\":\"/\",\"surprise\":1}")]
    [TestCase("{\"name\":\"a\"}")]
    [TestCase("{\"name\":null,\"directory\":\"/\"}")]
    [TestCase("{\"name\":\"a\",\"directory\":\"/\",\"networks\":[{\"key\":\"k\",\"name\":\"n\",\"pools\":[{}]}]}")]
    [TestCase("null")]
    [TestCase("{")]
    public void A_damaged_manifest_is_refused(string json) => Assert.That(() => StackJson.Read(json), Throws.InstanceOf<JsonException>());

    [Test]
    public void A_manifest_of_before_a_key_existed_gets_its_default() =>
        Assert.That(StackJson.Read("{\"name\":\"a\",\"directory\":\"/\"}").Services, Is.Empty);

    private static readonly ServiceSpec Plain = Compose.App("""
        environment: { A: "1" }
        ports: [ "3000:3000" ]
        volumes: [ "./b:/b", "./a:/a" ]
        cap_add: [ B, A ]
        """);

    private static IEnumerable<TestCaseData> Differences()
    {
        static TestCaseData Case(string what, Func<ServiceSpec, ServiceSpec> change, bool same) => new TestCaseData(change, same).SetArgDisplayNames(what);

        yield return Case("replicas", spec => spec with { Replicas = 9 }, true);
        yield return Case("dependencies", spec => spec with { DependsOn = [new Dependency("x", DependencyCondition.Started, true, false)] }, true);
        yield return Case("gate", spec => spec with { BasMalin = new BasMalinSpec { Gate = new GateSpec { Kind = GateKind.Running } } }, true);
        yield return Case("pull policy", spec => spec with { Pull = PullPolicy.Always }, true);
        yield return Case("build", spec => spec with { Build = new BuildSpec { Context = "/x" } }, true);
        yield return Case("role", spec => spec with { Role = ServiceRole.Stateful }, true);
        yield return Case("order of mounts", spec => spec with { Container = spec.Container with { Mounts = [.. spec.Container.Mounts.Reverse()] } }, true);
        yield return Case("order of capabilities", spec => spec with { Container = spec.Container with { CapAdd = ["A", "B"] } }, true);
        yield return Case("image", spec => spec with { Image = "app:2" }, false);
        yield return Case("platform", spec => spec with { Platform = "linux/arm64" }, false);
        yield return Case("environment", spec => spec with { Container = spec.Container with { Environment = spec.Container.Environment.SetItem("A", "2") } }, false);
        yield return Case("labels", spec => spec with { Container = spec.Container with { Labels = spec.Container.Labels.SetItem("a", "b") } }, false);
        yield return Case("mount", spec => spec with { Container = spec.Container with { Mounts = [spec.Container.Mounts[0]] } }, false);
        yield return Case("networks", spec => spec with { Networks = [new NetworkAttachment("other", [], null, null)] }, false);
        yield return Case("ports", spec => spec with { Ports = [new PublishedPort(null, 3001, 3000, "tcp")] }, false);
        yield return Case("coloured", spec => spec with { Coloured = true }, false);
    }

    [TestCaseSource(nameof(Differences))]
    public void The_hash_changes_with_what_makes_the_container_and_with_nothing_else(Func<ServiceSpec, ServiceSpec> change, bool same) =>
        Assert.That(SpecHash.Of(change(Plain)) == SpecHash.Of(Plain), Is.EqualTo(same));

    [Test]
    public void Ports_of_a_coloured_service_are_the_proxys_and_not_the_containers()
    {
        var coloured = Plain with { Coloured = true };

        Assert.That(SpecHash.Of(coloured with { Ports = [] }), Is.EqualTo(SpecHash.Of(coloured)));
    }

    [Test]
    public void Canonical_JSON_has_one_form() =>
        Assert.That(CanonicalJson.Write(System.Text.Json.Nodes.JsonNode.Parse("{ \"b\": [ {\"z\":1,\"y\":null} ], \"a\": \"ü\" }")), Is.EqualTo("{\"a\":\"\\u00FC\",\"b\":[{\"z\":1}]}"));

    [Test]
    public void The_hash_is_64_hexadecimal_digits_and_stable_between_runs() =>
        Assert.That(SpecHash.Of(new ServiceSpec { Name = "a", Role = ServiceRole.Worker, Coloured = false, Image = "a", Container = new ContainerSettings() }), Does.Match("^[0-9a-f]{64}$"));
}
