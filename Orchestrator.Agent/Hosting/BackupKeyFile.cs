namespace Orchestrator.Agent.Hosting;

/// <summary>A file that holds one key of a bucket, on its first line.</summary>
internal static class BackupKeyFile
{
    /// <returns>What is wrong with it; null: nothing. Never quotes what is in it.</returns>
    public static string? Problem(string path)
    {
        try
        {
            return Read(path).Length > 0 ? null : $"{path} is empty";
        }
        catch (Exception failure) when (failure is FileNotFoundException or DirectoryNotFoundException)
        {
            return $"there is no file {path}";
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return $"{path} cannot be read: {failure.Message}";
        }
    }

    public static string Read(string path)
    {
        using var reader = new StreamReader(path);
        return reader.ReadLine()?.Trim() ?? "";
    }
}
