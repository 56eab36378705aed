using ArchUnitNET.Fluent;
using ArchUnitNET.Loader;
using Orchestrator.Agent.Hosting;
using Orchestrator.Stacks;
using static ArchUnitNET.Fluent.ArchRuleDefinition;
using Assembly = System.Reflection.Assembly;
using Interface = ArchUnitNET.Domain.Interface;

namespace Orchestrator.Tests.Architecture;

/// <summary>Arrows run one way: Stacks ← Planning ← Deployments → {Docker, Traffic, Health, Journal}.</summary>
public sealed class DependencyTests
{
    private static readonly Assembly Library = typeof(Stack).Assembly;
    private static readonly Assembly Agent = typeof(Daemon).Assembly;

    private static readonly ArchUnitNET.Domain.Architecture House = new ArchLoader().LoadAssemblies(Library, Agent).Build();

    /// <summary>Folder of the library → what it may know of the others. A folder that is not here fails the test.</summary>
    private static readonly Dictionary<string, string[]> MayKnow = new()
    {
        ["Stacks"] = [],
        ["Planning"] = ["Stacks", "Docker", "Deployments"],
        ["Docker"] = ["Stacks", "Resilience"],
        ["Resilience"] = [],
        ["Traffic"] = [],
        ["Health"] = ["Stacks", "Docker"],
        ["Telemetry"] = [],
        ["Secrets"] = ["Journal", "Stacks"],
        ["Access"] = ["Journal", "Secrets"],
        ["Journal"] = ["Stacks", "Planning", "Deployments", "Docker"],
        ["Deployments"] = ["Stacks", "Planning", "Docker", "Traffic", "Health", "Journal", "Secrets", "Telemetry", "Backups"],
        ["Healing"] = ["Deployments", "Stacks", "Planning", "Docker", "Traffic", "Health", "Journal", "Telemetry"],
        ["Notifications"] = ["Deployments", "Stacks", "Resilience", "Certificates", "Backups", "Healing"],
        ["Certificates"] = ["Traffic", "Secrets"],
        ["Backups"] = ["Stacks", "Docker", "Journal", "Secrets", "Telemetry"],
        ["Restores"] = ["Backups", "Deployments", "Traffic", "Planning", "Stacks", "Docker", "Health", "Journal", "Secrets", "Telemetry"],
        ["Scheduling"] = ["Deployments", "Journal", "Planning", "Certificates", "Traffic", "Backups", "Restores", "Stacks", "Telemetry", "Docker", "Secrets", "Healing"],
    };

    private static IEnumerable<string> Folders => MayKnow.Keys;

    [Test]
    public void Every_folder_of_the_library_has_its_place()
    {
        var folders = Directory.EnumerateDirectories(Repository.PathOf("Orchestrator")).Select(Path.GetFileName)
            .Where(name => name is not ("bin" or "obj"))
            .Where(name => Directory.EnumerateFiles(Repository.PathOf("Orchestrator", name!), "*.cs", SearchOption.AllDirectories).Any());

        Assert.That(folders, Is.EquivalentTo(MayKnow.Keys));
    }

    [Test]
    public void The_rule_would_notice()
    {
        // A rule whose patterns match nothing passes always.
        IArchRule broken = Types().That().ResideInNamespaceMatching(In("Deployments")).Should().NotDependOnAny(Types().That().ResideInNamespaceMatching(In("Docker")));

        Assert.That(broken.HasNoViolations(House), Is.False);
    }

    [TestCaseSource(nameof(Folders))]
    public void A_folder_knows_only_what_it_may(string folder)
    {
        var foreign = MayKnow.Keys.Where(other => other != folder && !MayKnow[folder].Contains(other)).ToList();

        Check(Types().That().ResideInNamespaceMatching(In(folder)).Should().NotDependOnAny(
            Types().That().ResideInNamespaceMatching($"^Orchestrator\\.({string.Join('|', foreign)})(\\.|$)")));
    }

    [Test]
    public void The_planner_knows_only_records_and_neither_io_nor_clock_nor_chance()
    {
        foreach (var forbidden in new[] { "System.TimeProvider", "System.Random", "System.Guid", "System.IO.File", "System.IO.Directory", "System.Net.Http.HttpClient", "Microsoft.Extensions.Logging.ILogger" })
        {
            foreach (var type in House.Types.Where(type => type.Namespace.FullName.StartsWith("Orchestrator.Planning", StringComparison.Ordinal)))
                Assert.That(type.Dependencies.Any(dependency => dependency.Target.FullName == forbidden), Is.False, $"{type.FullName} uses {forbidden}");
        }
    }

    [TestCase("Docker.DotNet", "Orchestrator.Docker")]
    [TestCase("Dapper", "Orchestrator.Journal.Sqlite")]
    [TestCase("Microsoft.Data.Sqlite", "Orchestrator.Journal.Sqlite")]
    [TestCase("Npgsql", "Orchestrator.Backups.Postgres")]
    [TestCase("Yarp", "Orchestrator.Traffic")]
    [TestCase("YamlDotNet", "Orchestrator.Stacks.Yaml|Orchestrator.Agent.Hosting.Settings")]
    [TestCase("StackExchange.Redis", "Orchestrator.Backups.Redis")]
    [TestCase("Quartz", "Orchestrator.Scheduling|Orchestrator.Agent.Hosting")]
    [TestCase("Serilog", "Orchestrator.Agent.Hosting")]
    [TestCase("Spectre.Console", "Orchestrator.Agent.Cli.Output")]
    [TestCase("System.CommandLine", "Orchestrator.Agent.Cli")]
    [TestCase("Org.BouncyCastle", "Orchestrator.Backups.Encryption")]
    [TestCase("ZstdSharp", "Orchestrator.Backups.Pipeline")]
    [TestCase("Amazon", "Orchestrator.Backups.Stores")]
    public void A_package_is_seen_in_one_place(string package, string places)
    {
        var allowed = places.Split('|');
        var seen = Repository.Sources("Orchestrator").Concat(Repository.Sources("Orchestrator.Agent"))
            .Where(file => File.ReadLines(file).Any(line => line.StartsWith($"using {package}", StringComparison.Ordinal)))
            .Where(file => !allowed.Any(place => Namespace(file) == place || Namespace(file).StartsWith(place + ".", StringComparison.Ordinal)));

        Assert.That(seen, Is.Empty);
    }

    [Test]
    public void The_library_does_not_know_the_agent_nor_Serilog()
    {
        var known = Library.GetReferencedAssemblies().Select(reference => reference.Name);

        Assert.That(known.Where(name => name == "basmalin" || name!.StartsWith("Serilog", StringComparison.Ordinal)), Is.Empty);
    }

    [Test]
    public void Client_verbs_do_not_know_the_daemon()
    {
        // The verb `agent` starts it; settings are read for the process's variables.
        Check(Types().That().ResideInNamespaceMatching(@"^Orchestrator\.Agent\.Cli(\.|$)").And().DoNotHaveNameMatching("^AgentVerb|^<|^CliHost$").Should().NotDependOnAny(
            Types().That().ResideInNamespaceMatching(@"^Orchestrator\.Agent\.(Hosting|Auth|StatusPage)(\.|$)").Or().ResideInNamespaceMatching(@"^Microsoft\.AspNetCore")));
    }

    [Test]
    public void Interfaces_are_those_that_are_agreed_on()
    {
        string[] agreed =
        [
            "IContainerEngine", "IDeploymentStep", "IHealthProbe", "IBackupSource", "IBackupStore", "IJournal", "INotificationChannel", "IDeploymentTarget",
        ];
        var present = House.Types.OfType<Interface>().Where(type => type.Assembly.Name.StartsWith("Orchestrator", StringComparison.Ordinal) || type.Assembly.Name.StartsWith("basmalin", StringComparison.Ordinal))
            .Where(type => type.Namespace.FullName.StartsWith("Orchestrator", StringComparison.Ordinal)).Select(type => type.Name);

        Assert.That(present, Is.SubsetOf(agreed));
    }

    private static void Check(IArchRule rule) =>
        Assert.That(rule.Evaluate(House).Where(result => !result.Passed).Select(result => result.Description), Is.Empty);

    private static string In(string folder) => $@"^Orchestrator\.{folder}(\.|$)";

    private static string Namespace(string file) =>
        File.ReadLines(file).FirstOrDefault(line => line.StartsWith("namespace ", StringComparison.Ordinal))?["namespace ".Length..].TrimEnd(';') ?? "";
}
