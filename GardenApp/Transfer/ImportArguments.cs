using GardenApp.Sessions;

namespace GardenApp.Transfer;

/// <summary><c>import FILE [--user NAME] [--replace]</c>. Without a user the data goes to whom it was taken from.</summary>
internal sealed record ImportArguments(string File, string? User, bool Replace)
{
    internal static ImportArguments? Parse(string[] arguments) => arguments switch
    {
        [var file, .. var rest] when !file.StartsWith("--", StringComparison.Ordinal) => rest switch
        {
            [] => new ImportArguments(file, null, false),
            ["--replace"] => new ImportArguments(file, null, true),
            ["--user", var user] when UserName.IsValid(user) => new ImportArguments(file, user, false),
            ["--user", var user, "--replace"] when UserName.IsValid(user) => new ImportArguments(file, user, true),
            ["--replace", "--user", var user] => Parse([file, "--user", user, "--replace"]),
            _ => null,
        },
        _ => null,
    };
}
