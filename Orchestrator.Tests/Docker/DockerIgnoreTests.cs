using Orchestrator.Docker;

namespace Orchestrator.Tests.Docker;

public sealed class DockerIgnoreTests
{
    [TestCase("node_modules", "node_modules", true)]
    [TestCase("node_modules", "node_modules/a/b.js", true)]
    [TestCase("node_modules", "sub/node_modules", false)]
    [TestCase("/node_modules/", "node_modules/a", true)]
    [TestCase("**/node_modules", "sub/deep/node_modules/a", true)]
    [TestCase("**/node_modules", "node_modules", true)]
    [TestCase("*.md", "README.md", true)]
    [TestCase("*.md", "docs/README.md", false)]
    [TestCase("**/*.md", "docs/a/README.md", true)]
    [TestCase("docs/*", "docs/a", true)]
    [TestCase("docs/*", "docs/a/b", true)]
    [TestCase("docs/**", "docs/a/b", true)]
    [TestCase("docs/**", "docs", false)]
    [TestCase("a/**/z", "a/z", true)]
    [TestCase("a/**/z", "a/b/c/z", true)]
    [TestCase("temp?", "temp1", true)]
    [TestCase("temp?", "temp12", false)]
    [TestCase("file[0-9].txt", "file5.txt", true)]
    [TestCase("file[^0-9].txt", "file5.txt", false)]
    [TestCase("a.b+c(d)", "a.b+c(d)", true)]
    [TestCase("a.b", "axb", false)]
    [TestCase("a\\*b", "a*b", true)]
    [TestCase("a\\*b", "axb", false)]
    [TestCase("./a/../b", "b", true)]
    [TestCase("# comment", "# comment", false)]
    [TestCase("  spaced  ", "spaced", true)]
    [TestCase("", "anything", false)]
    [TestCase("*|!README.md", "README.md", false)]
    [TestCase("*|!README.md", "other", true)]
    [TestCase("*.md|!README*.md|README-secret.md", "README-secret.md", true)]
    [TestCase("*.md|README-secret.md|!README*.md", "README-secret.md", false)]
    [TestCase("bin|!bin/keep", "bin/keep/a", false)]
    [TestCase("bin|!bin/keep", "bin/other", true)]
    [TestCase("**|!src/**", "src/a/b.cs", false)]
    [TestCase("**|!src/**", "obj/a", true)]
    public void The_last_pattern_that_fits_decides(string lines, string path, bool excluded) =>
        Assert.That(DockerIgnore.Parse(lines.Split('|')).Excludes(path), Is.EqualTo(excluded));
}
