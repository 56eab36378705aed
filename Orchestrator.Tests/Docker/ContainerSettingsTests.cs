using System.Collections.Immutable;
using System.Text.Json;
using Orchestrator.Docker;
using Orchestrator.Stacks;

namespace Orchestrator.Tests.Docker;

/// <summary>Each setting of a service, as the engine has it afterwards.</summary>
public sealed class ContainerSettingsTests
{
    private static readonly ImmutableSortedDictionary<string, string> Empty = ImmutableSortedDictionary<string, string>.Empty;

    private Lab _lab = null!;

    [SetUp]
    public void Open() => _lab = new Lab();

    [TearDown]
    public async Task Close() => await _lab.DisposeAsync();

    public static IEnumerable<TestCaseData> Settings()
    {
        static TestCaseData Case(string name, ContainerSettings settings, string path, string expected) => new TestCaseData(settings, path, expected).SetArgDisplayNames(name);

        var nothing = new ContainerSettings();
        yield return Case("command left out", nothing, "Config.Cmd", """["sleep","600"]""");
        yield return Case("command", nothing with { Command = ["sleep", "1"] }, "Config.Cmd", """["sleep","1"]""");
        yield return Case("entrypoint left out", nothing, "Config.Entrypoint", "null");
        yield return Case("entrypoint", nothing with { Entrypoint = ["sh", "-c"] }, "Config.Entrypoint", """["sh","-c"]""");
        yield return Case("entrypoint without a command", nothing with { Entrypoint = ["env"], Command = [] }, "Config.Cmd", "[]");
        yield return Case("entrypoint taken away", nothing with { Entrypoint = [] }, "Config.Cmd", """["sleep","600"]""");
        yield return Case("environment", nothing with { Environment = Empty.Add("A", "1=2").Add("B", "") }, "Config.Env", """["A=1=2","B=","PATH=/bin"]""");
        yield return Case("user", nothing with { User = "65534:65534" }, "Config.User", "\"65534:65534\"");
        yield return Case("working directory", nothing with { WorkingDir = "/data" }, "Config.WorkingDir", "\"/data\"");
        yield return Case("hostname", nothing with { Hostname = "garden" }, "Config.Hostname", "\"garden\"");
        yield return Case("terminal", nothing with { Tty = true }, "Config.Tty", "true");
        yield return Case("standard input", nothing with { StdinOpen = true }, "Config.OpenStdin", "true");
        yield return Case("stop signal", nothing with { StopSignal = "SIGINT" }, "Config.StopSignal", "\"SIGINT\"");
        yield return Case("stop grace", nothing with { StopGracePeriod = TimeSpan.FromSeconds(1.2) }, "Config.StopTimeout", "2");
        yield return Case(
            "health check",
            nothing with { Healthcheck = new HealthcheckSpec { Test = ["CMD", "true"], Interval = TimeSpan.FromSeconds(1), Timeout = TimeSpan.FromSeconds(2), StartPeriod = TimeSpan.FromSeconds(3), Retries = 4 } },
            "Config.Healthcheck",
            """{"Test":["CMD","true"],"Interval":1000000000,"Timeout":2000000000,"StartPeriod":3000000000,"Retries":4}""");
        yield return Case("health check switched off", nothing with { Healthcheck = new HealthcheckSpec { Disabled = true } }, "Config.Healthcheck.Test", """["NONE"]""");
        yield return Case("no restart", nothing, "HostConfig.RestartPolicy.Name", "\"no\"");
        yield return Case("restart", nothing with { Restart = new RestartPolicy("unless-stopped", 0) }, "HostConfig.RestartPolicy.Name", "\"unless-stopped\"");
        yield return Case("restart on failure", nothing with { Restart = new RestartPolicy("on-failure", 5) }, "HostConfig.RestartPolicy", """{"Name":"on-failure","MaximumRetryCount":5}""");
        yield return Case("read-only", nothing with { ReadOnly = true }, "HostConfig.ReadonlyRootfs", "true");
        yield return Case("init", nothing with { Init = true }, "HostConfig.Init", "true");
        yield return Case("init left to the engine", nothing, "HostConfig.Init", "null");
        yield return Case("privileged", nothing with { Privileged = true }, "HostConfig.Privileged", "true");
        yield return Case("capabilities", nothing with { CapAdd = ["NET_ADMIN"] }, "HostConfig.CapAdd", """["NET_ADMIN"]""");
        yield return Case("capabilities taken away", nothing with { CapDrop = ["ALL"] }, "HostConfig.CapDrop", """["ALL"]""");
        yield return Case("security options", nothing with { SecurityOpt = ["no-new-privileges:true"] }, "HostConfig.SecurityOpt", """["no-new-privileges:true"]""");
        yield return Case("extra hosts", nothing with { ExtraHosts = ["db:10.0.0.1"] }, "HostConfig.ExtraHosts", """["db:10.0.0.1"]""");
        yield return Case("dns", nothing with { Dns = ["9.9.9.9"] }, "HostConfig.Dns", """["9.9.9.9"]""");
        yield return Case("dns search", nothing with { DnsSearch = ["example.org"] }, "HostConfig.DnsSearch", """["example.org"]""");
        yield return Case("dns options", nothing with { DnsOptions = ["ndots:1"] }, "HostConfig.DnsOptions", """["ndots:1"]""");
        yield return Case("sysctls", nothing with { Sysctls = Empty.Add("net.core.somaxconn", "1024") }, "HostConfig.Sysctls", """{"net.core.somaxconn":"1024"}""");
        yield return Case("ulimits", nothing with { Ulimits = [new UlimitSpec("nofile", 1000, 2000)] }, "HostConfig.Ulimits", """[{"Name":"nofile","Hard":2000,"Soft":1000}]""");
        yield return Case("devices", nothing with { Devices = [new DeviceSpec("/dev/null", "/dev/nothing", "rw")] }, "HostConfig.Devices", """[{"PathOnHost":"/dev/null","PathInContainer":"/dev/nothing","CgroupPermissions":"rw"}]""");
        yield return Case("logging left out", nothing, "HostConfig.LogConfig", """{"Type":"json-file","Config":{"max-file":"3","max-size":"10m"}}""");
        yield return Case("logging", nothing with { Logging = new LoggingSpec("local", Empty.Add("max-size", "1m")) }, "HostConfig.LogConfig", """{"Type":"local","Config":{"max-size":"1m"}}""");
        yield return Case("memory", nothing with { Resources = new ResourceLimits { Memory = 64 << 20 } }, "HostConfig.Memory", "67108864");
        yield return Case("memory reservation", nothing with { Resources = new ResourceLimits { MemoryReservation = 32 << 20 } }, "HostConfig.MemoryReservation", "33554432");
        yield return Case("cpus", nothing with { Resources = new ResourceLimits { Cpus = 0.25m } }, "HostConfig.NanoCpus", "250000000");
        yield return Case("pids", nothing with { Resources = new ResourceLimits { Pids = 50 } }, "HostConfig.PidsLimit", "50");
        yield return Case("shared memory", nothing with { Resources = new ResourceLimits { ShmSize = 8 << 20 } }, "HostConfig.ShmSize", "8388608");
        yield return Case("tmpfs", nothing with { Tmpfs = Empty.Add("/run", "size=1m") }, "HostConfig.Tmpfs", """{"/run":"size=1m"}""");
    }

    [TestCaseSource(nameof(Settings))]
    public async Task A_setting_reaches_the_engine(ContainerSettings settings, string path, string expected)
    {
        var id = await _lab.Engine.CreateAsync(_lab.Request("set", settings), CancellationToken.None);

        Assert.That(await SeenAsync(id, path), Is.EqualTo(expected));
    }

    [Test]
    public async Task No_command_keeps_the_entrypoint_of_the_image()
    {
        var image = $"basmalin-test/{_lab.Stack}:entry";
        var source = await _lab.Engine.CreateAsync(_lab.Request("source"), CancellationToken.None);
        await Command.RunAsync("docker", "commit", "--change", "ENTRYPOINT [\"echo\",\"hello\"]", "--change", "CMD [\"world\"]", source.Value, image);
        try
        {
            var id = await _lab.RunAsync(_lab.Request("bare", new ContainerSettings { Command = [] }) with { Image = image });
            await _lab.Engine.WaitAsync(id, CancellationToken.None);

            Assert.That((await _lab.Engine.TailAsync(id, 5, CancellationToken.None)).Single().Text, Is.EqualTo("hello"));
        }
        finally
        {
            foreach (var container in await _lab.Engine.ListAsync(_lab.Stack, CancellationToken.None))
                await _lab.Engine.RemoveAsync(container.Id, TimeSpan.Zero, CancellationToken.None);
            Assert.That(await _lab.Engine.RemoveImageAsync(image, CancellationToken.None), Is.True);
        }
    }

    [Test]
    public async Task Nothing_at_all_to_run_is_a_bad_request()
    {
        var request = _lab.Request("empty", new ContainerSettings { Command = [] });

        var thrown = await Lab.FailureAsync(() => _lab.Engine.CreateAsync(request, CancellationToken.None));

        Assert.That(thrown.Fault, Is.EqualTo(EngineFault.BadRequest));
        Assert.That(thrown.Message, Does.Contain("No command specified"));
    }

    [Test]
    public async Task A_migrations_command_replaces_the_services()
    {
        var request = _lab.Request("migrate", new ContainerSettings { Command = ["sleep", "600"] }) with { CommandOverride = ["echo", "migrated"] };
        var id = await _lab.RunAsync(request);

        Assert.That(await _lab.Engine.WaitAsync(id, CancellationToken.None), Is.Zero);
        Assert.That((await _lab.Engine.TailAsync(id, 5, CancellationToken.None)).Single().Text, Is.EqualTo("migrated"));
    }

    [Test]
    public async Task Ports_are_published_and_exposed()
    {
        var request = _lab.Request("ports") with
        {
            Ports = [new PublishedPort("127.0.0.1", 0, 80, "tcp"), new PublishedPort("127.0.0.1", 0, 53, "udp")],
            Expose = [9000],
        };
        var id = await _lab.RunAsync(request);

        Assert.Multiple(async () =>
        {
            Assert.That(await SeenAsync(id, "HostConfig.PortBindings"), Is.EqualTo("""{"53/udp":[{"HostIp":"127.0.0.1","HostPort":""}],"80/tcp":[{"HostIp":"127.0.0.1","HostPort":""}]}"""));
            Assert.That(await SeenAsync(id, "Config.ExposedPorts"), Is.EqualTo("""{"53/udp":{},"80/tcp":{},"8080/tcp":{},"9000/tcp":{}}"""));
        });
    }

    [Test]
    public async Task Mounts_are_made_as_they_are_asked_for()
    {
        var volume = await _lab.VolumeAsync("data");
        await _lab.VolumeAsync("data");
        var directory = Directory.CreateTempSubdirectory("basmalin-mounts-");
        try
        {
            await File.WriteAllTextAsync(Path.Combine(directory.FullName, "secret"), "s3cret");
            var missing = Path.Combine(directory.FullName, "made", "on demand");
            var id = await _lab.RunAsync(_lab.Request("mounts") with
            {
                Mounts =
                [
                    new MountSpec(MountKind.Volume, volume, "/data", false, false) { NoCopy = true },
                    new MountSpec(MountKind.Volume, null, "/anonymous", false, false),
                    new MountSpec(MountKind.Bind, Path.Combine(directory.FullName, "secret"), "/run/secrets/key", true, false),
                    new MountSpec(MountKind.Bind, missing, "/made", false, true) { Propagation = "rprivate" },
                ],
            });

            var text = await _lab.Engine.ExecAsync(
                id, ["sh", "-c", "cat /run/secrets/key && echo kept > /data/file && echo made > /made/file && (echo no > /run/secrets/key) 2>&1"], null, CancellationToken.None);
            Assert.That(text.Output, Does.StartWith("s3cret").And.Contain("Read-only file system"));
            Assert.That(await File.ReadAllTextAsync(Path.Combine(missing, "file")), Is.EqualTo("made\n"));
            Assert.That(await Command.RunAsync("docker", "volume", "inspect", "--format", "{{index .Labels \"basmalin.stack\"}}", volume), Is.EqualTo(_lab.Stack));

            var anonymous = await Lab.InspectAsync(id, "{{range .Mounts}}{{if eq .Destination \"/anonymous\"}}{{.Name}}{{end}}{{end}}");
            Assert.That(anonymous, Has.Length.EqualTo(64));
            await _lab.Engine.RemoveAsync(id, TimeSpan.Zero, CancellationToken.None);
            var left = await Command.RunAsync("docker", "volume", "ls", "--quiet");
            Assert.That(left.Split('\n'), Does.Contain(volume).And.Not.Contain(anonymous));
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    [Test]
    public async Task A_bind_without_its_source_is_a_bad_request()
    {
        var request = _lab.Request("bound") with { Mounts = [new MountSpec(MountKind.Bind, "/no/such/directory", "/x", false, false)] };

        var thrown = await Lab.FailureAsync(() => _lab.Engine.CreateAsync(request, CancellationToken.None));

        Assert.That(thrown.Fault, Is.EqualTo(EngineFault.BadRequest));
        Assert.That(thrown.Message, Does.Contain("/no/such/directory"));
    }

    [Test]
    public async Task The_directory_of_a_volume_is_found()
    {
        var volume = await _lab.VolumeAsync("uploads");

        Assert.That(await _lab.Engine.FindVolumeDirectoryAsync(volume, CancellationToken.None), Does.EndWith($"/{volume}/_data").And.StartsWith("/"));
        Assert.That(await _lab.Engine.FindVolumeDirectoryAsync($"{volume}_nowhere", CancellationToken.None), Is.Null);
    }

    [Test]
    public async Task An_external_volume_that_is_not_there_is_not_found()
    {
        var request = new VolumeRequest(new VolumeSpec { Key = "data", Name = $"{_lab.Stack}_outside", External = true }, _lab.Labels);

        var thrown = await Lab.FailureAsync(() => _lab.Engine.EnsureVolumeAsync(request, CancellationToken.None));

        Assert.That(thrown.Fault, Is.EqualTo(EngineFault.NotFound));
        Assert.That(thrown.Message, Does.Contain("docker volume create"));
    }

    [Test]
    public async Task A_variables_value_is_never_in_a_message()
    {
        var settings = new ContainerSettings { Environment = Empty.Add("", "correct-horse-battery") };

        var thrown = await Lab.FailureAsync(() => _lab.Engine.CreateAsync(_lab.Request("leaky", settings), CancellationToken.None));

        Assert.That(thrown.Fault, Is.EqualTo(EngineFault.BadRequest));
        Assert.That(thrown.ToString(), Does.Contain("***").And.Not.Contain("correct-horse-battery"));
    }

    private static async Task<string> SeenAsync(ContainerId id, string path)
    {
        using var json = JsonDocument.Parse(await Lab.InspectAsync(id, "{{json .}}"));
        return path.Split('.').Aggregate(json.RootElement, (element, name) => element.TryGetProperty(name, out var value) ? value : default) is { ValueKind: not JsonValueKind.Undefined } seen
            ? Sorted(seen)
            : "null";
    }

    /// <summary>One line, object members by name: the engine's order of map entries is its own.</summary>
    private static string Sorted(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Object when element.EnumerateObject().All(member => member.Value.ValueKind is JsonValueKind.Array or JsonValueKind.Object || member.Name.Contains('-', StringComparison.Ordinal)) =>
            $"{{{string.Join(',', element.EnumerateObject().OrderBy(member => member.Name, StringComparer.Ordinal).Select(member => $"\"{member.Name}\":{Sorted(member.Value)}"))}}}",
        _ => JsonSerializer.Serialize(element),
    };
}
