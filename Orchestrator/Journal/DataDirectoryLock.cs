using System.Globalization;

namespace Orchestrator.Journal;

/// <summary>Holds a data directory for one daemon; let go by the kernel when the process ends, however it ends.</summary>
public sealed class DataDirectoryLock : IDisposable
{
    private const int WouldBlock = 11;                                 // EWOULDBLOCK of flock
    private const int SharingViolation = unchecked((int)0x80070020);   // the same on Windows

    private readonly FileStream _lock;

    private DataDirectoryLock(FileStream held) => _lock = held;

    /// <summary>Makes the directory (0700) when there is none.</summary>
    /// <param name="problem">Who holds it, for people.</param>
    /// <returns>Null when another process holds the directory.</returns>
    public static DataDirectoryLock? TryAcquire(string directory, out string problem)
    {
        const UnixFileMode directoryMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
        if (!Directory.Exists(directory))
        {
            if (OperatingSystem.IsWindows()) Directory.CreateDirectory(directory);
            else Directory.CreateDirectory(directory, directoryMode);
        }

        // The holder's number stands in a file of its own: the locked one cannot be opened by anybody else.
        var owner = Path.Combine(directory, "lock.pid");
        FileStream held;
        try
        {
            held = new FileStream(Path.Combine(directory, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException failure) when (failure.HResult is WouldBlock or SharingViolation)
        {
            problem = $"The data directory {directory} is in use by {Holder(owner)}: two daemons cannot share one.";
            return null;
        }

        File.WriteAllText(owner, Environment.ProcessId.ToString(CultureInfo.InvariantCulture));
        problem = "";
        return new DataDirectoryLock(held);
    }

    private static string Holder(string owner) => File.Exists(owner) ? $"process {File.ReadAllText(owner).Trim()}" : "another process";

    public void Dispose() => _lock.Dispose();
}
