using Orchestrator.Stacks;

namespace Orchestrator.Tests.GardenApp;

/// <summary>The Compose files that are delivered are accepted by what they are delivered with.</summary>
public sealed class ComposeFileTests
{
    [Test]
    public void The_demo_stack_is_read_without_a_complaint()
    {
        var stack = Read("compose.yml", "garden");
        Assert.That(stack.Services.Select(service => service.Name), Is.EquivalentTo(new[] { "app", "postgres", "redis" }));
        Assert.That(stack.Services.Single(service => service.Name == "app").BasMalin!.Migrate, Is.EqualTo(new[] { "GardenApp", "migrate" }));
    }

    [Test]
    public void The_operations_plan_is_accepted_as_it_is() =>
        Assert.That(Read("operations-plan.compose.yml", "plan").Services.Select(service => service.Name),
            Is.EquivalentTo(new[] { "app", "postgres", "redis", "nginx", "prometheus", "grafana", "loki" }));

    private static Stack Read(string name, string stackName)
    {
        var directory = Path.Combine(Root(), "config", "garden");
        var result = ComposeReader.Read(new ComposeSource
        {
            FileName = name,
            Content = File.ReadAllText(Path.Combine(directory, name)),
            Directory = directory,
            StackName = stackName,
        });
        Assert.That(result.Errors, Is.Empty);
        return result.Stack!;
    }

    private static string Root()
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (directory is not null && !File.Exists(Path.Combine(directory.FullName, "BasMalin.sln"))) directory = directory.Parent;
        return directory?.FullName ?? throw new InvalidOperationException("BasMalin.sln is not above the tests");
    }
}
