using System.Diagnostics;
using System.Net.Sockets;
using Orchestrator.Tests.Docker;
using Orchestrator.Tests.Journal;
using Orchestrator.Tests.Systemd;

namespace Orchestrator.Tests.Agent.Hosting;

/// <summary>The program as it is installed, told to end before it has started.</summary>
public sealed class EarlyStopTests
{
    [TestCase("TERM")]
    [TestCase("INT")]
    public async Task A_daemon_that_is_told_to_end_while_it_waits_for_its_engine_ends_in_good_order(string signal)
    {
        using var directory = new TemporaryDirectory();
        using var engine = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        engine.Bind(new UnixDomainSocketEndPoint(directory["docker.sock"]));
        engine.Listen();
        var settings = directory["agent.yml"];
        await File.WriteAllTextAsync(settings, $$"""
            data: {{directory["data"]}}
            docker: { endpoint: "unix://{{directory["docker.sock"]}}" }
            edge: { http: ["127.0.0.1:0"] }
            admin: { socket: {{directory["admin.sock"]}} }
            """);
        // Whoever runs the tests in the background of a script has SIGINT ignored, and what is ignored is inherited.
        var start = new ProcessStartInfo("env", [$"--default-signal={signal}", PublishedProgram.Path, "agent", "--config", settings]) { RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Process.Start(start) ?? throw new InvalidOperationException("The program cannot be started.");
        var (told, complained) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        using var asked = await engine.AcceptAsync();               // it is asked, and never answers

        await Command.RunAsync("kill", $"-{signal}", $"{process.Id}");
        await process.WaitForExitAsync();

        Assert.That((process.ExitCode, await complained), Is.EqualTo((0, "")), await told);
        Assert.That(File.Exists(directory["admin.sock"]), Is.False);
    }
}
