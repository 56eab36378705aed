using System.Buffers.Binary;
using System.Globalization;
using System.Net.Sockets;

namespace Orchestrator.Agent.Auth;

/// <summary>Who is at the other end of a unix socket, as the kernel says it.</summary>
internal sealed record PeerCredential(int Process, int User)
{
    private const int SolSocket = 1;
    private const int SoPeerCred = 17;
    private static readonly int OwnUser = ReadOwnUser();

    /// <summary>Root, or the user that the daemon itself runs as.</summary>
    public bool MayDrive => User == 0 || User == OwnUser;

    /// <returns>Null: the kernel does not say, so it is nobody we know.</returns>
    public static PeerCredential? Of(Socket socket)
    {
        // struct ucred: pid, uid, gid
        var credential = new byte[12];
        try
        {
            if (socket.GetRawSocketOption(SolSocket, SoPeerCred, credential) < credential.Length) return null;
        }
        catch (SocketException)
        {
            return null;
        }

        return new PeerCredential(BinaryPrimitives.ReadInt32LittleEndian(credential), BinaryPrimitives.ReadInt32LittleEndian(credential.AsSpan(4)));
    }

    /// <summary>The effective user. -1, which nobody has, when the kernel does not say: then only root may.</summary>
    private static int ReadOwnUser()
    {
        const string Status = "/proc/self/status";
        if (!File.Exists(Status)) return -1;

        var line = File.ReadLines(Status).FirstOrDefault(line => line.StartsWith("Uid:", StringComparison.Ordinal));
        var fields = line?.Split('\t', StringSplitOptions.RemoveEmptyEntries);
        return fields is { Length: >= 3 } && int.TryParse(fields[2], NumberStyles.None, CultureInfo.InvariantCulture, out var user) ? user : -1;
    }
}
