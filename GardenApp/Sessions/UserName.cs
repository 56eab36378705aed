namespace GardenApp.Sessions;

/// <summary>What a user may be called, over HTTP as on the command line.</summary>
internal static class UserName
{
    internal const string Rule = "must be 1 to 50 lower-case letters, digits, '-' or '_'";

    internal static bool IsValid(string? name) => name is { Length: >= 1 and <= 50 } && name.All(c => c is (>= 'a' and <= 'z') or (>= '0' and <= '9') or '-' or '_');
}
