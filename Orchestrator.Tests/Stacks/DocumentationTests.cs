using Orchestrator.Stacks.Parsing;

namespace Orchestrator.Tests.Stacks;

internal sealed class DocumentationTests
{
    [Test]
    public void Every_refused_key_of_a_service_stands_in_the_documentation()
    {
        var page = File.ReadAllText(Path.Combine(Sources.Directory, "docs", "compose.md"));

        Assert.That(UnsupportedKeys.Service.Where(pair => !page.Contains($"| `{pair.Key}` | {pair.Value} |", StringComparison.Ordinal)), Is.Empty);
    }
}
