using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json;
using Orchestrator.Agent.Api.Contracts;

namespace Orchestrator.Agent.Installation;

/// <summary>A file that is, or claims to be, this program.</summary>
internal static class ProgramFile
{
    private const UnixFileMode Executable =
        UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute;

    private const int MachineOffset = 18;       // e_machine in the header of an ELF file
    private const string PublishHint = "make it with: dotnet publish Orchestrator.Agent -c Release -p:PublishProfile=SingleFile";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    public static string HashOf(string path)
    {
        using var file = File.OpenRead(path);
        return Convert.ToHexStringLower(SHA256.HashData(file));
    }

    /// <summary>Puts a copy at the path by a rename: at each moment there is the old one or the whole new one, also after a power cut.</summary>
    public static void Place(string from, string to)
    {
        var pending = Path.Combine(Path.GetDirectoryName(to) ?? "/", $".{Path.GetFileName(to)}.new");
        using (var source = File.OpenRead(from))
        using (var copy = new FileStream(pending, FileMode.Create, FileAccess.Write))
        {
            source.CopyTo(copy);
            copy.Flush(flushToDisk: true);
        }

        File.SetUnixFileMode(pending, Executable);
        File.Move(pending, to, overwrite: true);
    }

    /// <exception cref="InstallException">It needs other files beside it.</exception>
    public static void CheckSingle(string path)
    {
        CheckExecutable(path);
        if (File.Exists(Path.Combine(Path.GetDirectoryName(path) ?? "/", "basmalin.dll")))
            throw new InstallException($"{path} is one file of many", "basmalin.dll lies beside it, and an installation is one file", PublishHint);
    }

    /// <exception cref="InstallException">It is not a program for this machine.</exception>
    public static void CheckExecutable(string path)
    {
        if (!File.Exists(path)) throw new InstallException($"there is no file {path}", null, null);

        var head = new byte[MachineOffset + 2];
        using (var file = File.OpenRead(path))
        {
            if (file.ReadAtLeast(head, head.Length, throwOnEndOfStream: false) < head.Length || !head.AsSpan().StartsWith("\u007fELF"u8))
                throw new InstallException($"{path} is not a program", "it does not begin as one (ELF)", PublishHint);
        }

        var machine = BinaryPrimitives.ReadUInt16LittleEndian(head.AsSpan(MachineOffset)) switch { 62 => "x64", 183 => "arm64", var other => $"machine {other}" };
        var here = RuntimeInformation.OSArchitecture.ToString().ToLowerInvariant();
        if (machine != here) throw new InstallException($"{path} is for {machine}, this machine is {here}", null, $"publish it with -r linux-{here}");
    }

    /// <summary>Asks the program who it is.</summary>
    /// <exception cref="InstallException">It is not this program, whatever else it is.</exception>
    public static async Task<VersionReport> IdentifyAsync(string path, CancellationToken cancellationToken)
    {
        var result = await SystemCommand.RunAsync(path, ["version", "--offline", "--json"], Patience, cancellationToken);
        try
        {
            if (result.Ok && JsonSerializer.Deserialize(result.Output, ApiJson.Default.VersionReport) is { Product: VersionReport.Name } report) return report;
        }
        catch (JsonException exception)
        {
            throw new InstallException($"{path} is not BasMalin", $"asked for its version it says something else: {exception.Message}", null);
        }

        throw new InstallException($"{path} is not BasMalin, or does not run here", $"asked for its version it ends with {result.ExitCode}: {result.Said}", null);
    }
}
