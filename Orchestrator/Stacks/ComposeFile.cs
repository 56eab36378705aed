using System.Diagnostics.CodeAnalysis;
using System.Text;
using Orchestrator.Stacks.Yaml;

namespace Orchestrator.Stacks;

/// <summary>Reads the text of a Compose file from disk, never more of it than a Compose file may have.</summary>
public static class ComposeFile
{
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <param name="problem">Set when the result is false: missing, unreadable, larger than 1 MiB, or not UTF-8.</param>
    public static bool TryLoad(string path, [NotNullWhen(true)] out string? content, [NotNullWhen(false)] out Finding? problem)
    {
        content = TryLoadText(path, out var message, out var hint);
        problem = content is null ? new Finding(FindingSeverity.Error, path, 1, 1, "", message, hint) : null;
        return content is not null;
    }

    internal static string? TryLoadText(string path, out string message, out string? hint)
    {
        message = "";
        hint = null;
        try
        {
            using var file = File.OpenRead(path);
            var buffer = new byte[YamlLimits.Bytes + 1];
            var length = file.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false);
            if (length <= YamlLimits.Bytes) return Strict.GetString(buffer, 0, length);

            message = TooLarge;
            hint = "data belongs into a file that a service mounts";
        }
        catch (DecoderFallbackException)
        {
            message = "the file is not UTF-8 text";
            hint = "save it as UTF-8";
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            message = "the file does not exist";
            hint = "a relative path starts at the directory of the Compose file";
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            message = $"the file cannot be read: {exception.Message}";
        }

        return null;
    }

    internal const string TooLarge = "the file is larger than 1 MiB";
}
