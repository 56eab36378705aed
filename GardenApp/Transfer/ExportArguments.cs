using GardenApp.Sessions;

namespace GardenApp.Transfer;

/// <summary><c>export --user NAME --out FILE</c>.</summary>
internal sealed record ExportArguments(string User, string File)
{
    internal static ExportArguments? Parse(string[] arguments) => arguments switch
    {
        ["--user", var user, "--out", var file] when UserName.IsValid(user) => new ExportArguments(user, file),
        ["--out", var file, "--user", var user] => Parse(["--user", user, "--out", file]),
        _ => null,
    };
}
