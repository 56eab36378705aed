using Orchestrator.Stacks;

namespace Orchestrator.Tests.Stacks.Parsing;

internal sealed class PortAndMountTests
{
    [TestCase("\"3000\"", "0>3000/tcp")]
    [TestCase("8080:80", "8080>80/tcp")]
    [TestCase("\"127.0.0.1:8080:80/tcp\"", "127.0.0.1:8080>80/tcp")]
    [TestCase("\"127.0.0.1::80\"", "127.0.0.1:0>80/tcp")]
    [TestCase("\"[::1]:8080:80\"", "::1:8080>80/tcp")]
    [TestCase("\"[::1]::80\"", "::1:0>80/tcp")]
    [TestCase("53:53/udp", "53>53/udp")]
    [TestCase("53:53/UDP", "53>53/udp")]
    [TestCase("3000-3002:4000-4002", "3000>4000/tcp|3001>4001/tcp|3002>4002/tcp")]
    [TestCase("3000-3001", "0>3000/tcp|0>3001/tcp")]
    [TestCase("{ target: 80 }", "0>80/tcp")]
    [TestCase("{ target: 80, published: \"8080\", host_ip: 127.0.0.1, protocol: udp, mode: host, name: web, app_protocol: http }", "127.0.0.1:8080>80/udp")]
    public void A_port_is_read_in_each_of_its_forms(string port, string expected) =>
        Assert.That(string.Join('|', Compose.App($"ports: [ {port} ]").Ports.Select(Shown)), Is.EqualTo(expected));

    [TestCase("\"70000\"", "ports run from 1 to 65535")]
    [TestCase("\"0\"", "ports run from 1 to 65535")]
    [TestCase("a:80", "ports run from 1 to 65535")]
    [TestCase("\"5-3:5-3\"", "ports run from 1 to 65535")]
    [TestCase("80/icmp", "protocols: tcp, udp, sctp")]
    [TestCase("\"::1:8080:80\"", "an IPv6 address stands in brackets: [::1]:8080:80")]
    [TestCase("\"[::1]\"", "an IPv6 address stands in brackets: [::1]:8080:80")]
    [TestCase("localhost:8080:80", "the first part must be an IP address")]
    [TestCase("\"\"", null)]
    public void A_wrong_port_is_reported_with_what_was_expected(string port, string? hint)
    {
        var error = Compose.ReadApp($"ports: [ {port} ]").Errors.Single();

        Assert.That((error.Line, error.Column, error.Key, error.Hint), Is.EqualTo((4, 14, "services.app.ports[0]", hint)));
        Assert.That(error.Message, Does.StartWith("expected [ADDRESS:][HOST:]CONTAINER[/PROTOCOL]"));
    }

    [TestCase("[ 1-2000:1-2000 ]", "4:14 services.app.ports[0]: a service publishes at most 1000 ports")]
    [TestCase("[ 8000-8010:80 ]", "4:14 services.app.ports[0]: 11 host ports cannot lead to 1 container port (both sides must be ranges of the same length; leave the host's side out to let the engine choose)")]
    [TestCase("[ { published: 80 } ]", "4:14 services.app.ports[0]: 'target' is missing: the port inside the container")]
    [TestCase("[ { target: 0 } ]", "4:24 services.app.ports[0].target: expected a whole number from 1 to 65535, found '0'")]
    [TestCase("[ { target: 80, published: x } ]", "4:39 services.app.ports[0].published: expected a port of the host, e.g. 8080, found 'x'")]
    [TestCase("[ { target: 80, host_ip: here } ]", "4:37 services.app.ports[0].host_ip: expected an IP address, found 'here'")]
    [TestCase("[ { target: 80, publish: 80 } ]", "4:28 services.app.ports[0].publish: unknown key 'publish' (did you mean 'published'?)")]
    [TestCase("8080:80", "4:12 services.app.ports: expected a list of ports, found '8080:80'")]
    public void A_wrong_list_of_ports_is_reported(string ports, string expected) =>
        Assert.That(Compose.Errors(Compose.ReadApp($"ports: {ports}")), Is.EqualTo(new[] { expected }));

    [TestCase("/cache", "Volume  > /cache")]
    [TestCase("data:/d", "Volume data > /d")]
    [TestCase("data:/d/", "Volume data > /d")]
    [TestCase("data:/d:ro", "Volume data > /d ro")]
    [TestCase("\"data:/d:nocopy,ro\"", "Volume data > /d ro nocopy")]
    [TestCase("/srv/x:/x", "Bind /srv/x > /x create")]
    [TestCase("\"./x:/x:rw,rslave\"", "Bind DIR/x > /x create rslave")]
    [TestCase("../x:/x", "Bind PARENT/x > /x create")]
    [TestCase(".:/x", "Bind DIR > /x create")]
    [TestCase("~/x:/x", "Bind /home/me/x > /x create")]
    [TestCase("{ type: volume, source: data, target: /d, read_only: true, volume: { nocopy: true } }", "Volume data > /d ro nocopy")]
    [TestCase("{ type: volume, target: /d }", "Volume  > /d")]
    [TestCase("{ type: bind, source: ./x, target: /x, bind: { propagation: shared, create_host_path: false } }", "Bind DIR/x > /x shared")]
    [TestCase("{ type: bind, source: /x, target: /x }", "Bind /x > /x create")]
    public void A_mount_is_read_in_each_of_its_forms(string mount, string expected)
    {
        var source = Compose.Source("");
        var stack = Compose.Stack(Compose.AppFile($"volumes: [ {mount} ]", "volumes: { data: }"), ("HOME", "/home/me"));

        var shown = stack.Find("app")!.Container.Mounts.Select(one =>
            $"{one.Kind} {one.Source} > {one.Target}{(one.CreateHostPath ? " create" : "")}{(one.ReadOnly ? " ro" : "")}{(one.NoCopy ? " nocopy" : "")}{(one.Propagation is { } how ? $" {how}" : "")}");
        Assert.That(shown.Single().Replace(source.Directory, "DIR", StringComparison.Ordinal).Replace(Path.GetDirectoryName(source.Directory)!, "PARENT", StringComparison.Ordinal), Is.EqualTo(expected));
    }

    [Test]
    public void A_tmpfs_may_stand_among_the_volumes() =>
        Assert.That(Compose.App("volumes: [ { type: tmpfs, target: /run, tmpfs: { size: 64m, mode: 01777 }, read_only: true } ]").Container.Tmpfs["/run"], Is.EqualTo("ro,size=67108864,mode=1777"));

    [TestCase("dta:/d", "4:16 services.app.volumes[0]: there is no volume 'dta' (did you mean 'data'?)")]
    [TestCase("data/x:/d", "4:16 services.app.volumes[0]: there is no volume 'data/x' (a path starts with './' or '/': ./data/x)")]
    [TestCase("data:d", "4:16 services.app.volumes[0]: the path in the container must be absolute, found 'd' (start it with '/')")]
    [TestCase("data:/", "4:16 services.app.volumes[0]: the root of the container cannot be a mount")]
    [TestCase("data:/d:rx", "4:16 services.app.volumes[0]: unknown mode 'rx' (known modes: ro, rw, nocopy (volumes), rprivate, rshared, rslave, … (paths))")]
    [TestCase("data:/d:z", "4:16 services.app.volumes[0]: the mode 'z' (SELinux labels) is not supported (label the directory on the host with chcon)")]
    [TestCase("\"data:/d:ro:x\"", "4:16 services.app.volumes[0]: expected [SOURCE:]TARGET[:MODE], e.g. \"data:/var/lib/app\", \"./conf:/etc/app:ro\", found 'data:/d:ro:x'")]
    [TestCase("\"data:/d\", \"/x:/d/\"", "4:27 services.app.volumes[1]: /d is mounted twice, first by services.app.volumes[0]")]
    [TestCase("{ source: data, target: /d }", "4:16 services.app.volumes[0]: 'type' is missing (volume, bind or tmpfs)")]
    [TestCase("{ type: volume, source: data }", "4:16 services.app.volumes[0]: 'target' is missing: the path in the container")]
    [TestCase("{ type: bind, target: /d }", "4:16 services.app.volumes[0]: 'source' is missing: the path on the host")]
    [TestCase("{ type: volum, target: /d }", "4:24 services.app.volumes[0].type: expected a type: volume, bind, tmpfs, found 'volum' (did you mean 'volume'?)")]
    [TestCase("{ type: volume, target: /d, bind: {} }", "4:50 services.app.volumes[0].bind: 'bind' does not go with type volume")]
    [TestCase("{ type: bind, source: /a, target: /d, bind: { selinux: z } }", "4:62 services.app.volumes[0].bind.selinux: 'selinux' is a Compose key that is not supported (label the directory on the host with chcon)")]
    public void A_wrong_mount_is_reported(string mounts, string expected) =>
        Assert.That(Compose.Errors(Compose.ReadApp($"volumes: [ {mounts} ]", "volumes: { data: }")), Is.EqualTo(new[] { expected }));

    [Test]
    public void A_home_that_is_not_known_here_is_refused() =>
        Assert.That(Compose.Errors(Compose.ReadApp("volumes: [ ~/x:/x ]")), Is.EqualTo(new[]
        {
            "4:16 services.app.volumes[0]: '~' stands for HOME, which is not set here (write the absolute path: the daemon runs as another user)",
        }));

    [Test]
    public void A_mode_without_effect_is_noted() =>
        Assert.That(Compose.Notes(Compose.ReadApp("volumes: [ \"/a:/b:cached\" ]")), Is.EqualTo(new[] { "4:16 services.app.volumes[0]: the mode 'cached' has no effect on Linux" }));

    private static string Shown(PublishedPort port) =>
        $"{(port.HostAddress is { } address ? $"{address}:" : "")}{port.HostPort}>{port.ContainerPort}/{port.Protocol}";
}
