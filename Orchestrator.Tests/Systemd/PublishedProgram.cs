using System.Text;
using System.Text.Json.Nodes;
using Orchestrator.Tests.Architecture;
using Orchestrator.Tests.Docker;

namespace Orchestrator.Tests.Systemd;

/// <summary>The program as it is installed: published once for all tests that need it, into <c>.work</c>.</summary>
internal static class PublishedProgram
{
    private static readonly Lazy<Task<string>> Published = new(PublishAsync);

    public static string Path => Published.Value.GetAwaiter().GetResult();

    /// <summary>What it says that it is.</summary>
    public static async Task<string> VersionAsync() => JsonNode.Parse(await Command.RunAsync(Path, "version", "--offline", "--json"))!["client"]!.GetValue<string>();

    /// <summary>The same program under another version of the same length, so that nothing else moves in the file.</summary>
    public static async Task<string> WithVersionAsync(string version, string to) =>
        Patched(Encoding.UTF8.GetBytes(await VersionAsync()), Encoding.UTF8.GetBytes(version), to);

    /// <summary>The same program, with some text in it replaced by one of the same length.</summary>
    public static string Patched(byte[] from, byte[] into, string to)
    {
        if (from.Length != into.Length) throw new ArgumentException("Both must be of one length.");

        var program = File.ReadAllBytes(Path);
        var found = 0;
        for (var at = program.AsSpan().IndexOf(from); at >= 0;)
        {
            into.CopyTo(program, at);
            found++;
            var next = program.AsSpan(at + into.Length).IndexOf(from);
            at = next < 0 ? -1 : at + into.Length + next;
        }

        if (found == 0) throw new InvalidOperationException($"'{Encoding.UTF8.GetString(from)}' is not in the program.");
        File.WriteAllBytes(to, program);
        File.SetUnixFileMode(to, File.GetUnixFileMode(Path));
        return to;
    }

    private static async Task<string> PublishAsync()
    {
        if (Environment.GetEnvironmentVariable("BASMALIN_PROGRAM") is { Length: > 0 } given) return given;

        var directory = System.IO.Path.Combine(Environment.GetEnvironmentVariable("BASMALIN_WORK") ?? Repository.PathOf(".work"), "program");
        await Command.RunAsync("dotnet", "publish", Repository.PathOf("Orchestrator.Agent"), "-c", "Release", "-p:PublishProfile=SingleFile", "-p:RunAnalyzers=false", "-o", directory, "-nologo", "-v", "quiet");
        return System.IO.Path.Combine(directory, "basmalin");
    }
}
