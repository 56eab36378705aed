using System.Diagnostics;
using System.Text;
using Orchestrator.Stacks;

namespace Orchestrator.Tests.Stacks.Yaml;

/// <summary>What may be wrong with a file before it is looked at as a Compose file.</summary>
internal sealed class YamlTests
{
    [TestCase("", "1:1 : the file is empty (a Compose file starts with 'services:')")]
    [TestCase("\n  \n", "1:1 : the file is empty (a Compose file starts with 'services:')")]
    [TestCase("# nothing\n", "1:1 : the file is empty (expected a Compose file with `services`)")]
    [TestCase("---\n", "1:1 : the file is empty (a Compose file starts with 'services:')")]
    [TestCase("hello", "1:1 : expected a mapping with 'services' (a Compose file starts with 'services:')")]
    [TestCase("- a", "1:1 : expected a mapping with 'services' (a Compose file starts with 'services:')")]
    [TestCase("services:\n  a: { image: x }\n---\nservices: {}\n", "3:1 : a second document starts here: a Compose file is one document (remove the line '---' or put the rest in a file of its own)")]
    [TestCase("services:\n\ta:\n\t\timage: x\n", "2:1 : a tab stands in the indentation: YAML allows only spaces there (replace it with spaces)")]
    [TestCase("services:\n  a:\n    image: x\n\tports: []\n", "4:1 services.a: a tab stands in the indentation: YAML allows only spaces there (replace it with spaces)")]
    [TestCase("services:\n  a: *nothing\n", "2:6 services.a: there is no anchor &nothing for this alias (an anchor must stand before the alias)")]
    [TestCase("x-a: &common {}\nservices:\n  a: { image: x, <<: *comon }\n", "3:22 services.a.<<: there is no anchor &comon for this alias (did you mean *common?)")]
    [TestCase("services: &s\n  a: *s\n", "2:6 services.a: the alias *s stands inside its own anchor")]
    [TestCase("services:\n  a: { image: x }\n  a: { image: y }\n", "3:3 services.a: the key stands twice: here and at 2:3 (keep one of them)")]
    [TestCase("services:\n  a:\n    image: !reset null\n    build: .\n", "3:12 services.a.image: the tag !reset is not supported (remove the tag; files are not merged here, so !reset and !override have nothing to act on)")]
    [TestCase("services:\n  a: { image: x, <<: 3 }\n", "2:22 services.a.<<: a merge key takes a mapping or a list of mappings (<<: *anchor, or <<: [*first, *second])")]
    [TestCase("services: {}\nx\0: 1", "2:2 : the file is not UTF-8 text (save it as UTF-8)")]
    [TestCase("services: {}\n# \uFFFD", "2:3 : the file is not UTF-8 text (save it as UTF-8)")]
    public void A_file_that_is_no_document_is_refused_at_its_place(string content, string expected) =>
        Assert.That(Compose.Errors(Compose.Read(content)), Is.EqualTo(new[] { expected }));

    [TestCase("services:\n  a: [\n", 3)]
    [TestCase("services:\n  a: \"open\n", 2)]
    [TestCase("services:\n a: b: c\n", 2)]
    [TestCase("a: 1\n b: 2\n", 2)]
    public void A_syntax_error_names_its_line(string content, int line)
    {
        var error = Compose.Read(content).Errors.Single();

        Assert.That(error.Line, Is.EqualTo(line));
        Assert.That(error.Message, Does.StartWith("this is not valid YAML: "));
    }

    [Test]
    public void An_anchor_and_merge_keys_give_what_the_mapping_does_not_say()
    {
        var stack = Compose.Stack("""
            x-one: &one { restart: always, user: "1" }
            x-two: &two { restart: "no", hostname: two }
            services:
              a: &a
                <<: [*one, *two]
                image: a:1
                user: "7"
              b:
                <<: *a
                image: b:1
              c: *a
            """);

        Assert.That(stack.Services.Select(service => (service.Image, service.Container.Restart.Name, service.Container.User, service.Container.Hostname)),
            Is.EqualTo(new[] { ("a:1", "always", "7", "two"), ("b:1", "always", "7", "two"), ("a:1", "always", "7", "two") }));
    }

    [Test]
    public void A_mistake_in_an_anchor_is_reported_once()
    {
        var result = Compose.Read("x-a: &a { restart: nevr }\nservices:\n  b: { image: b, <<: *a }\n  c: { image: c, <<: *a }\n");

        Assert.That(Compose.Errors(result), Is.EqualTo(new[]
        {
            "1:20 services.b.restart: expected no, always, unless-stopped, on-failure or on-failure:N, found 'nevr'",
        }));
    }

    [Test]
    public void An_interpolation_error_is_reported_at_its_dollar_sign_in_every_style()
    {
        var result = Compose.Read("""
            services:
              a:
                image: x${}
                user: "y${}"
                hostname: 'z ${}'
                command: |
                  one
                    two ${}
                labels: [ "a\tb ${}" ]
            """);

        Assert.That(result.Errors.Select(error => $"{error.Line}:{error.Column} {error.Key}"), Is.EqualTo(new[]
        {
            "3:13 services.a.image", "4:13 services.a.user", "5:18 services.a.hostname", "8:13 services.a.command", "9:15 services.a.labels[0]",
        }));
    }

    [Test]
    public void A_value_whose_interpolation_failed_causes_no_second_error() =>
        Assert.That(Compose.Errors(Compose.ReadApp("ports: [ \"${PORT:?say which}:80\" ]\ndeploy: { replicas: \"${N?}\" }")), Is.EqualTo(new[]
        {
            "4:15 services.app.ports[0]: the variable PORT is required and is not set: say which (set PORT in the environment or in .env)",
            "5:26 services.app.deploy.replicas: the variable N is required and is not set (set N in the environment or in .env)",
        }));

    [Test]
    public void A_value_from_a_variable_is_never_shown()
    {
        var result = Compose.Read(Compose.AppFile("ports: [ \"$SECRET\" ]\nrestart: ${SECRET}\ncontainer_name: ${SECRET}"), ("SECRET", "hunter 2"));

        Assert.That(result.Errors.Count(), Is.EqualTo(3));
        Assert.That(string.Concat(Compose.Errors(result)), Does.Not.Contain("hunter"));
        Assert.That(Compose.Errors(result)[1], Does.Contain("found '${SECRET}' (its value is not shown)"));
    }

    [Test]
    public void A_huge_file_is_refused_before_it_is_parsed()
    {
        var content = new string('[', 100 * 1024 * 1024);

        Assert.That(Compose.Errors(Compose.Read(content)), Is.EqualTo(new[] { "1:1 : the file is larger than 1 MiB (data belongs into a file that a service mounts)" }));
    }

    [TestCase("[")]
    [TestCase("{a: ")]
    [TestCase("- ")]
    [TestCase("? ")]
    [TestCase("&a [")]
    public void A_deep_file_is_refused_at_its_64th_level(string nesting)
    {
        var content = new StringBuilder("a: ").Insert(3, nesting, 200_000 / nesting.Length).ToString();

        var error = Compose.Read(nesting == "- " ? content[3..] : content).Errors.First();

        Assert.That(error.Message, Is.EqualTo("values are nested deeper than 64 levels").Or.StartsWith("this is not valid YAML"));
    }

    [Test]
    public void A_billion_laughs_end_at_once_and_in_little_memory()
    {
        var content = new StringBuilder("x-0: &a0 [ha, ha, ha, ha, ha, ha, ha, ha, ha, ha]\n");
        for (var level = 1; level < 30; level++)
            content.Append(System.Globalization.CultureInfo.InvariantCulture, $"x-{level}: &a{level} [{string.Join(", ", Enumerable.Repeat($"*a{level - 1}", 10))}]\n");
        content.Append("services: { a: { image: x, command: *a29 } }\n");
        var before = GC.GetAllocatedBytesForCurrentThread();
        var started = Stopwatch.GetTimestamp();

        var result = Compose.Read(content.ToString());

        Assert.That(Compose.Errors(result)[0], Does.Contain("the file holds more than 100000 values, counting what its aliases stand for"));
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.LessThan(20_000_000));
        Assert.That(Stopwatch.GetElapsedTime(started), Is.LessThan(TimeSpan.FromSeconds(5)));
    }

    [Test]
    public void A_long_text_named_often_is_a_bomb_as_well()
    {
        var content = new StringBuilder("x-long: &long \"").Append('x', 900_000).Append("\"\nservices: { a: { image: x, command: [");
        content.AppendJoin(", ", Enumerable.Repeat("*long", 10_000)).Append("] } }\n");

        Assert.That(Compose.Errors(Compose.Read(content.ToString()))[0], Does.Contain("the file holds more than 100000 values"));
    }

    [Test]
    public void A_long_variable_named_often_is_a_bomb_as_well()
    {
        var content = Compose.AppFile($"command: \"{new StringBuilder().Insert(0, "$LONG", 100_000)}\"");
        var before = GC.GetAllocatedBytesForCurrentThread();

        var result = Compose.Read(content, ("LONG", new string('x', 100_000)));

        Assert.That(result.Errors.First().Message, Is.EqualTo("interpolation produces more than 4 MiB of text"));
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.LessThan(100_000_000));
    }

    [Test]
    public void The_report_is_bounded()
    {
        var content = new StringBuilder("services:\n  a:\n    image: x\n");
        for (var index = 0; index < 2000; index++) content.Append(System.Globalization.CultureInfo.InvariantCulture, $"    wrong{index}: 1\n");

        var result = Compose.Read(content.ToString());

        Assert.That(result.Findings, Has.Length.EqualTo(501));
        Assert.That(result.Findings[^1].Message, Is.EqualTo("1500 more problems are not shown"));
    }

    [Test]
    public void A_file_on_disk_is_read_strictly()
    {
        var path = Path.Combine(Path.GetTempPath(), $"basmalin-{Guid.NewGuid():N}.yml");
        try
        {
            Assert.That(ComposeFile.TryLoad(path, out _, out var problem), Is.False);
            Assert.That(problem!.Message, Is.EqualTo("the file does not exist"));

            File.WriteAllBytes(path, [(byte)'a', 0xFF, 0xFE]);
            Assert.That(ComposeFile.TryLoad(path, out _, out problem), Is.False);
            Assert.That(problem!.Message, Is.EqualTo("the file is not UTF-8 text"));

            File.WriteAllBytes(path, new byte[1024 * 1024 + 1]);
            Assert.That(ComposeFile.TryLoad(path, out _, out problem), Is.False);
            Assert.That(problem!.Message, Is.EqualTo("the file is larger than 1 MiB"));

            File.WriteAllText(path, "services: {}");
            Assert.That(ComposeFile.TryLoad(path, out var content, out _), Is.True);
            Assert.That(content, Is.EqualTo("services: {}"));
        }
        finally
        {
            File.Delete(path);
        }
    }
}
