using System.Formats.Tar;

namespace Orchestrator.Tests.Docker;

/// <summary>The image that these tests run: one statically linked program, made here. Without an engine everything below fails, and says so.</summary>
[SetUpFixture]
public sealed class DockerSetUp
{
    public const string Image = "basmalin-test/busybox:1";

    private const string Busybox = "/bin/busybox";

    [OneTimeSetUp]
    public async Task MakeTheImage()
    {
        await Command.RunAsync("docker", "info", "--format", "{{.ServerVersion}}");
        if ((await Command.RunAsync("docker", "images", "--quiet", Image)).Length > 0) return;
        await Command.EnsureAsync(Busybox, "busybox-static");

        var directory = Directory.CreateTempSubdirectory("basmalin-busybox-");
        try
        {
            var archive = Path.Combine(directory.FullName, "root.tar");
            await using (var tar = new TarWriter(File.Create(archive)))
            {
                foreach (var name in (string[])["bin/", "tmp/", "etc/", "data/"])
                    await tar.WriteEntryAsync(new GnuTarEntry(TarEntryType.Directory, name) { Mode = (UnixFileMode)0b111_101_101 });
                await tar.WriteEntryAsync(Busybox, "bin/busybox");
                foreach (var applet in (await Command.RunAsync(Busybox, "--list")).Split('\n').Where(applet => applet != "busybox"))
                    await tar.WriteEntryAsync(new GnuTarEntry(TarEntryType.SymbolicLink, $"bin/{applet}") { LinkName = "busybox" });
            }

            await Command.RunAsync("docker", "import", "--change", "ENV PATH=/bin", "--change", "CMD [\"sleep\",\"600\"]", "--change", "EXPOSE 8080", archive, Image);
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }
}
