using System.ComponentModel;
using System.Diagnostics;
using System.Text.Json;
using System.Text.RegularExpressions;
using Docker.DotNet.Models;

namespace Orchestrator.Docker;

/// <summary>A program <c>docker-credential-NAME</c> that keeps credentials: <c>get</c>, the server on standard input, JSON on standard output.</summary>
internal sealed partial class CredentialHelper(TimeSpan patience, TimeProvider time)
{
    /// <summary>In place of a user name: the secret is an identity token.</summary>
    private const string TokenUser = "<token>";

    /// <returns>The credentials, or none and, unless the helper simply has none, the reason.</returns>
    public async Task<(AuthConfig? Auth, string? Problem)> GetAsync(string name, string server, CancellationToken cancellationToken)
    {
        // The name becomes a program's: nothing that could be a path.
        if (!PlainName().IsMatch(name)) return (null, $"'{name}' is no name of a credential helper");
        var program = $"docker-credential-{name}";
        using var deadline = new CancellationTokenSource(patience, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        try
        {
            var (exit, output) = await RunAsync(program, server, both.Token);
            if (exit == 0) return (Parse(output, server), null);
            return output.Contains("credentials not found", StringComparison.OrdinalIgnoreCase)
                ? (null, null)
                : (null, $"{program} exited with {exit} for {server}");
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return (null, $"{program} gave no answer for {server} within {patience.TotalSeconds:0.#} s");
        }
        catch (Exception exception) when (exception is Win32Exception or IOException)
        {
            return (null, $"{program}, which config.json names for {server}, could not be run ({exception.Message})");
        }
        catch (JsonException)
        {
            // What it wrote may be a secret.
            return (null, $"{program} did not answer with JSON for {server}");
        }
    }

    private static async Task<(int Exit, string Output)> RunAsync(string program, string server, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo(program, ["get"]) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Process.Start(start) ?? throw new IOException("no process");
        try
        {
            // Both are read as they come: a full pipe would hold the helper forever.
            var output = process.StandardOutput.ReadToEndAsync(cancellationToken);
            var error = process.StandardError.ReadToEndAsync(cancellationToken);
            await AskAsync(process, server, cancellationToken);
            await process.WaitForExitAsync(cancellationToken);
            var said = await output;
            return (process.ExitCode, process.ExitCode == 0 ? said : said + await error);
        }
        finally
        {
            if (!process.HasExited) process.Kill(entireProcessTree: true);
        }
    }

    private static async Task AskAsync(Process process, string server, CancellationToken cancellationToken)
    {
        try
        {
            await process.StandardInput.WriteAsync(server.AsMemory(), cancellationToken);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It ended, or answers everybody alike, without having listened. What it says and how it exits counts.
        }
    }

    private static AuthConfig Parse(string output, string server)
    {
        using var json = JsonDocument.Parse(output);
        string Text(string name) => json.RootElement.TryGetProperty(name, out var value) ? value.GetString() ?? "" : "";
        return Text("Username") == TokenUser
            ? new AuthConfig { ServerAddress = server, IdentityToken = Text("Secret") }
            : new AuthConfig { ServerAddress = server, Username = Text("Username"), Password = Text("Secret") };
    }

    [GeneratedRegex("^[A-Za-z0-9][A-Za-z0-9._-]*$", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex PlainName();
}
