using System.Collections.Immutable;
using Orchestrator.Stacks;

namespace Orchestrator.Tests.Stacks;

/// <summary>Reads Compose text in tests.</summary>
internal static class Compose
{
    public static ComposeResult Read(string content, params (string Name, string Value)[] environment) =>
        ComposeReader.Read(Source(content) with { Environment = environment.ToImmutableDictionary(pair => pair.Name, pair => pair.Value) });

    public static ComposeSource Source(string content) => new()
    {
        FileName = "compose.yml",
        Content = content,
        Directory = Path.Combine(Path.GetTempPath(), "basmalin-tests-no-such-directory", "garden"),
    };

    /// <summary>The stack of a file that must have no error.</summary>
    public static Stack Stack(string content, params (string Name, string Value)[] environment)
    {
        var result = Read(content, environment);
        Assert.That(result.Errors, Is.Empty);
        return result.Stack!;
    }

    /// <summary>The service <c>app</c> with the given keys, written with two spaces less than they have in the file.</summary>
    public static ServiceSpec App(string keys, string rest = "", params (string Name, string Value)[] environment) =>
        Stack(AppFile(keys, rest), environment).Find("app")!;

    public static ComposeResult ReadApp(string keys, string rest = "") => Read(AppFile(keys, rest));

    /// <summary>Keys of the service begin on line 4, column 5.</summary>
    public static string AppFile(string keys, string rest = "") =>
        $"services:\n  app:\n    image: app:1\n{string.Join('\n', keys.Split('\n').Select(line => $"    {line}"))}\n{rest}";

    /// <summary>Errors as <c>line:column key: message (hint)</c>.</summary>
    public static string[] Errors(ComposeResult result) => [.. result.Errors.Select(Shown)];

    public static string[] Notes(ComposeResult result) => [.. result.Notes.Select(Shown)];

    private static string Shown(Finding finding) =>
        $"{finding.Line}:{finding.Column} {finding.Key}: {finding.Message}{(finding.Hint is null ? "" : $" ({finding.Hint})")}";
}
