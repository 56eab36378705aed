using System.Globalization;
using System.Text.RegularExpressions;

namespace Orchestrator.Tests.Architecture;

/// <summary>What a review would have to look for by eye.</summary>
public sealed partial class SourceTests
{
    private const int LongestFile = 400;
    private const int LongFile = 200;

    private static readonly (string Folder, int From)[] EventRanges =
    [
        ("Orchestrator.Agent/Hosting", 1000),
        ("Orchestrator/Deployments", 2000),
        ("Orchestrator/Traffic", 3000),
        ("Orchestrator/Certificates", 3000),
        ("Orchestrator/Health", 4000),
        ("Orchestrator/Healing", 4000),
        ("Orchestrator/Backups", 5000),
        ("Orchestrator/Restores", 5000),
        ("Orchestrator/Scheduling/BackupCalendar.cs", 5000),
        ("Orchestrator/Journal", 7000),
        ("Orchestrator.Agent/Api", 8000),
        ("Orchestrator.Agent/Auth", 8000),
        ("Orchestrator.Agent/Webhooks", 8000),
        ("Orchestrator/Access", 8000),
        ("Orchestrator/Notifications", 9000),
        ("Orchestrator.Agent/Api/ContainerLogs.cs", 9000),
    ];

    private static string[] Product => [.. Repository.Sources("Orchestrator"), .. Repository.Sources("Orchestrator.Agent"), .. Repository.Sources("GardenApp")];

    private static string[] All => [.. Product, .. Repository.Sources("Orchestrator.Tests"), .. Repository.Sources("Orchestrator.Benchmarks")];

    [Test]
    public void Files_can_be_read_in_one_go()
    {
        var lengths = All.Select(file => (File: Relative(file), Lines: File.ReadLines(file).Count())).OrderBy(file => file.Lines).ToList();
        var product = Product.Select(file => File.ReadLines(file).Count()).Order().ToList();

        Assert.That(lengths.Where(file => file.Lines > LongestFile), Is.Empty, $"longer than {LongestFile} lines");
        Assert.That(product[product.Count * 9 / 10], Is.LessThanOrEqualTo(LongFile), "nine of ten files");
    }

    [Test]
    public void Event_ids_are_unique()
    {
        var twice = EventIds().GroupBy(found => found.Id).Where(group => group.Count() > 1)
            .Select(group => $"{group.Key}: {string.Join(", ", group.Select(found => Relative(found.File)))}");

        Assert.That(twice, Is.Empty);
    }

    [Test]
    public void Event_ids_are_in_the_range_of_their_folder()
    {
        Assert.Multiple(() =>
        {
            foreach (var (file, id) in EventIds())
            {
                // The longest match: a file may have a range of its own.
                var range = EventRanges.Where(range => Relative(file).StartsWith(range.Folder, StringComparison.Ordinal)).OrderByDescending(range => range.Folder.Length).FirstOrDefault();
                if (range.Folder is not null) Assert.That(id, Is.InRange(range.From, range.From + 999), Relative(file));
                else Assert.That(id, Is.InRange(1000, 9999), Relative(file));
            }
        });
    }

    [Test]
    public void Log_methods_have_an_id()
    {
        var without = Product.SelectMany(file => LoggerMessage().Matches(File.ReadAllText(file)).Where(match => !match.Value.Contains("EventId", StringComparison.Ordinal)).Select(_ => Relative(file)));

        Assert.That(without, Is.Empty);
    }

    [Test]
    public void Nothing_is_left_for_later()
    {
        var found = Product.SelectMany(file => File.ReadLines(file).Select((line, index) => (Line: line, Place: $"{Relative(file)}:{index + 1}")))
            .Where(line => Unfinished().IsMatch(line.Line))
            .Select(line => $"{line.Place}: {line.Line.Trim()}");

        Assert.That(found, Is.Empty);
    }

    [Test]
    public void Errors_are_not_swallowed()
    {
        var found = Product.Where(file => EmptyCatch().IsMatch(File.ReadAllText(file))).Select(Relative);

        Assert.That(found, Is.Empty);
    }

    [Test]
    public void No_names_that_say_nothing()
    {
        var folders = Product.Select(file => Path.GetDirectoryName(Relative(file)) ?? "").Where(folder => folder.Split('/').Any(part => part is "Common" or "Helpers" or "Utils" or "Managers"));
        var types = Product.Select(file => Path.GetFileNameWithoutExtension(file)).Where(name => VagueName().IsMatch(name));

        Assert.That(folders.Concat(types), Is.Empty);
    }

    [Test]
    public void Namespaces_follow_folders()
    {
        var wrong = Product.Concat(Repository.Sources("Orchestrator.Tests"))
            .Select(file => (File: Relative(file), Namespace: NamespaceLine().Match(File.ReadAllText(file)).Groups[1].Value))
            .Where(file => file.Namespace.Length > 0 && file.Namespace != (Path.GetDirectoryName(file.File) ?? "").Replace('/', '.'))
            .Select(file => $"{file.File}: {file.Namespace}");

        Assert.That(wrong, Is.Empty);
    }

    [Test]
    public void The_repository_names_no_machine_and_no_mirror()
    {
        // Spelt apart, so that this file does not find itself.
        string[] forbidden = ["/wo" + "rk/", "/ro" + "ot/"];
        string[] extensions = [".cs", ".csproj", ".props", ".yml", ".yaml", ".json", ".md", ".sh", ".js", ".css", ".sql"];
        var found = Directory.EnumerateFiles(Repository.Root, "*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.ReparsePoint })
            .Where(file => extensions.Contains(Path.GetExtension(file)) && !IsGenerated(Relative(file)))
            .SelectMany(file => File.ReadLines(file).Where(line => forbidden.Any(word => line.Contains(word, StringComparison.Ordinal))).Select(line => $"{Relative(file)}: {line.Trim()}"));

        Assert.That(found, Is.Empty);
    }

    private static bool IsGenerated(string file) =>
        file.StartsWith("artifacts/", StringComparison.Ordinal) || file.StartsWith('.') || file.Contains("/obj/", StringComparison.Ordinal) || file.Contains("/bin/", StringComparison.Ordinal);

    private static IEnumerable<(string File, int Id)> EventIds() => Product.SelectMany(file =>
        EventId().Matches(File.ReadAllText(file)).Select(match => (file, int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture))));

    private static string Relative(string file) => Path.GetRelativePath(Repository.Root, file);

    [GeneratedRegex(@"\bEventId = (\d+)")]
    private static partial Regex EventId();

    [GeneratedRegex(@"\[LoggerMessage\([^\]]*\]")]
    private static partial Regex LoggerMessage();

    [GeneratedRegex(@"NotImplementedException|//\s*(TODO|FIXME|HACK|XXX)\b")]
    private static partial Regex Unfinished();

    [GeneratedRegex(@"catch\s*(\([^)]*\)\s*)?(when\s*\([^{]*\)\s*)?\{\s*\}")]
    private static partial Regex EmptyCatch();

    /// <summary>A credential helper is what the engine's own tools call one.</summary>
    [GeneratedRegex("(Manager|(?<!Credential)Helper|Processor|Utils?)$")]
    private static partial Regex VagueName();

    [GeneratedRegex(@"(?m)^namespace ([A-Za-z.]+);")]
    private static partial Regex NamespaceLine();
}
