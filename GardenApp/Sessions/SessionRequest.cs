using GardenApp.Validation;

namespace GardenApp.Sessions;

/// <summary>Opens a session. A name is enough: this is a demonstration, and it says so in its README.</summary>
/// <param name="User">1 to 50 lower-case letters, digits, <c>-</c> and <c>_</c>; not <c>guest</c>.</param>
public sealed record SessionRequest(string? User)
{
    internal Dictionary<string, string[]>? Problems() => new ProblemList()
        .When(!UserName.IsValid(User), "user", UserName.Rule)
        .When(User == CurrentUser.Guest.Name, "user", "guest is whoever has no session")
        .Found;
}
