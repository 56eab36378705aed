using System.Runtime.Versioning;
using Orchestrator.Secrets;
using Orchestrator.Tests.Journal;

namespace Orchestrator.Tests.Secrets;

[TestFixture, SupportedOSPlatform("linux")]
public sealed class SecretFilesTests
{
    private TemporaryDirectory _directory = null!;
    private SecretFiles _files = null!;

    [SetUp]
    public void Make()
    {
        _directory = new TemporaryDirectory();
        _files = new SecretFiles(_directory.Path, KeyRing.Open(_directory["key"], hasSecrets: false));
    }

    [TearDown]
    public void Remove() => _directory.Dispose();

    [Test]
    public void A_file_has_its_content_its_mode_and_a_closed_directory_above()
    {
        var path = _files.Materialise("garden", "db", new Secret("value\n"), 0x124, owner: null);

        Assert.That(File.ReadAllText(path), Is.EqualTo("value\n"));
        Assert.That(File.GetUnixFileMode(path), Is.EqualTo(UnixFileMode.UserRead | UnixFileMode.GroupRead | UnixFileMode.OtherRead), "0444 whatever the umask");
        Assert.That(path, Does.StartWith(_directory["files/garden/db."]));
        foreach (var above in new[] { "files", "files/garden" })
        {
            Assert.That(File.GetUnixFileMode(_directory[above]),
                Is.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute), above);
        }
    }

    [Test]
    public void The_same_content_is_the_same_file_and_another_is_another()
    {
        var first = _files.Materialise("garden", "db", new Secret("one"), 0x124, owner: null);
        var written = File.GetLastWriteTimeUtc(first);

        Assert.That(_files.Materialise("garden", "db", new Secret("one"), 0x124, owner: null), Is.EqualTo(first));
        Assert.That(File.GetLastWriteTimeUtc(first), Is.EqualTo(written), "a file that is mounted is not touched");
        Assert.That(_files.Materialise("garden", "db", new Secret("two"), 0x124, owner: null), Is.Not.EqualTo(first));
        Assert.That(_files.Materialise("garden", "db", new Secret("one"), 0x100, owner: null), Is.Not.EqualTo(first));
        Assert.That(File.ReadAllText(first), Is.EqualTo("one"));
    }

    [Test]
    public void Only_what_nobody_uses_is_removed_and_only_of_the_stack()
    {
        var used = _files.Materialise("garden", "db", new Secret("one"), 0x124, owner: null);
        var unused = _files.Materialise("garden", "db", new Secret("two"), 0x124, owner: null);
        var other = _files.Materialise("shop", "db", new Secret("one"), 0x124, owner: null);

        Assert.That(_files.RemoveUnused("garden", new HashSet<string> { used }), Is.EqualTo(1));
        Assert.That(new[] { used, unused, other }.Select(File.Exists), Is.EqualTo(new[] { true, false, true }));
    }

    [TestCase("../../../etc")]
    [TestCase("a/b")]
    public void A_name_cannot_lead_out_of_the_directory(string name) =>
        Assert.That(Path.GetFullPath(_files.Materialise("garden", name, new Secret("x"), 0x124, owner: null)), Does.StartWith(_directory["files/garden/"]));

    [Test]
    public void A_file_can_belong_to_the_user_of_the_container()
    {
        var path = _files.Materialise("garden", "db", new Secret("x"), 0x100, new FileOwner(4711, 4712));

        using var stat = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo("stat", ["-c", "%u:%g %a", path]) { RedirectStandardOutput = true })!;
        Assert.That(stat.StandardOutput.ReadToEnd().Trim(), Is.EqualTo("4711:4712 400"));
    }
}
