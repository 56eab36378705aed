using System.Buffers.Binary;
using System.Globalization;
using System.Net.Sockets;

namespace Orchestrator.Agent.Auth;

/// <summary>Who is at the other end of a unix socket, as the kernel says it.</summary>
/// <param name="Member">It is in the group that the daemon itself runs as.</param>
internal sealed record PeerCredential(int Process, int User, bool Member)
{
    private const int SolSocket = 1;
    private const int SoPeerCred = 17;
    private const int SoPeerGroups = 59;
    private const int MostGroups = 1024;
    private static readonly int OwnUser = ReadOwn("Uid:");
    private static readonly int OwnGroup = ReadOwn("Gid:");

    /// <summary>Root, the user that the daemon itself runs as, or a member of its group; the group of root is nobody's.</summary>
    public bool MayDrive => User == 0 || User == OwnUser || Member;

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

        return new PeerCredential(
            BinaryPrimitives.ReadInt32LittleEndian(credential),
            BinaryPrimitives.ReadInt32LittleEndian(credential.AsSpan(4)),
            OwnGroup > 0 && (BinaryPrimitives.ReadInt32LittleEndian(credential.AsSpan(8)) == OwnGroup || IsIn(socket, OwnGroup)));
    }

    // Its other groups, as they were when it connected. A kernel before 4.13 does not say: then only its first one counts.
    private static bool IsIn(Socket socket, int group)
    {
        var groups = new byte[MostGroups * sizeof(int)];
        try
        {
            var length = socket.GetRawSocketOption(SolSocket, SoPeerGroups, groups);
            for (var at = 0; at + sizeof(int) <= length; at += sizeof(int))
            {
                if (BinaryPrimitives.ReadInt32LittleEndian(groups.AsSpan(at)) == group) return true;
            }

            return false;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    /// <summary>The effective user or group. -1, which nobody has, when the kernel does not say: then only root may.</summary>
    private static int ReadOwn(string key)
    {
        const string Status = "/proc/self/status";
        if (!File.Exists(Status)) return -1;

        var line = File.ReadLines(Status).FirstOrDefault(line => line.StartsWith(key, StringComparison.Ordinal));
        var fields = line?.Split('\t', StringSplitOptions.RemoveEmptyEntries);
        return fields is { Length: >= 3 } && int.TryParse(fields[2], NumberStyles.None, CultureInfo.InvariantCulture, out var user) ? user : -1;
    }
}
