using System.Globalization;
using Orchestrator.Secrets;

namespace Orchestrator.Backups.Keeping;

/// <summary>A set's number, held for as long as the set is being made.</summary>
public sealed class SetNumber(BackupSetId id, FileStream claim) : IDisposable
{
    public BackupSetId Id { get; } = id;

    public void Dispose() => claim.Dispose();
}

/// <summary>
/// Gives out the numbers of sets, one set of a stack at a time. The number is larger than any that was given out here and than any in the stores, so that
/// neither a lost data directory nor a set that was never published makes one twice.
/// </summary>
/// <param name="directory">In the daemon's data; made when missing.</param>
public sealed class SetNumbers(string directory, TimeProvider time)
{
    /// <param name="newest">The newest number that the stores know; 0: none.</param>
    /// <returns>Null when another set of the stack is being made, in whatever process.</returns>
    /// <exception cref="IOException">The directory cannot be written.</exception>
    public SetNumber? TryClaim(string stack, long newest)
    {
        Directory.CreateDirectory(directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        FileStream claim;
        try
        {
            claim = new FileStream(Path.Combine(directory, $"{stack}.claim"), new FileStreamOptions { Mode = FileMode.OpenOrCreate, Access = FileAccess.ReadWrite, Share = FileShare.None });
        }
        catch (IOException failure) when (failure is not (DirectoryNotFoundException or PathTooLongException))
        {
            return null;
        }

        try
        {
            var number = Math.Max(newest, Last(stack)) + 1;
            DurableFile.Write(LastFile(stack), System.Text.Encoding.ASCII.GetBytes($"{number}\n"), UnixFileMode.UserRead | UnixFileMode.UserWrite, owner: null);
            return new SetNumber(BackupSetId.Of(number, time.GetUtcNow()), claim);
        }
        catch
        {
            claim.Dispose();
            throw;
        }
    }

    private string LastFile(string stack) => Path.Combine(directory, $"{stack}.number");

    private long Last(string stack) => File.Exists(LastFile(stack)) && long.TryParse(File.ReadAllText(LastFile(stack)).Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0;
}
