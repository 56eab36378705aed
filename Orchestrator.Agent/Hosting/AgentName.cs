using System.Text;
using Orchestrator.Secrets;

namespace Orchestrator.Agent.Hosting;

/// <summary>The daemon's own name, made at its first start and kept in its data directory: its containers are labelled with it.</summary>
internal static class AgentName
{
    public const string FileName = "agent.id";

    /// <exception cref="IOException">It can be neither read nor made.</exception>
    public static string Of(string directory)
    {
        var path = Path.Combine(directory, FileName);
        if (File.Exists(path) && File.ReadAllText(path).Trim() is { Length: > 0 } known) return known;

        var name = Guid.CreateVersion7().ToString("N");
        DurableFile.Write(path, Encoding.ASCII.GetBytes(name + "\n"), UnixFileMode.UserRead | UnixFileMode.UserWrite, owner: null);
        return name;
    }
}
