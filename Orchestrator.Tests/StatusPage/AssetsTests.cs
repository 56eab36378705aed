using System.Security.Cryptography;
using System.Text.RegularExpressions;
using Orchestrator.Agent.StatusPage;

namespace Orchestrator.Tests.StatusPage;

public sealed partial class AssetsTests
{
    private static readonly string Folder = Path.Combine(Root(), "Orchestrator.Agent", "StatusPage", "assets");

    [Test]
    public void Every_file_of_the_folder_is_in_the_assembly() =>
        Assert.That(new Assets().Names, Is.EquivalentTo(Directory.GetFiles(Folder).Select(Path.GetFileName)));

    [Test]
    public void What_others_have_written_is_what_was_fetched_and_has_its_licence()
    {
        foreach (var line in File.ReadLines(Path.Combine(Folder, "vendor.sha256")))
        {
            var (hash, name) = (line[..64], line[66..]);
            Assert.That(Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(Path.Combine(Folder, name)))), Is.EqualTo(hash), name);
            Assert.That(File.Exists(Path.Combine(Folder, Path.GetFileNameWithoutExtension(name).Replace(".LICENSE", "") + ".LICENSE.txt")), name);
        }
    }

    [Test]
    public void Our_own_files_name_no_address_outside()
    {
        foreach (var file in Directory.GetFiles(Folder).Where(file => Path.GetExtension(file) is ".js" or ".css" && !Path.GetFileName(file).StartsWith("uplot", StringComparison.Ordinal)))
            Assert.That(Address().Matches(File.ReadAllText(file)), Is.Empty, file);
    }

    private static string Root()
    {
        var folder = new DirectoryInfo(TestContext.CurrentContext.TestDirectory);
        while (!File.Exists(Path.Combine(folder!.FullName, "BasMalin.sln"))) folder = folder.Parent;
        return folder.FullName;
    }

    [GeneratedRegex("(https?:)?//[a-z0-9.-]+\\.[a-z]{2,}", RegexOptions.IgnoreCase)]
    private static partial Regex Address();
}
